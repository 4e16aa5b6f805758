"""Is it up, is it ready, how is it doing."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from crossmedia.api.guards import envelope
from crossmedia.api.queues import describe_queue
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.queue import QueueUnreachable
from crossmedia.retrieval.store import StoreUnusable

router = APIRouter(tags=["health"], responses=ERRORS)


class NotReady(CrossmediaError):
    """The models are still being read."""

    code = "not_ready"
    status = 503
    retry_after = 1


class WorkerStopped(CrossmediaError):
    """The thread that does the jobs has ended."""

    code = "worker_stopped"
    status = 503


class NoWorker(CrossmediaError):
    """The shared queue accepts jobs, and no process does them."""

    code = "no_worker"
    status = 503


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(shared: Shared) -> JSONResponse:
    """The store can be used, every model has run once, and there is somebody to do the jobs.

    A store that works but is not as safe as it should be (`yellow`) is ready, and says why. Where others do the jobs,
    searches do not need them: what is wrong with the queue is a note, and this is ready.
    """
    if shared.broken is not None:
        return envelope(shared.broken, 503)
    if not shared.ready.is_set():
        return envelope(NotReady("the models are being loaded", "try again in a second"))
    if shared.worker is not None and not shared.worker.is_alive():
        return envelope(WorkerStopped("no worker processes jobs", "start the service again"))
    health = shared.service.runtime.store.health()
    if health.state == "red":
        return envelope(StoreUnusable(health.told, health.hint))
    queue = describe_queue(shared.service.runtime.jobs)
    notes: list[CrossmediaError] = []
    if "problem" in queue:
        notes.append(QueueUnreachable("the queue cannot be used; searches can", "crossmedia doctor shows why"))
    elif queue["workers"] == 0:
        notes.append(NoWorker("no worker processes jobs", "crossmedia worker starts one"))
    profile = shared.service.runtime.profile
    return JSONResponse(
        {
            "status": "ready",
            "store": asdict(health),
            "profile": profile.name,
            "spaces": list(profile.spaces),
            "workers": queue.get("workers"),
            "notes": [note.as_dict() for note in notes],
        }
    )


@router.get("/metrics", response_class=Response)
def metrics(shared: Shared) -> Response:
    """Prometheus text format."""
    return Response(shared.metrics.render(), media_type="text/plain; version=0.0.4")
