"""Celery, set up: it wakes workers, keeps their processes alive and ends them in order.

A message says that there is work, not which: whoever receives it claims the next record. So a message that comes twice,
late or to a worker whose record was taken does nothing, and one that is lost is sent again (`RedisQueue.recover`).
"""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

from celery import Celery
from kombu.transport import redis

from crossmedia.indexer.shared.server import SOCKET_SECONDS

log = logging.getLogger("crossmedia.queue")
TASK = "crossmedia.work"
MESSAGES = "crossmedia.work"
"""The Redis list in which messages wait."""


class _Channel(redis.Channel):  # type: ignore[misc]
    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            log.warning("what came as a message is none and was dropped: %r", error)
            raise Empty from None


class Transport(redis.Transport):  # type: ignore[misc]
    """Kombu's, except that garbage in the list does not end the worker that reads it."""

    Channel = _Channel


def delivery(url: str) -> Celery:
    """An application of its own for each queue; nothing is sent yet."""
    app = Celery("crossmedia", broker=url, set_as_current=False)
    app.conf.update(
        broker_transport=Transport,
        accept_content=["json"],
        task_serializer="json",
        event_serializer="json",
        task_default_queue=MESSAGES,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # A job outlives a restart of the broker: its record says whose it is.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_timeout": SOCKET_SECONDS,
            "socket_connect_timeout": SOCKET_SECONDS,
            "socket_keepalive": True,
            # A connection that died without a word is noticed after about twice that many seconds.
            "health_check_interval": 5,
        },
    )
    return app
