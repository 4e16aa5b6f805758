"""Decoding in processes that can be killed: a file that hangs or crashes its decoder costs that file and no other."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeAlias, TypeVar, cast

from pebble import ProcessExpired, ProcessPool

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.decode.context import context
from crossmedia.indexer.decode.errors import DecodeCrashed, DecodeError, DecodeTimeout, TooLarge
from crossmedia.indexer.decode.job import PACE, Read, prepare, read_all
from crossmedia.indexer.decode.memory import BESIDE, share
from crossmedia.indexer.decode.reader import DEFAULT_LIMITS, decode
from crossmedia.indexer.decode.types import Decoded, Limits

_TASKS: Final = 2_000
"""A worker is replaced after so many, so that what a native library leaks stays small."""

LOOK_SECONDS: Final = 0.25
"""How soon whoever waits for a file hears that it is to stop."""

DecodeOutcome: TypeAlias = Decoded | CrossmediaError
T = TypeVar("T")


def arrived(future: Future[Any], stop: threading.Event | None) -> bool:
    """Waits until the future has ended, True, or until it is said to stop."""
    while not (stop is not None and stop.is_set()):
        if wait([future], None if stop is None else LOOK_SECONDS).done:
            return True
    return future.done()


class DecodePool:
    """`workers` processes that decode files. Starts with the first file; a context manager.

    A file is given `limits.wall_seconds` and half a second for each second of media decoded, then its worker is killed
    (`DecodeTimeout`). `read` is what decodes one file, importable by name; `memory`: bytes that each process may hold,
    else its share of the machine's.
    """

    def __init__(
        self, workers: int = 2, limits: Limits = DEFAULT_LIMITS, read: Read = decode, memory: int | None = None
    ) -> None:
        self._limits = limits
        memory = share(workers + BESIDE) if memory is None else memory
        self._read = read
        # What a worker that is killed leaves behind goes with the pool.
        self._scratch = tempfile.TemporaryDirectory(prefix="crossmedia-")
        self._make = partial(ProcessPool, workers, _TASKS, prepare, (memory, self._scratch.name), context())
        self._pool = self._make()
        self._lock = threading.Lock()
        self._open: set[Future[Any]] = set()

    def submit(self, path: Path, *, sound_only: bool = False, sample_rate: float = 0.0) -> Future[Decoded]:
        """One file's content, or of a video only how it sounds; its exception is a `CrossmediaError`.

        `sample_rate`: frames a second that are handed out as well, see `Limits`."""
        outer: Future[Decoded] = Future()

        def done(results: list[DecodeOutcome]) -> None:
            (result,) = results
            if isinstance(result, CrossmediaError):
                outer.set_exception(result)
            else:
                outer.set_result(result)

        self._accept([path], outer, done, replace(self._limits, sound_only=sound_only, sample_rate=sample_rate))
        return outer

    def submit_many(self, paths: Sequence[Path]) -> Future[list[DecodeOutcome]]:
        """Several small files in one trip, in order, each with its own outcome.

        If the worker dies on the way, each file is tried again alone: only the one that killed it fails.
        """
        outer: Future[list[DecodeOutcome]] = Future()
        self._accept(list(paths), outer, outer.set_result, self._limits)
        return outer

    def close(self) -> None:
        """Lets what was submitted finish, then ends the workers."""
        wait(tuple(self._open))
        self._pool.close()
        self._pool.join()
        self._scratch.cleanup()

    def stop(self) -> None:
        """Ends the workers now; what was submitted is cancelled."""
        for future in tuple(self._open):
            future.cancel()
        self._pool.stop()
        self._pool.join()
        self._scratch.cleanup()

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.stop()

    def _accept(
        self, paths: list[Path], outer: Future[T], done: Callable[[list[DecodeOutcome]], None], limits: Limits
    ) -> None:
        self._open.add(outer)
        outer.add_done_callback(self._open.discard)
        self._start(paths, outer, done, limits)

    def _start(
        self,
        paths: list[Path],
        outer: Future[T],
        done: Callable[[list[DecodeOutcome]], None],
        limits: Limits,
        retries: int = 1,
    ) -> None:
        """Schedules a chunk; `done` gets its outcomes unless `outer` was cancelled meanwhile."""
        task = self._schedule(paths, limits)

        def finished(future: Future[list[DecodeOutcome]]) -> None:
            if outer.cancelled():
                return
            try:
                results = future.result()
            except CancelledError:
                outer.cancel()
                return
            except BrokenProcessPool as error:
                # A worker died while it had no file (killed from outside): nobody's fault, so once more.
                if retries:
                    self._start(paths, outer, done, limits, retries - 1)
                    return
                results = [_failure(path, error, self._limits) for path in paths]
            except Exception as error:
                if len(paths) > 1:
                    self._one_by_one(paths, outer, done, limits)
                    return
                results = [_failure(paths[0], error, self._limits)]
            if outer.set_running_or_notify_cancel():
                done(results)

        task.add_done_callback(finished)
        outer.add_done_callback(lambda future: task.cancel() if future.cancelled() else None)

    def _schedule(self, paths: list[Path], limits: Limits) -> Future[list[DecodeOutcome]]:
        # The workers' own alarm is the real limit; this one is for a worker that is stopped, or never comes up.
        backstop = len(paths) * (self._limits.wall_seconds + PACE * self._limits.seconds) + 30.0
        with self._lock:
            try:
                task = self._pool.schedule(read_all, (self._read, paths, limits), timeout=backstop)
            except RuntimeError:
                broken, self._pool = self._pool, self._make()
                # Called from one of the broken pool's own threads, which cannot wait for itself.
                threading.Thread(target=_bury, args=(broken,), daemon=True).start()
                task = self._pool.schedule(read_all, (self._read, paths, limits), timeout=backstop)
        return cast("Future[list[DecodeOutcome]]", task)

    def _one_by_one(
        self, paths: list[Path], outer: Future[T], done: Callable[[list[DecodeOutcome]], None], limits: Limits
    ) -> None:
        outcomes: list[DecodeOutcome] = []

        def following(results: list[DecodeOutcome]) -> None:
            outcomes.extend(results)
            advance()

        def advance() -> None:
            if outer.cancelled():
                return
            if len(outcomes) < len(paths):
                step: Future[None] = Future()
                self._start([paths[len(outcomes)]], step, following, limits)
            elif outer.set_running_or_notify_cancel():
                done(outcomes)

        advance()


def _bury(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()


def _failure(path: Path, error: Exception, limits: Limits) -> DecodeError:
    if isinstance(error, TimeoutError) or (isinstance(error, ProcessExpired) and error.exitcode == -signal.SIGALRM):
        return DecodeTimeout(
            f"decoding {path.name} took longer than {limits.wall_seconds:.0f} s and half its length",
            "convert it to a simpler format, or raise the limit on wall_seconds",
        )
    hint = "the file is probably damaged: copy it again, or convert it"
    if isinstance(error, ProcessExpired) and error.exitcode == -signal.SIGABRT:
        # How libraries in C and C++ end that get no memory.
        return TooLarge(f"{path.name} needs more memory than a decoder may have, or is damaged", "convert or split it")
    if isinstance(error, ProcessExpired):
        return DecodeCrashed(f"the decoder died of {path.name} (exit code {error.exitcode})", hint)
    return DecodeCrashed(f"the decoder failed on {path.name}: {type(error).__name__}: {error}", hint)
