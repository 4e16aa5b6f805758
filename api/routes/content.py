"""A file's bytes as an answer."""

from __future__ import annotations

import os
from typing import Any

from fastapi.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from crossmedia.api.guards import envelope
from crossmedia.embeddings.errors import CrossmediaError


class BadRange(CrossmediaError):
    """The Range header is none, or points behind the end."""

    code = "bad_range"


class Content(FileResponse):
    """A file that a browser may show but never run; a refused range leaves in the envelope as every other failure."""

    def __init__(self, path: str | os.PathLike[str], **options: Any) -> None:
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
        super().__init__(path, headers=headers, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Message | None = None

        async def enveloped(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refusal = message
            elif refusal is None:
                await send(message)

        await super().__call__(scope, receive, enveloped)
        if refusal is not None:
            bounds = {k.decode(): v.decode() for k, v in refusal["headers"] if k == b"content-range"}
            error = BadRange("this range cannot be given", "ask for bytes=FIRST-LAST inside the file")
            await envelope(error, refusal["status"], bounds)(scope, receive, send)
