"""`crossmedia worker`: a Celery worker whose processes claim jobs, keep their leases and do them."""

from __future__ import annotations

import logging
import mmap
import multiprocessing
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

from celery import Celery, signals
from celery.exceptions import Reject

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.queue import Job, SharedQueue
from crossmedia.indexer.shared.delivery import TASK, delivery
from crossmedia.indexer.worker import Handler, perform

log = logging.getLogger("crossmedia.worker")
TICK_SECONDS: Final = 0.25
"""How soon a job hears that its worker is to stop."""
RENEWALS: Final = 3
"""How often a lease is renewed before it would run out."""

Room = tuple[SharedQueue, Mapping[str, Handler]]
"""A queue, and what does each kind of job."""


class Work:
    """A worker over the queue at `url`; `open_room` makes what its processes work with, once in each, at its first
    job."""

    def __init__(
        self, url: str, open_room: Callable[[], AbstractContextManager[Room]], overseer: SharedQueue, processes: int = 1
    ) -> None:
        self._open_room = open_room
        self._overseer = overseer
        self._processes = processes
        self._stopping = mmap.mmap(-1, 1)
        """One byte that the processes share, without a lock that one of them could die with."""
        self._program = multiprocessing.current_process()
        self._over = threading.Event()
        self._opened: AbstractContextManager[Room] | None = None
        self._room: Room | None = None
        self._app = self._celery(url)

    def run(self) -> int:
        """Until SIGTERM or SIGINT: then jobs at hand are put back. Returns the exit code."""
        worker = self._app.Worker(
            hostname=f"crossmedia-{os.getpid()}@{socket.gethostname()}", pool="prefork", concurrency=self._processes,
            loglevel="WARNING", quiet=True, without_gossip=True, without_mingle=True, without_heartbeat=True, optimization="fair",
        )  # fmt: skip
        watching = threading.Thread(target=self._oversee, name="crossmedia-oversee", daemon=True)
        signals.worker_ready.connect(lambda **_: watching.start(), weak=False)
        try:
            worker.start()
        finally:
            self._over.set()
            if watching.ident is not None:
                watching.join()
        return 0 if self._stopping[0] else int(worker.exitcode or 0)

    def _celery(self, url: str) -> Celery:
        app = delivery(url)
        app.task(self._turn, name=TASK, typing=False)
        signals.worker_shutting_down.connect(self._stop, weak=False)
        signals.worker_process_init.connect(self._be_a_program, weak=False)
        signals.worker_process_shutdown.connect(self._leave_room, weak=False)
        return app

    def _turn(self, *_: Any, **__: Any) -> None:
        """There is work: do one job, the next, if there is one still."""
        if self._stopping[0]:
            raise Reject("this worker stops", requeue=True)
        if self._room is None:
            self._opened = self._open_room()
            self._room = self._opened.__enter__()
        queue, handlers = self._room
        job = queue.claim()
        if job is not None:
            with self._leased(queue, job) as stop:
                perform(queue, handlers, job, stop)

    @contextmanager
    def _leased(self, queue: SharedQueue, job: Job) -> Iterator[threading.Event]:
        """Keeps the job; the event says that it is to stop, since the worker is, or since another has it."""
        stop, over = threading.Event(), threading.Event()

        def keep() -> None:
            ticks = max(1, round(queue.lease / RENEWALS / TICK_SECONDS))
            turn = 0
            while not over.wait(TICK_SECONDS):
                turn += 1
                if self._stopping[0]:
                    stop.set()
                if turn % ticks == 0:
                    try:
                        if not queue.renew(job.id):
                            stop.set()
                    except CrossmediaError as error:
                        log.warning("the lease of job %s is not renewed now: %s", job.id, error.message)

        keeper = threading.Thread(target=keep, name="crossmedia-lease", daemon=True)
        keeper.start()
        try:
            yield stop
        finally:
            over.set()
            keeper.join()

    def _oversee(self) -> None:
        """Tell that this worker is here, and find jobs whose worker died."""
        names = [f"{socket.gethostname()}:{os.getpid()}:{n}" for n in range(self._processes)]
        while True:
            try:
                for name in names:
                    self._overseer.present(name)
                if back := self._overseer.recover():
                    log.warning("%d jobs whose worker died wait again", back)
            except CrossmediaError as error:
                log.warning("%s; trying again", error.message)
            except Exception:
                log.exception("the queue cannot be looked after; trying again")
            if self._over.wait(self._overseer.lease / RENEWALS):
                break
        with suppress(CrossmediaError):
            for name in names:
                self._overseer.leave(name)

    def _stop(self, **_: Any) -> None:
        self._stopping[0] = 1

    def _be_a_program(self, **_: Any) -> None:
        """To `multiprocessing`, Celery's processes are daemons of another kind, which it refuses those that decode."""
        multiprocessing.process._current_process = self._program  # type: ignore[attr-defined]

    def _leave_room(self, **_: Any) -> None:
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
