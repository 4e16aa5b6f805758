"""Opens the queue of jobs that the settings name, and tells of it."""

from __future__ import annotations

from typing import Any

from crossmedia.api.settings import Settings
from crossmedia.embeddings.errors import CrossmediaError, DependencyMissing
from crossmedia.indexer.jobs import Jobs
from crossmedia.indexer.queue import Queue, QueueUnreachable, QueueUnusable, SharedQueue


class NoQueue(CrossmediaError):
    """What was asked for needs a shared queue."""

    code = "no_queue"
    status = 409

    def __init__(
        self,
        message: str = "no shared queue is configured",
        hint: str = "CROSSMEDIA_QUEUE=redis://HOST:6379/0 configures one; "
        "without it, crossmedia serve processes the jobs",
    ) -> None:
        super().__init__(message, hint)


def open_queue(settings: Settings) -> Queue:
    """The shared queue if one is set, else the embedded one. Nothing is sent yet; raises DependencyMissing."""
    if not settings.queue:
        return Jobs(settings.data, settings.max_jobs)
    try:
        from crossmedia.indexer.shared.redis_queue import RedisQueue
    except ModuleNotFoundError as error:
        raise DependencyMissing(f"{error.name} is not installed", 'pip install "crossmedia[queue]"') from error
    return RedisQueue(settings.queue.get_secret_value(), settings.max_jobs, settings.queue_lease)


def shared(queue: Queue) -> SharedQueue | None:
    """The queue, if others do its jobs."""
    return None if isinstance(queue, Jobs) else queue  # type: ignore[return-value]


def describe_queue(queue: Queue) -> dict[str, Any]:
    """Where the queue is, how many jobs are in each state, and how many `workers` do them (None: whoever serves).

    `problem` is an error's envelope where it cannot be reached; the numbers are left out then.
    """
    elsewhere = shared(queue)
    place = elsewhere.address if elsewhere else "embedded"
    try:
        return {"queue": place, "jobs": queue.counts(), "workers": elsewhere.workers() if elsewhere else None}
    except (QueueUnreachable, QueueUnusable) as error:
        return {"queue": place, "problem": error.as_dict()}
