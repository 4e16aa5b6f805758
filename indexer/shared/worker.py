"""`crossmedia worker`: processes that claim jobs, keep their leases and do them, and one that looks after them."""

from __future__ import annotations

import logging
import mmap
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing.context import ForkProcess
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.queue import Job, SharedQueue
from crossmedia.indexer.worker import Handler, perform, rest

log = logging.getLogger("crossmedia.worker")
TICK_SECONDS: Final = 0.25
"""How soon a job hears that its worker is to stop."""
WAIT_SECONDS: Final = 1
"""How long a process listens for the bell before it looks for work by itself."""
AGAIN_SECONDS: Final = 1.0
"""Between the end of a process that died and the start of its successor; between tries of a queue that is away."""
RENEWALS: Final = 3
"""How often a lease is renewed before it would run out."""

Workplace = tuple[SharedQueue, Mapping[str, Handler]]
"""A queue, and what does each kind of job."""


class WorkerPool:
    """Processes that do the jobs of a shared queue, started again when they die.

    `open_workplace` makes what a process works with, once in each. The process that looks after them stays without
    threads, since the successors of dead ones are forked from it.
    """

    def __init__(
        self,
        open_workplace: Callable[[], AbstractContextManager[Workplace]],
        queue: SharedQueue,
        processes: int = 1,
    ) -> None:
        self._open_workplace = open_workplace
        self._queue = queue
        self._processes = processes
        self._stopping = mmap.mmap(-1, 1)
        """One byte that the processes share, without a lock that one of them could die with."""

    def run(self) -> int:
        """Until SIGTERM or SIGINT: then jobs at hand are put back. Returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        names = [f"{socket.gethostname()}:{os.getpid()}:{n}" for n in range(self._processes)]
        running = [self._start() for _ in names]
        look_after = 0.0
        while not self._stopping[0]:
            if time.monotonic() >= look_after:
                self._look_after(names)
                look_after = time.monotonic() + self._queue.lease / RENEWALS
            for n, process in enumerate(running):
                if not process.is_alive() and not self._stopping[0]:
                    log.warning("a process ended with %s; another takes its place", process.exitcode)
                    time.sleep(AGAIN_SECONDS)
                    running[n] = self._start()
            time.sleep(TICK_SECONDS)
        for process in running:
            process.join()
        with suppress(CrossmediaError):
            for name in names:
                self._queue.leave(name)
        return 0

    def _stop(self, *_: object) -> None:
        self._stopping[0] = 1

    def _start(self) -> ForkProcess:
        # Not a daemon: it starts decoders. Forked, so that it costs no time before its first job.
        process = multiprocessing.get_context("fork").Process(target=self._work, args=(os.getpid(),), daemon=False)
        process.start()
        return process

    def _look_after(self, names: list[str]) -> None:
        """Tell that this worker is here, and find jobs whose worker died."""
        try:
            for name in names:
                self._queue.present(name)
            if back := self._queue.recover():
                log.warning("%d jobs whose worker died wait again", back)
        except CrossmediaError as error:
            log.warning("%s; trying again", error.message)
        except Exception:
            log.exception("the queue cannot be looked after; trying again")

    def _work(self, parent: int) -> None:
        """One process: job after job, until it is told to stop or nobody looks after it any more."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # whoever started this says so, when all are to stop
        with self._open_workplace() as (queue, handlers):
            # Two threads, as in `indexer.worker.Worker`: short jobs do not wait for long ones.
            beside = threading.Thread(target=self._take, args=(queue, handlers, parent, True), name="crossmedia-short")
            beside.start()
            self._take(queue, handlers, parent, False)
            beside.join()

    def _take(self, queue: SharedQueue, handlers: Mapping[str, Handler], parent: int, short: bool) -> None:
        def over() -> bool:
            return self._over(parent)

        while not over():
            try:
                job = queue.claim(short=short)
                if job is None:
                    queue.wait(WAIT_SECONDS)
                    continue
                with self._lease(queue, job, parent) as stop:
                    pause = perform(queue, handlers, job, stop, over)
                rest(pause, over)
            except CrossmediaError as error:
                log.warning("%s; trying again", error.message)
                time.sleep(AGAIN_SECONDS)
            except Exception:
                # What was being done is found again by `recover`.
                log.exception("a job could not be ended; trying again")
                time.sleep(AGAIN_SECONDS)

    def _over(self, parent: int) -> bool:
        return bool(self._stopping[0]) or os.getppid() != parent

    @contextmanager
    def _lease(self, queue: SharedQueue, job: Job, parent: int) -> Iterator[threading.Event]:
        """Keeps the job; the event says that it is to stop, since the worker is, or since another has it."""
        stop, ended = threading.Event(), threading.Event()

        def keep() -> None:
            ticks = max(1, round(queue.lease / RENEWALS / TICK_SECONDS))
            tick = 0
            while not ended.wait(TICK_SECONDS):
                tick += 1
                if self._over(parent):
                    stop.set()
                if tick % ticks == 0:
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
            ended.set()
            keeper.join()
