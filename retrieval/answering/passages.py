"""Rank spoken and written sentences by how likely they answer a question."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from crossmedia.embeddings.encoder import Calibration
from crossmedia.retrieval.answering.question import Question, content_terms
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.documents import Kind, Moment
from crossmedia.retrieval.relevance import UNKNOWN, logistic
from crossmedia.retrieval.wording import terms_of, words_of

SENTENCE_KINDS: Final[tuple[Kind, ...]] = ("speech", "paragraph")
MAX_READ_MOMENTS: Final = 24
"""Moments whose sentences are compared."""
MAX_ASSET_MOMENTS: Final = 400
"""Moments of one asset that are all compared."""
_END: Final = re.compile(
    r"(?<=[.!?…])[\"'”’)]*\s+(?=[\"'“‘(]*\w)|\n{2,}|(?<=[。！？])(?![。！？”’」』）\s])|(?<=[。！？][”’」』）])(?![”’」』）\s])"
)
NUMBERED: Final = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|hundred|"
    r"thousand|dozens?|half|several|few)\b",
    re.IGNORECASE,
)
LASTING: Final = re.compile(r"\b(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|long)\b", re.IGNORECASE)
DATED: Final = re.compile(
    r"\b(?:1\d{3}|20\d{2}|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|"
    r"august|september|october|november|december|morning|evenings?|noon|midnight|night|sunset|sunrise|winter|summer|autumn|spring|"
    r"(?:at|until|before|after) (?:\w+ )?(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d{1,2}))\b",
    re.IGNORECASE,
)
PERSONAL: Final = re.compile(
    r"(?<=[a-z,;] )(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|[JFMASOND]\w+(?:uary|ch|il|ust|ber)\b|I\b)[A-Z][a-z]+|"
    r"\b(?:\w*(?:men|man)|people|children|nobody|somebody|customers|painters|captain|commander|queen|king|he|she|they)\b"
)


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence of a moment: how near it is to the question, and how much of what the question is about it holds,
    weighed by how rare the words are here; and how likely it answers."""

    moment: Moment
    text: str
    similarity: float
    coverage: float
    sureness: float
    start: float | None = None
    end: float | None = None


def split(text: str) -> list[str]:
    """Sentences, as a reader sees them.

    >>> split("It is late. Go home!")
    ['It is late.', 'Go home!']
    """
    return [part.strip() for part in _END.split(text) if part and part.strip()]


def rank_sentences(question: Question, scope: Scope) -> list[Sentence]:
    """Spoken and written sentences of the scope, likeliest to answer first."""
    moments = read_candidates(question, scope)
    parts = [(m, s) for m in moments for s in split(m.fields.get("transcript") or m.fields.get("text", ""))]
    if not parts or "text" not in scope.profile.spaces:
        return []
    rows = scope.profile.text.encode([text for _, text in parts]).vectors["text"]
    asked = scope.vector(question.text, "text")
    about = scope.vector(question.topic or question.text, "text")
    similar = [max(float(row @ asked), float(row @ about)) for row in rows]
    own: Calibration = scope.calibrations.get(("text", "text", "text"), UNKNOWN)
    rarity = _rarity([text for _, text in parts])
    topic = [term for word in content_terms(question.topic or question.text) for term in word]
    sentences = []
    for n, ((moment, text), similarity) in enumerate(zip(parts, similar, strict=True)):
        covered = _coverage(topic, text, rarity)
        # What the sentence before or after names, this one may answer: "It lost its power."
        around = " ".join(t for m, t in parts[max(0, n - 1) : n + 2] if m.asset == moment.asset)
        nearby = _coverage(topic, around, rarity)
        sure = logistic(own.slope / 3 * (similarity - own.bias) + 3.0 * (covered + 0.4 * (nearby - covered)) - 1.6)
        sentences.append(Sentence(moment, text, similarity, max(covered, 0.6 * nearby), sure, *_when(moment, text)))
    return sorted(sentences, key=lambda one: -one.sureness)


def read_candidates(question: Question, scope: Scope) -> list[Moment]:
    """The moments to read: all of one asset, or of a collection what the search finds."""
    if scope.single:
        within = question.within(seconds_of(scope))
        moments = [m for m in scope.moments if m.kind in SENTENCE_KINDS and overlaps(m, within)]
        return moments[:MAX_ASSET_MOMENTS]
    filters = replace(
        scope.within, kinds=SENTENCE_KINDS, media=(question.medium,) if question.medium else scope.within.media
    )
    hits = scope.find(
        question.topic or question.text, MAX_READ_MOMENTS, least=0.0, legs=("text", "words"), filters=filters
    )
    more = scope.find(question.text, MAX_READ_MOMENTS, least=0.0, legs=("text", "words"), filters=filters)
    ids = list(dict.fromkeys(hit.moment for hit in (*hits, *more)))
    loaded = scope.store.load(ids)
    return [loaded[one] for one in ids if one in loaded and loaded[one].kind in SENTENCE_KINDS]


def _rarity(texts: Sequence[str]) -> dict[str, float]:
    """How informative each word is: less the more sentences contain it."""
    counted = Counter(word for text in texts for word in set(terms_of(text)))
    return {word: math.log(1 + len(texts) / count) for word, count in counted.items()}


def _coverage(topic: Sequence[str], text: str, rarity: dict[str, float]) -> float:
    """The share of the topic that a text holds; words that stand nowhere count as the rarest."""
    if not topic:
        return 0.0
    held = set(terms_of(text))
    most = max(rarity.values(), default=1.0)
    weights = {word: rarity.get(word, most) for word in topic}
    return sum(weight for word, weight in weights.items() if word in held) / sum(weights.values())


def _when(moment: Moment, text: str) -> tuple[float | None, float | None]:
    """When a sentence of a spoken moment is said."""
    if not moment.words:
        return moment.start, moment.end
    words = [w.text.strip(" .,!?;:\"'").lower() for w in moment.words]
    wanted = [w.lower() for w in words_of(text)]
    for first in range(len(words)):
        if wanted and words[first : first + 1] == wanted[:1] and first + len(wanted) <= len(words):
            return moment.words[first].start, moment.words[first + len(wanted) - 1].end
    return moment.start, moment.end


def seconds_of(scope: Scope) -> float | None:
    """The length of the asset that the question is about; None where it has none."""
    return scope.asset.seconds if scope.asset else None


def overlaps(moment: Moment, within: tuple[float | None, float | None] | None) -> bool:
    """Whether a moment lies in a stretch, at least in part; what has no time lies in each."""
    if within is None or moment.start is None:
        return True
    start, end = within
    return (end is None or moment.start < end) and (start is None or (moment.end or moment.start) > start)
