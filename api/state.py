"""What the routes of one application share."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from crossmedia.api.gate import Gate
from crossmedia.api.guards import InternalError
from crossmedia.api.metrics import Metrics
from crossmedia.api.service import Service
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.worker import Worker

log = logging.getLogger("crossmedia.http")


@dataclass
class State:
    """`ready` is set once the models have run; `broken` says why that failed. `worker` does the jobs of the embedded
    queue.

    Searches by files pass a gate of their own: decoding and listening take seconds, and words must not wait for them.
    """

    service: Service
    gate: Gate
    file_gate: Gate
    worker: Worker | None
    metrics: Metrics
    ready: threading.Event
    broken: CrossmediaError | None = None

    def wake(self) -> None:
        """A job was submitted."""
        if self.worker is not None:
            self.worker.wake()

    def warm(self, then: Callable[[], None] = lambda: None) -> None:
        """Run every network once, so that the first search does not wait for it, and call `then` before it is ready."""
        try:
            self.service.searching.warm()
        except CrossmediaError as error:
            self.broken = error
        except Exception:
            log.exception("the models cannot be run")
            self.broken = InternalError("the models cannot be run", "see the traceback in the log of the service")
        else:
            then()
            self.ready.set()
