"""`worker`: do the jobs of a shared queue."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from crossmedia.api.commands.context import Data, err, service
from crossmedia.api.queues import NoQueue, shared
from crossmedia.api.service import Service
from crossmedia.api.settings import Settings

if TYPE_CHECKING:
    from crossmedia.indexer.shared.worker import Workplace


def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Processes, each with its own models.")] = 1,
    data: Data = None,
) -> None:
    """Process the jobs of a shared queue until stopped.

    CROSSMEDIA_QUEUE names the queue; any number of workers can run, on any number of machines.
    """
    with service(data) as opened:
        queue = shared(opened.runtime.jobs)
        if queue is None:
            raise NoQueue()
        queue.workers()  # tells at once, not after hours, that the queue cannot be reached
        from crossmedia.indexer.shared.worker import WorkerPool

        logging.basicConfig(level="WARNING", format="%(asctime)s %(name)s: %(message)s")
        err.print(f"Taking jobs from {queue.address}; Ctrl-C returns unfinished jobs and exits.", soft_wrap=True)
        code = WorkerPool(lambda: _workplace(opened.runtime.settings, concurrency), queue, concurrency).run()
    raise typer.Exit(code)


@contextmanager
def _workplace(settings: Settings, processes: int) -> Iterator[Workplace]:
    from crossmedia.api.ingest import Ingest

    opened = Service(settings, processes)
    queue = shared(opened.runtime.jobs)
    assert queue is not None
    try:
        yield queue, {"index": Ingest(opened)}
    finally:
        opened.close()
