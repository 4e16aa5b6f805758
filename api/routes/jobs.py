"""GET /v1/jobs: what is being done, and how far it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.indexer.queue import Job

router = APIRouter(prefix="/v1", tags=["jobs"], responses=ERRORS)
POLL_SECONDS = 0.25


class JobOut(BaseModel):
    """`done` of `total` in the current `step`; `report` when it has ended: counts, failures with code, message and
    hint. The `error` of a job that is queued is what it waits for.

    The list of jobs leaves reports out. A job of many files may be divided into `parts` for several workers: it tells
    of all.
    """

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed"]
    created: float
    updated: float
    step: str
    done: int
    total: int
    report: dict[str, Any] | None
    error: dict[str, str] | None
    parts: int


class JobList(BaseModel):
    jobs: list[JobOut]


def job_json(job: Job) -> dict[str, Any]:
    values = asdict(job)
    return {name: values[name] for name in JobOut.model_fields}


@router.get("/jobs", response_model=JobList)
def jobs(
    shared: Shared,
    state: Literal["queued", "running", "done", "failed"] | None = None,
    limit: int = Query(100, ge=1, le=1000),
) -> dict[str, Any]:
    """The newest first, without their reports."""
    return {"jobs": [job_json(job) for job in shared.service.runtime.jobs.list(state, limit)]}


@router.get("/jobs/{job}", response_model=JobOut)
def one(job: str, shared: Shared) -> dict[str, Any]:
    return job_json(shared.service.runtime.jobs.get(job))


@router.get("/jobs/{job}/events", response_class=StreamingResponse)
async def events(job: str, shared: Shared, request: Request) -> StreamingResponse:
    """Server-sent events: the job whenever it changes, until it has ended."""
    await asyncio.to_thread(shared.service.runtime.jobs.get, job)

    async def stream() -> AsyncIterator[str]:
        before = ""
        while not await request.is_disconnected():
            now = job_json(await asyncio.to_thread(shared.service.runtime.jobs.get, job))
            if (text := json.dumps(now, ensure_ascii=False)) != before:
                before = text
                yield f"event: job\ndata: {text}\n\n"
            if now["state"] in ("done", "failed"):
                return
            await asyncio.sleep(POLL_SECONDS)

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
