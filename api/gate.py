"""The bounded way to the encoders: so many searches at once, the rest is told to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from crossmedia.embeddings.errors import CrossmediaError

ResultT = TypeVar("ResultT")


class TooBusy(CrossmediaError):
    """Every place in the queue is taken."""

    code = "too_busy"
    status = 429
    retry_after = 1


class Gate:
    """Runs blocking calls on a few threads; at most `limit` run or wait, one more raises TooBusy at once."""

    def __init__(self, threads: int, limit: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="crossmedia-search")
        self._limit = limit
        self._inside = 0

    @property
    def inside(self) -> int:
        return self._inside

    async def run(self, call: Callable[[], ResultT]) -> ResultT:
        if self._inside >= self._limit:
            raise TooBusy(f"{self._limit} requests are being answered", f"try again in {TooBusy.retry_after} s")
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._inside -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
