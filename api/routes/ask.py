"""POST /v1/ask: a question → an answer that cites what it rests on, whole or as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.datastructures import FormData, UploadFile

from crossmedia.api.forms import parse_form
from crossmedia.api.guards import InternalError, error_body, log
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.routes.files import is_multipart
from crossmedia.api.schema import whole_schema
from crossmedia.api.state import State
from crossmedia.api.uploads import plain_name
from crossmedia.api.use_cases.asking import AskAnswer, AskRequest
from crossmedia.embeddings.errors import CrossmediaError

router = APIRouter(prefix="/v1", tags=["ask"], responses=ERRORS)
EVENTS: Final = "text/event-stream"
_FILE: Final = {"type": "string", "format": "binary"}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": whole_schema(AskRequest)},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "query": {"type": "string", "description": "The JSON object, as text."},
                        "image": {**_FILE, "description": "A picture that the question is about."},
                        "voice": {**_FILE, "description": "The question, spoken."},
                    },
                }
            },
        },
    },
    "responses": {"200": {"content": {EVENTS: {"schema": {"type": "string"}}}}},
}
Tell = Callable[[str, dict[str, Any]], None]


@router.post("/ask", response_model=AskAnswer, openapi_extra=_BODY)
async def ask(request: Request, shared: Shared) -> AskAnswer | StreamingResponse:
    """What is indexed, or one asset, or a picture that comes along, answers a question, with citations.

    With `Accept: text/event-stream` the events `hits` (`{"citations": […]}`), `delta` (`{"text": …}`), `answer` (the
    whole object) and `error` (the envelope) come as they come about.
    """
    if is_multipart(request):
        form = await parse_form(request, max_files=2, max_fields=4)
    else:
        form = FormData([("query", (await request.body()).decode("utf-8", "replace"))])
    streamed = EVENTS in request.headers.get("accept", "")
    try:
        query = form.get("query") or "{}"
        if not isinstance(query, str):
            raise InvalidRequest("query: must be JSON text, not a file", "send files as parts named image and voice")
        wanted = AskRequest.of(query)
        gate = shared.file_gate if any(isinstance(part, UploadFile) for part in form.values()) else shared.gate
        if not streamed:
            return await gate.run(lambda: _answer(shared, wanted, form, lambda event, data: None))
        events: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(event: str, data: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(events.put_nowait, (event, data))

        running = asyncio.create_task(gate.run(lambda: _answer(shared, wanted, form, tell)))
    except BaseException:
        await form.close()
        raise
    return StreamingResponse(_events(running, events, form), media_type=EVENTS, headers={"Cache-Control": "no-store"})


async def _events(
    running: asyncio.Task[AskAnswer], events: asyncio.Queue[tuple[str, dict[str, Any]] | None], form: FormData
) -> AsyncIterator[str]:
    running.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (one := await events.get()) is not None:
            yield _event(*one)
        try:
            yield _event("answer", running.result().model_dump(mode="json"))
        except CrossmediaError as error:
            yield _event("error", error_body(error))
        except Exception:
            log.exception("an answer failed")
            failed = InternalError("the service failed on this request", "see the traceback in its log")
            yield _event("error", error_body(failed))
    finally:
        await form.close()


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _answer(shared: State, wanted: AskRequest, form: FormData, tell: Tell) -> AskAnswer:
    with ExitStack() as stack:
        image, voice = (_temporary(shared, form.get(name), stack) for name in ("image", "voice"))
        return shared.service.asking.ask(wanted, image, voice, tell)


def _temporary(shared: State, part: UploadFile | str | None, stack: ExitStack) -> Path | None:
    """Where a file that came along lies until the answer is given."""
    if not isinstance(part, UploadFile):
        return None
    path, _ = stack.enter_context(shared.service.runtime.uploads.temporary(plain_name(part.filename), part.file))
    return path
