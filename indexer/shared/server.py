"""Connect to the Redis server and translate its failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from crossmedia.indexer.queue import QueueUnreachable, QueueUnusable

SOCKET_SECONDS = 5.0
"""Longer without an answer counts as unreachable."""


def without_password(url: str) -> str:
    """The address as it may be shown and logged."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def connect(url: str) -> redis.Redis:
    """A client that answers in text; nothing is sent yet."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        encoding_errors="replace",
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Raises QueueUnreachable or QueueUnusable for what Redis raises inside."""
    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        hint = "CROSSMEDIA_QUEUE=redis://USER:PASSWORD@HOST:PORT/DB carries them"
        raise QueueUnreachable(f"the queue {address} refuses the user or password", hint) from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        hint = "start Redis there, or correct CROSSMEDIA_QUEUE; jobs it has accepted go on when it is back"
        raise QueueUnreachable(f"the queue {address} does not answer: {error}", hint) from error
    except redis.RedisError as error:
        hint = "is it a Redis 6.2 or newer, with a database of its own, memory and disk left?"
        raise QueueUnusable(f"the queue {address} does not work: {error}", hint) from error
