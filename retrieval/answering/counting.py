"""Answer how many: objects in a picture or video by boxes and tracks, files of a collection that show something."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import COMMON
from crossmedia.retrieval.analysis import tokens
from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.question import MEDIA_WORDS, Question, content, content_terms
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import label_evidence, odds, vectors_of, word_evidence
from crossmedia.retrieval.answering.things import MIN_COUNTED_SCORE, labels_of, thing_of
from crossmedia.retrieval.documents import Moment
from crossmedia.retrieval.morphology import NUMERALS, plural
from crossmedia.retrieval.query import Filters, Hit, LabelFilter, Query
from crossmedia.retrieval.wording import stem

MODEL: Final = "answers-counting@1"
MAX_CITATIONS: Final = 5
MAX_HITS: Final = 1_000
"""Hits that are counted at most."""
COLLECTION_CONFIDENCE: Final = 0.6
"""Confidence in a count over a collection: the detector misses some and sees some that are none."""
ABSENCE_CONFIDENCE: Final = 0.7
"""Confidence that there is none of what the detector knows and did not find."""
NUMBER_WEIGHT: Final = 0.35
"""How much the common space says of a number beside the boxes; chosen on the odd questions of `eval/questions.csv`."""
MISS_PROBABILITY: Final = 0.12
"""Probability that there is one more than the detector finds."""
_FILES: Final = re.compile(
    r"(?:how many|number of|count)(?: of)?(?: the| my| our| all)? (?P<files>"
    + "|".join(MEDIA_WORDS)
    + r"|files)\b(?P<rest>.*)$"
)
_IN_FILES: Final = re.compile(
    r"^in how many (?:of the )?(?P<files>" + "|".join(MEDIA_WORDS) + r"|files)\s+(?:is|are|do|does|can)\s*(?P<rest>.*)$"
)
_VERBS: Final = re.compile(
    r"^\s*(?:that |which )?(?:are there|do (?:we|i|you) have|are (?:in|stored|indexed).*$|show(?:s)?|have|has|"
    r"contain(?:s)?|with|of|"
    r"are of|are|is|feature|depict|there|include|taken|you see|we see)?\s*(?:there |a |an |any |some )?"
)


class Counting:
    """Counts labels, words and files."""

    model: str = MODEL

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        plain = question.text.lower().rstrip(" ?!.")
        if re.search(r"\btimes\b", plain):
            return self._mentions(question, scope)
        files = _FILES.search(plain) or _IN_FILES.search(plain)
        if files and not scope.single:
            return self._files(question, scope, files["rest"])
        pages = scope.asset.metadata.get("pages") if scope.asset else None
        if isinstance(pages, int) and re.search(r"\bpages?\b", plain):
            return Reply(say_count(pages, "page"), 0.99, scope.cite(scope.moments[0]) if scope.moments else (), MODEL)
        if re.search(
            r"\b(?:people|persons|speakers|voices|different voices)\b.*\b(?:speak|talk|heard|voices)|speakers|voices",
            plain,
        ):
            return self._speakers(scope)
        return self._things(question, scope) if scope.single else self._over_all(question, scope)

    def _things(self, question: Question, scope: Scope) -> Reply | None:
        thing = thing_of(question.topic)
        if thing is None:
            return None
        tracks = [(m, label) for m in scope.moments for label in labels_of(m, "track", thing.value, MIN_COUNTED_SCORE)]
        share = 1.0 if thing.whole or thing.value == "person" else 0.6
        if tracks and scope.asset and scope.asset.media == "video":
            cited = [
                hit
                for m, label in tracks[:MAX_CITATIONS]
                for hit in scope.cite(m, [label_evidence([label], m)], label.score)
            ]
            return Reply(say_count(len(tracks), thing.value), 0.55 * share, tuple(cited), MODEL)
        stills = scope.stills()
        if not stills:
            return None
        best = max(
            stills, key=lambda m: (len(labels_of(m, "object", thing.value, MIN_COUNTED_SCORE)), _surest(m, thing.value))
        )
        counted = labels_of(best, "object", thing.value, MIN_COUNTED_SCORE)
        doubtful = [label for label in labels_of(best, "object", thing.value) if label.score < MIN_COUNTED_SCORE]
        if not counted:
            sure = ABSENCE_CONFIDENCE * share * math.prod(1 - math.sqrt(label.score) for label in doubtful)
            return Reply(say_count(0, thing.value), sure, scope.cite(best), MODEL) if thing.whole else None
        chances = count_chances([label.score for label in (*counted, *doubtful)])
        vector = vectors_of(scope, [best]).get(best.id)
        if vector is not None:
            # A picture of two dogs is nearer to "two dogs" than to "one dog", also where the detector sees one.
            prompts = [
                f"{NUMERALS[n]} {thing.value if n == 1 else plural(thing.value)}" for n in range(1, len(chances))
            ]
            logits = odds(scope, scope.profile.text.encode(prompts).vectors[COMMON], best, vector)
            chances[1:] *= np.exp(NUMBER_WEIGHT * (logits - logits.max()))
            chances /= chances.sum()
        number = int(chances[1:].argmax()) + 1
        return Reply(
            say_count(number, thing.value),
            float(chances[number]) * share,
            scope.cite(best, [label_evidence(counted, best)], counted[0].score),
            MODEL,
        )

    def _over_all(self, question: Question, scope: Scope) -> Reply | None:
        """Of a collection that no files are asked of: as many as its pictures show together."""
        thing = thing_of(question.topic)
        if thing is None or not thing.whole:
            return None
        hits = self._with(scope, thing.value, question)
        moments = scope.store.load([hit.moment for hit in hits])
        total = sum(len(labels_of(m, "object", thing.value, MIN_COUNTED_SCORE)) for m in moments.values())
        shown = f"{say_count(total, thing.value)} in {len(hits)} files" if total else say_count(0, thing.value)
        return Reply(shown, COLLECTION_CONFIDENCE * 0.8, tuple(hits[:MAX_CITATIONS]), MODEL)

    def _files(self, question: Question, scope: Scope, rest: str) -> Reply | None:
        about = _VERBS.sub("", rest, count=1).strip()
        name = {"image": "picture", "audio": "recording", "video": "video", "text": "document"}.get(
            question.medium or "", "file"
        )
        if not content(about):
            counted = scope.store.assets(_of(scope.within, question), MAX_HITS * 100)
            hits = [hit for asset in counted[:MAX_CITATIONS] for hit in _first(scope, asset.id)]
            return Reply(say_count(len(counted), name), 0.99, tuple(hits), MODEL)
        thing = thing_of(about)
        matches = self._with(scope, thing.value, question) if thing and thing.whole else ()
        if not matches:
            query = Query((about,), filters=_of(scope.within, question), k=MAX_HITS, group=True, fold=False)
            matches = scope.search(query).hits
        if not matches:
            return Reply(say_count(0, name), COLLECTION_CONFIDENCE * 0.9, (), MODEL) if thing and thing.whole else None
        return Reply(say_count(len(matches), name), COLLECTION_CONFIDENCE, tuple(matches[:MAX_CITATIONS]), MODEL)

    def _with(self, scope: Scope, value: str, question: Question) -> tuple[Hit, ...]:
        """Files that bear an object, surest first."""
        conditions = (*scope.within.labels, LabelFilter("object", value, MIN_COUNTED_SCORE))
        filters = _of(scope.within, question, conditions)
        query = Query((value,), filters=filters, k=MAX_HITS, group=True, fold=False, min_relevance=0, legs=("labels",))
        return scope.search(query).hits

    def _speakers(self, scope: Scope) -> Reply | None:
        voices = [one for one in scope.count_facets("speaker") if one.kind == "speaker"]
        if not voices:
            return None
        turns = [m for m in scope.moments if m.kind == "turn"][:MAX_CITATIONS]
        cited = [hit for m in turns for hit in scope.cite(m, [label_evidence(labels_of(m, "speaker"), m)])]
        return Reply(say_count(len(voices), "speaker"), 0.7, tuple(cited), MODEL)

    def _mentions(self, question: Question, scope: Scope) -> Reply | None:
        """How often words are said or written in one asset."""
        wanted = set(content_terms(question.topic)) - {(stem("times"),)}
        texts = [(m, m.fields.get("transcript") or m.fields.get("text", "")) for m in scope.moments]
        spoken = [(m, text) for m, text in texts if text and m.kind in ("speech", "paragraph")]
        if not wanted or not spoken:
            return None
        hits: list[Hit] = []
        count = 0
        for moment, text in spoken:
            held = Counter(stem(token.term) for token in tokens(text))
            times = sum(min(held[term] for term in word) for word in wanted)
            count += times
            if times:
                hits += scope.cite(moment, [word_evidence(moment, text, 1.0)])
        return Reply(say_count(count, "time"), 0.8, tuple(hits[:MAX_CITATIONS]), MODEL)


def count_chances(scores: Sequence[float]) -> NDArray[np.float64]:
    """The chances of 0 … 10 things, of which boxes have these scores: each is there by the root of its score, and one
    more may be missed. (11,)"""
    chances = np.zeros(len(NUMERALS))
    chances[0] = 1.0
    for score in scores:
        there = math.sqrt(score) if score >= MIN_COUNTED_SCORE else score
        moved = np.concatenate([[0.0], chances[:-1]])
        moved[-1] += chances[-1]
        chances = chances * (1 - there) + moved * there
    more = np.concatenate([[0.0], chances[:-1]])
    whole: NDArray[np.float64] = chances * (1 - MISS_PROBABILITY) + more * MISS_PROBABILITY
    whole /= whole.sum()
    return whole


def say_count(count: int, name: str) -> str:
    """A count as a person says it: "two (2) dogs" is nobody's way, "2 dogs" is.

    >>> say_count(1, "dog"), say_count(2, "dog"), say_count(3, "person"), say_count(0, "knife")
    ('1 dog', '2 dogs', '3 people', '0 knives')
    """
    return f"{count} {name if count == 1 else plural(name)}"


def _surest(moment: Moment, value: str) -> float:
    return sum(label.score for label in labels_of(moment, "object", value))


def _of(filters: Filters, question: Question, labels: tuple[LabelFilter, ...] | None = None) -> Filters:
    wanted = (question.medium,) if question.medium and not filters.media else filters.media
    return replace(filters, media=wanted, labels=filters.labels if labels is None else labels)


def _first(scope: Scope, asset: str) -> tuple[Hit, ...]:
    moments = scope.store.moments(asset)
    return scope.cite(moments[0]) if moments else ()
