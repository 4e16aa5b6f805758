"""Parse questions: the kind of answer wanted, the topic, the media, the stretch of time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crossmedia.embeddings.media import Medium
from crossmedia.embeddings.stop_words import QUESTION_WORDS
from crossmedia.retrieval import analysis
from crossmedia.retrieval.answering.kinds import QuestionKind
from crossmedia.retrieval.wording import stem, words_of

_WORDS_OF_MEDIA: Final[Mapping[Medium, str]] = {
    "image": "photo photos photograph photographs picture pictures image images snapshot",
    "audio": "recording recordings sound sounds audio tape",
    "video": "film films video videos movie clip clips",
    "text": "document documents text texts note notes leaflet pdf",
}
MEDIA_WORDS: Final = {word: medium for medium, words in _WORDS_OF_MEDIA.items() for word in words.split()}
"""What people call media."""
HALVES: Final[tuple[tuple[str, tuple[float, float]], ...]] = (
    (r"first half", (0.0, 0.5)),
    (r"second half|last half", (0.5, 1.0)),
    (r"first third", (0.0, 1 / 3)),
    (r"last third", (2 / 3, 1.0)),
    (r"at the (?:very )?(?:beginning|start)", (0.0, 0.25)),
    (r"at the (?:very )?end", (0.75, 1.0)),
)
"""Shares of an asset's length."""
_CLOCK: Final = r"(\d{1,2}:\d{2}(?::\d{2})?|\d+(?:\.\d+)?)"
_WRITTEN_UNIT: Final = r"\s*(s|sec|seconds?|minutes?|min)?\b"
_SUBJECTS: Final[Mapping[QuestionKind, tuple[str, ...]]] = {
    "how many": (
        r"(?:number of|count(?: of)?(?: the| all)?|how many)\s+(?P<topic>.+?)(?:\s+(?:are|is|were|was|do|does|did|can|"
        r"could|have|has|appear|show|shown|stand|lie|sit|be)\b.*)?$",
    ),
    "what colour": (
        r"colou?rs?\s+(?:is|are|was|were|does|do|has|have|of)\s+(?P<topic>.+?)(?:\s+(?:have|has))?$",
        r"colou?rs?\s+(?P<topic>.+?)\s+(?:is|are|does|do)\s+(?P<rest>.+)$",
    ),
    "what was said": (r"(?:about|regarding|on the topic of)\s+(?P<topic>.+)$",),
    "when": (r"(?:mention|mentions|mentioned|talks? about|speaks? of|says?|said)\s+(?P<topic>.+)$",),
}


@dataclass(frozen=True)
class Question:
    """`text` as it was asked; `kind` and how sure that is in [0, 1]; `topic`: what it is about, without the words that
    ask; `medium`: which media it names; `share`: which part of an asset's length, as shares of it; `span`: which
    seconds.
    """

    text: str
    kind: QuestionKind
    sureness: float
    topic: str
    medium: Medium | None = None
    share: tuple[float, float] | None = None
    span: tuple[float | None, float | None] | None = None

    @property
    def words(self) -> list[str]:
        """Lower case."""
        return [word.lower() for word in words_of(self.text)]

    def within(self, seconds: float | None) -> tuple[float | None, float | None] | None:
        """The stretch that it asks about, of an asset so long."""
        if self.span is not None:
            return self.span
        if self.share is None or seconds is None:
            return None
        return self.share[0] * seconds, self.share[1] * seconds


def parse_question(text: str, kind: QuestionKind, sureness: float) -> Question:
    """Parse a question of a known kind."""
    plain = " ".join(text.split()).rstrip(" ?!.").lower()
    bare = plain
    for pattern, _ in HALVES:
        bare = re.sub(rf"\s*(?:in|during)?\s*(?:the )?(?:{pattern})(?: of)?", "", bare)
    medium = next((MEDIA_WORDS[word] for word in words_of(plain) if word in MEDIA_WORDS), None)
    share = next((part for pattern, part in HALVES if re.search(pattern, plain)), None)
    return Question(" ".join(text.split()), kind, sureness, topic_of(bare, kind), medium, share, span_of(plain))


def understand(text: str, shares: list[tuple[str, float]]) -> Question:
    """A question parsed by its likeliest kind (`QuestionKinds.classify`), or by its first words where they leave no
    doubt."""
    kind, sureness = shares[0]
    sure = _plain_kind(" ".join(text.split()).lower())
    return parse_question(text, sure, 1.0) if sure else parse_question(text, kind, sureness)  # type: ignore[arg-type]


