"""`worker`: do the jobs of a shared queue."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.context import Data, err, fail
from api.queues import open_shared, shared
from api.settings import Settings, read_settings
from embeddings.errors import CrossmediaError

if TYPE_CHECKING:
    from indexer.shared.worker import Room


def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Processes, each with its own models.")] = 1,
    data: Data = None,
) -> None:
    """Do the jobs of the shared queue (CROSSMEDIA_QUEUE) until stopped; any number on any number of machines."""
    try:
        settings = read_settings(**({} if data is None else {"data": data}))
        queue = open_shared(settings)
        queue.workers()  # tells at once, not after hours, that the queue cannot be reached
    except CrossmediaError as error:
        fail(error)
    from indexer.shared.worker import Work

    logging.basicConfig(level="WARNING", format="%(asctime)s %(name)s: %(message)s")
    err.print(f"Taking jobs from {queue.address}; Ctrl-C puts back what is at hand and ends.")
    code = Work(settings.queue.get_secret_value(), lambda: _room(settings), queue, concurrency).run()
    queue.close()
    raise typer.Exit(code)


@contextmanager
def _room(settings: Settings) -> Iterator[Room]:
    from api.ingest import Ingest
    from api.service import Service

    service = Service(settings)
    queue = shared(service.jobs)
    assert queue is not None
    try:
        yield queue, {"index": Ingest(service)}
    finally:
        service.close()
