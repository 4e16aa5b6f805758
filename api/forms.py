"""Multipart requests, with names of files as some programs send them: `filename*=UTF-8''na%C3%AFve.png` alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message
from email.utils import collapse_rfc2231_value

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser


class Parser(MultiPartParser):
    """Starlette's takes a part that has only the extended name of a file (RFC 5987) for a field; this one does not."""

    def on_headers_finished(self) -> None:
        part = self._current_part
        name = extended_name(part.content_disposition or b"")
        if name is not None:
            part.content_disposition = (part.content_disposition or b"") + b'; filename="extended"'
        super().on_headers_finished()
        if name is not None and part.file is not None:
            part.file.filename = name


def extended_name(disposition: bytes) -> str | None:
    """The name of a file in a Content-Disposition that has it as `filename*` only.

    >>> extended_name(b"form-data; name=file; filename*=UTF-8''na%C3%AFve.png")
    'naïve.png'
    >>> extended_name(b"form-data; name=file; filename=a.png; filename*=UTF-8''b.png")
    """
    message = Message()
    message["Content-Disposition"] = disposition.decode("latin-1")
    name = message.get_param("filename", header="Content-Disposition")
    return collapse_rfc2231_value(name) if isinstance(name, tuple) else None


async def parse_form(request: Request, *, max_files: int, max_fields: int) -> FormData:
    """The parts of a multipart request; whoever asks closes them. Raises HTTPException for what is none."""
    try:
        return await Parser(request.headers, request.stream(), max_files=max_files, max_fields=max_fields).parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error


@asynccontextmanager
async def opened_form(request: Request, *, max_files: int, max_fields: int) -> AsyncIterator[FormData]:
    """As `parse_form`; its files are gone afterwards."""
    form = await parse_form(request, max_files=max_files, max_fields=max_fields)
    try:
        yield form
    finally:
        await form.close()
