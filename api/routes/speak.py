"""POST /v1/speak: text → a WAV of it spoken."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.use_cases.speaking import MAX_SPOKEN_CHARACTERS

router = APIRouter(prefix="/v1", tags=["ask"], responses=ERRORS)


class SpeakRequest(BaseModel):
    """What is to be said."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": "Two dogs."}]})

    text: Annotated[str, Field(min_length=1, max_length=MAX_SPOKEN_CHARACTERS)]


@router.post("/speak", response_class=Response, responses={200: {"content": {"audio/wav": {}}}})
async def speak(wanted: SpeakRequest, shared: Shared) -> Response:
    """A text spoken, by Piper where a voice of it is installed, else by eSpeak NG; 501 where neither is."""
    wav = await shared.file_gate.run(lambda: shared.service.speaking.speak(wanted.text))
    return Response(wav, media_type="audio/wav")
