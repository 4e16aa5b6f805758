"""The HTTP service: a thin face over the service object."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from crossmedia.api.gate import Gate
from crossmedia.api.guards import BodyLimit, KeyCheck, SameOrigin, install_handlers
from crossmedia.api.hosts import HostCheck
from crossmedia.api.ingest import Ingest
from crossmedia.api.keys.audit import Audit
from crossmedia.api.keys.keyring import Keyring
from crossmedia.api.metrics import Metrics, Timed
from crossmedia.api.queues import shared
from crossmedia.api.routes import (
    ask,
    assets,
    banks,
    health,
    jobs,
    labels,
    page,
    people,
    plates,
    review,
    search,
    speak,
    summaries,
    trust,
    voices,
)
from crossmedia.api.runtime import EXAMPLES
from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.api.state import State
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.worker import Worker

log = logging.getLogger("crossmedia.api")


def _settle(service: Service) -> None:
    """What a crash kept from being judged is judged before anything is served; where the store is away, by the next
    pass."""
    try:
        service.moderation.settle()
    except CrossmediaError as error:
        log.warning("files left by a crash are not judged yet: %s", error)


def create_app(settings: Settings, bound: str = "127.0.0.1", warmed: Callable[[], None] = lambda: None) -> FastAPI:
    """An application over one data directory; one process of it is meant to run, or any number with a shared queue.

    `bound`: the address or name it will listen on, by which requests may call it. `warmed` is called once the models
    have run.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = Service(settings)
        ingest = Ingest(service)
        await anyio.to_thread.run_sync(service.keeping.settle)
        await anyio.to_thread.run_sync(_settle, service)
        gate, file_gate = Gate(settings.threads, settings.max_searches), Gate(EXAMPLES, settings.max_searches)
        worker = None if shared(service.runtime.jobs) else Worker(service.runtime.jobs, {"index": ingest})
        state = State(service, gate, file_gate, worker, metrics, threading.Event())
        app.state.crossmedia = state
        metrics.observe(service, gate, file_gate)
        warming = threading.Thread(target=state.warm, args=[warmed], name="crossmedia-warm", daemon=True)
        warming.start()
        if worker is not None:
            worker.start()
        try:
            yield
        finally:
            if worker is not None:
                await anyio.to_thread.run_sync(worker.stop)
            warming.join()
            gate.close()
            file_gate.close()
            service.close()
            app.state.keyring.close()

    # The description page comes from here, not from a foreign host.
    app = FastAPIOffline(
        redoc_url=None,
        title="Crossmedia",
        version="1",
        summary="Search photos, recordings, videos and documents; get the moment that answers, and why.",
        lifespan=lifespan,
    )
    app.add_middleware(BodyLimit, limit=settings.max_upload_bytes)
    app.state.keyring = Keyring.of(settings)
    app.add_middleware(KeyCheck, keyring=app.state.keyring, audit=Audit.of(settings))
    app.add_middleware(HostCheck, bound=bound, names=settings.hosts)
    app.add_middleware(SameOrigin)
    app.add_middleware(Timed, metrics=metrics)
    install_handlers(app)
    for router in (
        search.router,
        ask.router,
        summaries.router,
        speak.router,
        page.router,
        assets.router,
        labels.router,
        voices.router,
        people.router,
        banks.router,
        review.router,
        trust.router,
        plates.router,
        jobs.router,
        health.router,
    ):
        app.include_router(router)
    page.mount(app)
    return app
