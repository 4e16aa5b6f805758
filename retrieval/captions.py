"""Write transcripts for people and players: SubRip, WebVTT, plain text, JSON."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.embeddings.profile import Word
from crossmedia.retrieval.analysis import needs_blank
from crossmedia.retrieval.documents import Moment

TranscriptFormat: TypeAlias = Literal["srt", "vtt", "json", "text"]
MEDIA_TYPES: Final[dict[TranscriptFormat, str]] = {
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "json": "application/json",
    "text": "text/plain",
}

LINE: Final = 42
"""Characters of a line, and `LINES` of them in a cue: what the BBC's and Netflix's guidelines give a reader."""
WIDE: Final = LINE / 16
"""What a Chinese, Japanese or Korean character takes of it: Netflix's guidelines give sixteen of them."""
LINES: Final = 2
SECONDS: Final = 7.0
"""The longest time that a cue stays, s."""


class NoTranscript(CrossmediaError):
    """Nobody is heard to speak in an asset, or nobody has listened yet."""

    code = "no_transcript"
    status = 404


@dataclass(frozen=True)
class Cue:
    """What is shown from `start` to `end` (s): at most `LINES` lines, and who says it, where that is known."""

    start: float
    end: float
    text: str
    speaker: str | None = None


def sentences(moments: Sequence[Moment]) -> list[Moment]:
    """The sentences among an asset's moments, in time. Raises `NoTranscript` where there are none."""
    spoken = sorted((moment for moment in moments if moment.kind == "speech"), key=lambda moment: moment.start or 0.0)
    if not spoken:
        raise NoTranscript(
            "no speech is known in this file", "the passes that are pending may find some", Remedy.ENRICH
        )
    return spoken


def render(moments: Sequence[Moment], form: TranscriptFormat) -> str | dict[str, Any]:
    """The transcript of an asset with these moments; JSON as an object."""
    spoken = sentences(moments)
    if form == "json":
        return {"sentences": [_sentence(moment) for moment in spoken]}
    if form == "text":
        return "".join(f"{moment.fields['transcript']}\n" for moment in spoken)
    cues = [cue for moment in spoken for cue in cues_of(moment)]
    return _srt(cues) if form == "srt" else _vtt(cues)


def speaker_of(moment: Moment) -> str | None:
    """The speaker of a sentence, or None."""
    return next((label.value for label in moment.labels if label.kind == "speaker"), None)


def cues_of(sentence: Moment) -> Iterator[Cue]:
    """Cut a sentence into cues that can be read in the time they are shown."""
    who = speaker_of(sentence)
    words = sentence.words or (Word(sentence.fields["transcript"], sentence.start or 0.0, sentence.end or 0.0),)
    held: list[Word] = []
    for word in words:
        if held and (not _fits([*held, word]) or word.end - held[0].start > SECONDS):
            yield _cue(held, who)
            held = []
        held.append(word)
    yield _cue(held, who)


def _cue(words: Sequence[Word], who: str | None) -> Cue:
    return Cue(words[0].start, words[-1].end, "\n".join(_lines(words)), who)


def _fits(words: Sequence[Word]) -> bool:
    return len(_lines(words)) <= LINES


def _lines(words: Sequence[Word]) -> list[str]:
    lines = [""]
    for text in (" ".join(word.text.split()) for word in words):
        blank = " " if needs_blank(lines[-1], text) else ""
        longer = f"{lines[-1]}{blank}{text}".strip()
        if _width(longer) <= LINE or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(text)
    return lines


def _width(text: str) -> float:
    if text.isascii():
        return len(text)
    return sum(WIDE if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _sentence(moment: Moment) -> dict[str, Any]:
    return {
        "moment": moment.id,
        "start": moment.start,
        "end": moment.end,
        "text": moment.fields["transcript"],
        "speaker": speaker_of(moment),
        "language": next((label.value for label in moment.labels if label.kind == "language"), None),
        "words": [{"text": word.text, "start": word.start, "end": word.end} for word in moment.words],
    }


def _srt(cues: Sequence[Cue]) -> str:
    return "\n".join(
        f"{number}\n{_clock(cue.start, ',')} --> "
        f"{_clock(cue.end, ',')}\n{cue.speaker + ': ' if cue.speaker else ''}{cue.text}\n"
        for number, cue in enumerate(cues, start=1)
    )


def _vtt(cues: Sequence[Cue]) -> str:
    """WebVTT, with text escaped so that nothing in it is markup."""
    shown = []
    for cue in cues:
        text = html.escape(cue.text, quote=False)
        # An annotation ends at a line's end or at ">", so a name may hold neither.
        who = f"<v {html.escape(' '.join(cue.speaker.split()), quote=False)}>" if cue.speaker else ""
        shown.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{who}{text}\n")
    return "\n".join(["WEBVTT\n", *shown])


def _clock(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{point}{whole % 1000:03}"
