"""The queue protocol with its values and errors; `tests/indexer/test_queue.py` is its contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from crossmedia.embeddings.errors import CrossmediaError

JobState: TypeAlias = Literal["queued", "running", "done", "failed"]
MAX_ATTEMPTS: Final = 3
"""A job that was running at as many crashes is taken for their cause."""
CRASHED: Final = {
    "code": "crashed",
    "message": f"the process died {MAX_ATTEMPTS} times during this job",
    "hint": "see the log of that process; submit less at once",
}


class QueueFull(CrossmediaError):
    """Too many jobs wait; come back after `retry_after` seconds."""

    code = "queue_full"
    status = 429
    retry_after = 5


class QueueUnreachable(CrossmediaError):
    """The queue's server does not answer, or refuses who asks."""

    code = "queue_unreachable"
    status = 503
    retry_after = 5


class QueueUnusable(CrossmediaError):
    """The queue's server answers, but not as the queue needs it."""

    code = "queue_unusable"
    status = 503


class LeaseLost(CrossmediaError):
    """A job was taken from this worker, which had been silent for too long: it must stop and write no more of it."""

    code = "lease_lost"
    status = 409


@dataclass(frozen=True)
class Job:
    """A piece of work and how far it is. `created`, `updated`: Unix times; `done` of `total` in the current `step`.

    A job that was divided into `parts` has their progress and, in the end, the sum of their reports.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    state: JobState
    created: float
    updated: float
    attempts: int
    step: str
    done: int
    total: int
    report: Mapping[str, Any] | None
    error: Mapping[str, str] | None
    parts: int = 0
    short: bool = False
    """Whether it is expected to be done soon, and may be claimed as such."""


@dataclass(frozen=True)
class JobPart:
    """A share of a job that was found too large for one worker: `size` counts in what the first `step` counts."""

    payload: Mapping[str, Any]
    step: str
    size: int


class Queue(Protocol):
    """Durable: what `submit` returned is done, also after a crash. Thread-safe.

    Whoever claimed a job tells of it by `progress`, and ends it by `release`, `finish` or `fail`.
    """

    def submit(self, kind: str, payload: Mapping[str, Any], *, short: bool = False) -> Job:
        """Accept a job durably; raises QueueFull, QueueUnreachable."""

    def claim(self, *, short: bool = False) -> Job | None:
        """The oldest waiting job, one that was not begun before one that was put back; now running. `short`: only of
        those that are expected to be. None if none waits."""

    def release(self, job: str, report: Mapping[str, Any] | None = None, error: CrossmediaError | None = None) -> None:
        """Put a claimed job back with its report so far: it stopped on request, or waits for what the error tells until
        it is claimed again. Either counts as no attempt. Whatever was expected, it is no short one from now on."""

    def recover(self, held: Collection[str] = ()) -> int:
        """Put back what was running where somebody died, or fail it as `crashed`; returns how many were put back.
        `held`: jobs that the caller itself is at work on, of a queue without leases."""

    def progress(self, job: str, step: str, done: int, total: int) -> None: ...

    def finish(self, job: str, report: Mapping[str, Any]) -> None: ...

    def fail(self, job: str, error: CrossmediaError, report: Mapping[str, Any] | None = None) -> None: ...

    def get(self, job: str) -> Job:
        """Raises NotFound."""

    def list(self, state: JobState | None = None, limit: int = 100) -> list[Job]:
        """The newest first, without their payloads and reports: those can name a hundred thousand files each."""

    def unfinished(self) -> Sequence[Job]:
        """Whole, in their order: what is running and what waits."""

    def fresh(self) -> bool:
        """Whether a job waits that was not begun."""

    def counts(self) -> dict[str, int]:
        """How many there are in each state that there is."""

    def close(self) -> None: ...


class SharedQueue(Queue, Protocol):
    """A queue whose jobs are done by processes of their own, here and elsewhere.

    Claiming takes a lease that has to be renewed; without it, progress and ends are refused with LeaseLost.
    """

    lease: float
    """Seconds after which a worker that was not heard of counts as dead."""
    address: str
    """Where it is, without its password."""

    def wait(self, seconds: int) -> None:
        """Until there may be work, or so many whole seconds; a bell that nobody rings is no promise that there is
        none."""

    def renew(self, job: str) -> bool:
        """Keep a claimed job; False if it was taken away."""

    def divide(self, job: str, parts: Sequence[JobPart], report: Mapping[str, Any]) -> None:
        """Turn a claimed job into parts that wait as jobs of their own; `report` is what is told of the whole beside
        them."""

    def present(self, worker: str) -> None:
        """A process is there to do jobs; holds for a lease."""

    def leave(self, worker: str) -> None:
        """It is no more."""

    def workers(self) -> int:
        """How many processes are there to do jobs."""
