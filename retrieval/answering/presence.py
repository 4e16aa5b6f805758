"""Answer yes or no: whether something is shown, heard or said."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Final

from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.colours import COLOURS, Colouring
from crossmedia.retrieval.answering.question import Question, content, content_terms, parse_question
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import Sighting, find_sightings, vectors_of, word_evidence
from crossmedia.retrieval.answering.things import MIN_COUNTED_SCORE, labels_of, things_of
from crossmedia.retrieval.answering.vocabulary import Vocabulary
from crossmedia.retrieval.query import Hit, LabelFilter
from crossmedia.retrieval.wording import terms_of

MODEL: Final = "answers-presence@1"
MAX_CITATIONS: Final = 3
ABSENT: Final = 0.75
"""Confidence that what the detector knows and does not tell is not there."""
UNSEEN: Final = 0.12
"""Relevance under which a picture does not show what words say."""
SPEECH_PATTERN: Final = re.compile(
    r"\b(?:mention(?:s|ed)?|talk(?:s|ed)? about|sa(?:y|ys|id)|speak(?:s)? (?:of|about)|tell(?:s)? about)\b\s*"
    r"(?:anything |something )?"
    r"(?:about |of )?(?P<topic>.+)$"
)


class Presence:
    """Says yes where there is evidence, no where its absence is some, and nothing in between."""

    model: str = MODEL

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._colours = Colouring()

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        plain = question.text.lower().rstrip(" ?!.")
        spoken = SPEECH_PATTERN.search(plain)
        if spoken:
            return _find_words(spoken["topic"], scope)
        if not scope.single:
            return self._answer_collection(question, scope)
        return (
            self._answer_coloured(question, scope) or self._either(plain, scope) or self._answer_shown(question, scope)
        )

    def _answer_collection(self, question: Question, scope: Scope) -> Reply | None:
        media = (question.medium,) if question.medium else ()
        filters = replace(scope.within, media=media or scope.within.media)
        hits = scope.find(question.topic, MAX_CITATIONS, filters=filters)
        things = things_of(question.topic)
        if things and len(things) >= len(content(question.topic)):
            # What the detector knows and does not tell is rarely there, whatever is near the words.
            conditions = tuple(LabelFilter("object", value, MIN_COUNTED_SCORE) for value in things)
            borne = scope.find(
                question.topic,
                MAX_CITATIONS,
                filters=replace(filters, labels=(*filters.labels, *conditions)),
                least=0.0,
            )
            sure = [hit for hit in hits if any(e.leg in ("words", "labels") for e in hit.evidence)]
            if not borne and not sure:
                return Reply("no", ABSENT, (), MODEL, ("nothing indexed shows it",))
            return Reply("yes", max(hit.relevance for hit in (*borne, *sure)), borne or tuple(sure), MODEL)
        return Reply("yes", hits[0].relevance, hits, MODEL) if hits else None

    def _answer_shown(self, question: Question, scope: Scope) -> Reply | None:
        moments = [m for m in scope.moments if m.kind in ("picture", "shot", "frame", "sound")]
        if not moments or not question.topic:
            return None
        seen = find_sightings(scope, question.topic, moments)
        best = seen[0] if seen else None
        asked = things_of(question.topic)
        if asked:
            # All that is named has to be there: a dog and a horse are not shown by a dog.
            scores = [
                max((x.score for m in moments for x in labels_of(m, "object", name)), default=0.0) for name in asked
            ]
            least = min(scores)
            if least >= MIN_COUNTED_SCORE and len(content(question.topic)) <= len(asked):
                sure = math.sqrt(least)
                return Reply("yes", max(sure, best.sureness if best else 0), _cite(best, scope), MODEL)
            plainly = len(content(question.topic)) <= len(asked)
            if (
                plainly
                and least < 0.15
                and any(m.kind == "picture" for m in moments)
                and (best is None or best.sureness < 0.5)
            ):
                return Reply("no", ABSENT * (1 - least), _cite(best, scope), MODEL)
        if best is None:
            return None
        if best.sureness >= 0.5:
            return Reply("yes", best.sureness, _cite(best, scope), MODEL)
        if best.sureness < UNSEEN:
            return Reply("no", 0.6 * (1 - best.sureness), _cite(best, scope), MODEL)
        return None

    def _answer_coloured(self, question: Question, scope: Scope) -> Reply | None:
        """ "Is the dog brown?" asks for the colour of the dog."""
        words = question.words
        named = [word for word in words if word in COLOURS or word == "gray"]
        if len(named) != 1 or words[-1] != named[0]:
            return None
        wanted = "grey" if named[0] == "gray" else named[0]
        topic = re.sub(rf"\s*\b{named[0]}$", "", question.topic).strip()
        reply = (
            self._colours.answer(parse_question(f"what colour is {topic}", "what colour", 1.0), scope)
            if topic
            else None
        )
        if reply is None:
            return None
        fits = wanted in reply.answer
        return Reply(f"{'yes' if fits else 'no'}, {reply.answer}", reply.confidence, reply.citations, MODEL)

    def _either(self, plain: str, scope: Scope) -> Reply | None:
        stills = scope.stills()[:12]
        vectors = vectors_of(scope, stills)
        if re.search(r"\b(?:on|in|at|with|of|near)\b", re.sub(r"\bat night\b|\bin the dark\b", "", plain)):
            return None  # asks for more than where or when
        for moment in stills:
            if moment.id not in vectors:
                continue
            sure = self._vocabulary.either(plain, moment, vectors[moment.id], scope)
            if sure is not None:
                return Reply("yes" if sure >= 0.5 else "no", max(sure, 1 - sure) * 0.85, scope.cite(moment), MODEL)
        return None


def _find_words(topic: str, scope: Scope) -> Reply | None:
    """Whether words are said or written."""
    wanted = [term for word in content_terms(topic) for term in word]
    if not wanted:
        return None
    if not scope.single:
        hits = scope.find(topic, MAX_CITATIONS, legs=("words", "text"))
        return Reply("yes", hits[0].relevance, hits, MODEL) if hits else Reply("no", 0.6, (), MODEL)
    spoken = [(m, m.fields.get("transcript") or m.fields.get("text", "")) for m in scope.moments]
    spoken = [(m, text) for m, text in spoken if text]
    if not spoken:
        return None
    for moment, text in spoken:
        held = set(terms_of(text))
        if all(word in held for word in wanted):
            return Reply("yes", 0.9, scope.cite(moment, [word_evidence(moment, text, 0.9)]), MODEL)
    near = [hit for hit in scope.find(topic, 1, legs=("text",)) if hit.relevance >= 0.5]
    return Reply("yes", near[0].relevance, tuple(near), MODEL) if near else Reply("no", 0.7, (), MODEL)


def _cite(best: Sighting | None, scope: Scope) -> tuple[Hit, ...]:
    return scope.cite(best.moment, [best.evidence], best.sureness) if best else ()