def topic_of(plain: str, kind: QuestionKind) -> str:
    """What a question is about: the part that its kind asks of, else the words that do not ask.

    >>> topic_of("how many brown dogs are in the picture", "how many")
    'brown dogs'
    >>> topic_of("is there a cat on the table", "yes/no")
    'a cat on the table'
    """
    for pattern in _SUBJECTS.get(kind, ()):
        match = re.search(pattern, plain)
        if match and _content(match["topic"]):
            return _trim(match["topic"])
    words = plain.split()
    first = next((n for n, word in enumerate(words) if _content(word)), len(words))
    if first and words[first - 1] in ("a", "an", "the", "two", "three"):
        first -= 1
    return _trim(" ".join(words[first:]))


def span_of(plain: str) -> tuple[float | None, float | None] | None:
    """The seconds that a question names.

    >>> span_of("who speaks after 1:30"), span_of("what is said in the first 10 seconds")
    ((90.0, None), (0.0, 10.0))
    """
    if found := re.search(rf"between {_CLOCK}{_WRITTEN_UNIT} and {_CLOCK}{_WRITTEN_UNIT}", plain):
        return _seconds(found[1], found[2] or found[4]), _seconds(found[3], found[4])
    if found := re.search(rf"first {_CLOCK}{_WRITTEN_UNIT}", plain):
        return 0.0, _seconds(found[1], found[2])
    if found := re.search(rf"\bafter {_CLOCK}{_WRITTEN_UNIT}", plain):
        return _seconds(found[1], found[2]), None
    if found := re.search(rf"\bbefore {_CLOCK}{_WRITTEN_UNIT}", plain):
        return 0.0, _seconds(found[1], found[2])
    if found := re.search(rf"\bat {_CLOCK}{_WRITTEN_UNIT}$", plain):
        second = _seconds(found[1], found[2])
        return second, second + 1.0
    if re.search(r"\bfirst minute", plain):
        return 0.0, 60.0
    return None


def content(text: str) -> list[str]:
    """The words of a question that say what it is about, lower case."""
    return [word for word in words_of(text.lower()) if word not in QUESTION_WORDS and word not in MEDIA_WORDS]


def content_terms(text: str) -> list[tuple[str, ...]]:
    """The same words as the terms that a text holds of each: one, or the pairs of a run without blanks."""
    words = [word for word in analysis.words(text.lower()) if len(word) > 1 or content(word[0])]
    return [tuple(map(stem, word)) for word in words]


def _content(text: str) -> bool:
    return bool(content(text))


def _trim(topic: str) -> str:
    """The topic without the words that say where to look."""
    ends = "|".join(sorted(MEDIA_WORDS, key=len, reverse=True))
    trimmed = re.sub(
        rf"\s+(?:in|on|of|from|at|within)\s+(?:this|the|these|that|my|our|any|all)?\s*(?:{ends})$", "", topic
    )
    trimmed = re.sub(r"\s+(?:in it|here|there|shown|visible|mentioned|heard|spoken of|talked about)$", "", trimmed)
    return trimmed.strip(" ,;:\"'")


def _seconds(written: str, unit: str | None) -> float:
    if ":" in written:
        total = 0.0
        for part in written.split(":"):
            total = total * 60 + float(part)
        return total
    return float(written) * (60.0 if unit and unit.startswith("m") else 1.0)


def _plain_kind(plain: str) -> QuestionKind | None:
    """The kind, where the first words tell it alone."""
    if re.match(r"how many (?:seconds|minutes|hours|days|weeks|months|years)\b", plain):
        return "how long"
    if re.match(r"how many\b|what(?: is|'s) the number of", plain):
        return "how many"
    if re.match(r"how long\b|for how long\b", plain):
        return "how long"
    if re.match(r"(?:what|which) colou?rs?\b|what(?: is|'s) the colou?r", plain):
        return "what colour"
    if re.match(r"(?:is|are|was|were|does|do|did|can|could|has|have|will)\s+\w", plain):
        return "yes/no"
    if re.match(r"summari[sz]e\b", plain):
        return "summarise"
    if re.match(r"who(?:se)?\b", plain):
        return "who"
    if re.match(r"where\b", plain):
        return "where"
    return None
