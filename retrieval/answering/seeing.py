"""Answer what something is, what somebody does, what is heard: by labels, and by the names that fit best."""

from __future__ import annotations

import re
from typing import Final

from crossmedia.retrieval.answering.answerer import Reply, best_of
from crossmedia.retrieval.answering.describing import describe
from crossmedia.retrieval.answering.question import Question
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import label_evidence, vectors_of
from crossmedia.retrieval.answering.things import MIN_COUNTED_SCORE, PEOPLE, ground_of, labels_of
from crossmedia.retrieval.answering.vocabulary import Vocabulary, categories, category_of
from crossmedia.retrieval.documents import Moment
from crossmedia.retrieval.query import Evidence

MODEL: Final = "answers-seeing@1"
HEARING_PATTERN: Final = re.compile(r"\b(?:hear|heard|sound|sounds|noise|noises|audible|listen)\b")
GENERAL: Final = re.compile(
    r"^(?:what|which)(?: things?| objects?)?(?: is|'s| are| can be| does| do| can you| you)*(?: there)?"
    r"(?: see| seen| shown| visible| show| shows)?(?: in| on| of)?(?: this| the| that| it)?"
    r"(?: photo| picture| image| video| film| shot| scene)?(?: show| shows| seen| depict)?$"
)
UNDER: Final = re.compile(r"\b(?:under|below|beneath|underneath)\b|\b(?:stand|lie|run|walk|sit)\w* on\b")
MIN_NAME_SHARE: Final = 0.25
"""Share among the names of its kind from which the best of them is worth telling."""


class Seeing:
    """Names what pictures show and recordings sound like."""

    model: str = MODEL

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        plain = question.text.lower().rstrip(" ?!.")
        moments = scope.moments
        if not scope.single:
            hits = scope.find(question.topic, 3)
            loaded = scope.store.load([hit.moment for hit in hits])
            moments = tuple(loaded[hit.moment] for hit in hits if hit.moment in loaded)
        stills = [m for m in moments if m.kind in ("picture", "shot", "frame")]
        if HEARING_PATTERN.search(plain) or not stills:
            spoken = any(m.kind == "speech" for m in moments)
            return None if spoken and not HEARING_PATTERN.search(plain) else _name_sound(plain, moments, scope)
        if UNDER.search(plain):
            return _ground(stills[0], scope)
        if GENERAL.match(plain):
            return _in_general(stills[0], scope)
        category = category_of(plain)
        if category is None:
            return None
        return best_of([self._named(category, plain, moment, scope) for moment in stills[:12]])

    def _named(self, category: str, plain: str, moment: Moment, scope: Scope) -> Reply | None:
        labelled = _find_labels(category, moment, scope)
        vector = vectors_of(scope, [moment]).get(moment.id)
        if vector is None:
            return labelled
        ranked = self._vocabulary.rank(category, subject_of(plain), moment, vector, scope)
        name, share, relevance = ranked[0]
        if share < MIN_NAME_SHARE:
            return labelled
        why = Evidence("common", round(share, 4), round(relevance, 4), 1, query=name, moment=moment.id)
        named = Reply(name, share * (0.5 + relevance / 2), scope.cite(moment, [why], relevance), MODEL)
        return best_of([labelled, named])


def subject_of(plain: str) -> str:
    """Who or what acts: "the man" of "what is the man in red doing".

    >>> subject_of("what is the man riding"), subject_of("what are they doing")
    ('a man', 'people')
    """
    for word in re.findall(r"\w+", plain):
        if word in PEOPLE or word in ("dog", "dogs", "cat", "horse", "bird"):
            return word if word in ("people", "men", "women", "children", "boys", "girls", "dogs") else f"a {word}"
    return "people" if re.search(r"\bthey\b", plain) else "a person"


def _find_labels(category: str, moment: Moment, scope: Scope) -> Reply | None:
    """Answer with the detected objects of this category."""
    known = {phrase for phrase, _ in categories()[category]}
    objects = [x for x in labels_of(moment, "object", None, MIN_COUNTED_SCORE) if x.value in known]
    if not objects:
        return None
    best = objects[0]
    return Reply(
        best.value, best.score**0.5 * 0.9, scope.cite(moment, [label_evidence([best], moment)], best.score), MODEL
    )


def _ground(moment: Moment, scope: Scope) -> Reply | None:
    """What the largest area is that things stand on."""
    best = ground_of(moment)
    if best is None:
        return None
    return Reply(
        best.value, 0.5 + best.score / 2, scope.cite(moment, [label_evidence([best], moment)], best.score), MODEL
    )


def _in_general(moment: Moment, scope: Scope) -> Reply | None:
    sentence = describe(moment, scope.picture(moment))
    if sentence is None:
        return None
    labels = [x for x in moment.labels if x.kind in ("object", "area", "text", "person")]
    return Reply(sentence.text, sentence.sureness, scope.cite(moment, [label_evidence(labels, moment)]), MODEL)


def _name_sound(plain: str, moments: tuple[Moment, ...], scope: Scope) -> Reply | None:
    """What sounds longest and loudest. What the question names already is no answer: "noise" to "what makes the
    noise?"."""
    asked = frozenset(re.findall(r"\w+", plain))
    heard = [
        (label, m)
        for m in moments
        if m.kind == "sound"
        for label in labels_of(m, "sound")
        if not asked.issuperset(re.findall(r"\w+", label.value.lower()))
    ]
    if not heard:
        return None
    seconds: dict[str, float] = {}
    for label, moment in heard:
        seconds[label.value] = seconds.get(label.value, 0.0) + label.score * (
            (moment.end or 0.0) - (moment.start or 0.0) + 0.1
        )
    names = sorted(seconds, key=lambda name: -seconds[name])
    first = [(label, m) for label, m in heard if label.value == names[0]]
    label, moment = max(first, key=lambda one: one[0].score)
    answer = ", ".join(name for name in names[:3] if seconds[name] >= 0.3 * seconds[names[0]])
    return Reply(answer, label.score, scope.cite(moment, [label_evidence([label], moment)], label.score), MODEL)
