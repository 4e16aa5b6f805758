"""Questions: what is asked, about what, and the answer with what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.looking import look_at
from crossmedia.api.parts import Parts
from crossmedia.api.runtime import Runtime
from crossmedia.api.schema import FilterSpec, HitOut, Name, hit_values
from crossmedia.api.use_cases.moderation import Moderation
from crossmedia.api.use_cases.searching import Searching
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.encoder import COMMON, Encoder
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Media, Medium, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.text import TEXT, MiniLM
from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.builtin import BuiltIn
from crossmedia.retrieval.answering.chat import Chat, ChatUnavailable, Endpoint
from crossmedia.retrieval.answering.question import Question
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.visual import Looks
from crossmedia.retrieval.documents import Moment
from crossmedia.retrieval.store import NotFound

Tell = Callable[[str, dict[str, Any]], None]
"""Hears of an event (`hits`, `delta`) and what it tells, while an answer comes about."""
MAX_VOICE_SECONDS: Final = 60.0
"""Seconds of a spoken question that are listened to."""


class NotUnderstood(CrossmediaError):
    """A spoken question in which no words were recognised."""

    code = "not_understood"
    status = 422


class AskRequest(BaseModel):
    """A question, about one asset, about what meets conditions, or about everything. It may be spoken instead."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"question": "how many dogs are there?", "asset": None},
                {"question": "what is said about the lighthouse?", "filters": {"path": "recordings/"}},
            ]
        },
    )

    question: Annotated[str, Field(max_length=2_000)] = ""
    asset: Name | None = None
    media: list[Medium] = Field([], max_length=10)
    filters: FilterSpec = FilterSpec()

    @classmethod
    def of(cls, values: object) -> AskRequest:
        """From a JSON text or from plain values; raises InvalidRequest."""
        try:
            return cls.model_validate_json(values) if isinstance(values, str | bytes) else cls.model_validate(values)
        except ValidationError as error:
            raise InvalidRequest.of(error) from error


class CitedHit(HitOut):
    """A hit that an answer rests on; answers call it by its number: [1]."""

    number: int


class AskAnswer(BaseModel):
    """`answered` is false where nothing tells: then `citations` are the nearest there is. `confidence`: how likely it
    is right."""

    answer: str
    answered: bool
    confidence: float
    kind: str
    model: str
    question: str
    citations: list[CitedHit]
    notes: list[str]


class Asking:
    """Answers questions about what is indexed, and about pictures that come along."""

    def __init__(self, runtime: Runtime, searching: Searching, moderation: Moderation) -> None:
        self._runtime = runtime
        self._searching = searching
        self._moderation = moderation
        self._parts = Parts()

    @property
    def builtin(self) -> BuiltIn:
        """Knows everything but large models. It encodes as the collection was encoded, by whatever heads it has now."""
        profile = self._runtime.profile
        return self._parts.get("builtin", lambda: self._build(profile), profile.spaces[COMMON].revision)

    def _build(self, profile: Profile) -> BuiltIn:
        own: Encoder[str] = profile.text
        if TEXT not in own.spaces:
            own = MiniLM(BUNDLED, self._runtime.settings.threads)
        return BuiltIn(profile, own, self._parts.get("eyes", self._eyes))

    def _eyes(self) -> Looks:
        """What looks at pictures: the network that a setting names, or the one in the box. Raises ModelMissing."""
        given = self._runtime.settings
        if given.vqa_model:
            from crossmedia.embeddings.vqa import TransformersVqa

            return TransformersVqa(given.vqa_model, given.device, given.precision, allow_hub=given.allow_hub)
        from crossmedia.embeddings.visual_answers import VisualAnswers

        return VisualAnswers(self._runtime.catalog.resolve("visual-answers"), given.threads)

    @cached_property
    def chat(self) -> Chat | None:
        """The language model, where an endpoint is set."""
        given = self._runtime.settings
        if not given.chat_url:
            return None
        key = given.chat_key.get_secret_value()
        return Chat(Endpoint(given.chat_url, given.chat_model, key, given.chat_timeout, given.chat_pictures))

    def ask(
        self,
        request: AskRequest,
        image: Path | None = None,
        voice: Path | None = None,
        tell: Tell = lambda event, data: None,
    ) -> AskAnswer:
        """`image`: a picture that the question is about, `voice`: the question spoken; neither is kept.

        Raises InvalidRequest, NotUnderstood, NotFound, Ambiguous, Blocked, and what decoding raises.
        """
        text = request.question.strip() or (self.transcribe(voice) if voice is not None else "")
        if not text:
            raise InvalidRequest("no question", 'send {"question": …}, or a recording of one')
        scope = self.scope(request, image)
        notes: tuple[str, ...] = ()
        if self.chat is not None:
            question = self.builtin.parse(text)[0]
            try:
                computed = None if scope.single else self.builtin.reply(text, scope)[1]
                spoken = self.chat.reply(question, scope, lambda part: tell("delta", {"text": part}), computed)
                if spoken is not None:
                    return ask_answer(question, spoken)
            except ChatUnavailable as error:
                notes = (f"{error.message}; the built-in answerer replied instead",)
        question, reply = self.builtin.reply(text, scope)
        answer = ask_answer(question, replace(reply, notes=(*notes, *reply.notes)))
        tell("hits", {"citations": [hit.model_dump(mode="json") for hit in answer.citations]})
        tell("delta", {"text": answer.answer})
        return answer

    def transcribe(self, voice: Path) -> str:
        """The words of a spoken question."""
        transcriber = self._runtime.profile.transcriber
        if transcriber is None:
            raise NotUnderstood("no speech recogniser is installed", 'pip install "crossmedia[offline]"')
        content = self._runtime.example_pool.submit(voice, sound_only=True).result().content
        sound = content if isinstance(content, Waveform) else getattr(content, "waveform", None)
        if sound is None:
            raise InvalidRequest("the spoken question is not a recording", "send a recording, a WAV for instance")
        said = " ".join(
            one.text for one in transcriber.transcribe(sound.cut(0, min(MAX_VOICE_SECONDS, sound.seconds)))
        ).strip()
        if not said:
            raise NotUnderstood("no words were recognised", "speak a little louder, or type the question")
        return said

    def scope(self, request: AskRequest, image: Path | None = None) -> Scope:
        """What a request asks about; what is blocked is no part of it."""
        asset = None
        if request.asset is not None:
            asset = self._runtime.store.asset(self._moderation.resolve_served(request.asset))
            if asset is None:
                raise NotFound(f"no asset {request.asset}", "it was removed just now")
        shown: Media | None = None
        seen: tuple[Moment, ...] = ()
        if image is not None:
            if asset is not None:
                raise InvalidRequest("a picture and an asset", "ask about one of the two")
            shown, seen = look_at(self._runtime, image)
        filters = self._moderation.unblocked(request.filters.filters(request.media))
        return Scope(self._runtime.engine, self._searching.search, filters, asset, shown, seen)


def ask_answer(question: Question, reply: Reply) -> AskAnswer:
    """An answer as it leaves the service."""
    return AskAnswer(
        answer=reply.answer,
        answered=reply.answered,
        confidence=round(reply.confidence, 4),
        kind=question.kind,
        model=reply.model,
        question=question.text,
        citations=[CitedHit(number=n, **hit_values(hit)) for n, hit in enumerate(reply.citations, start=1)],
        notes=list(reply.notes),
    )
