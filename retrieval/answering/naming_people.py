"""Answer who speaks or is seen, by named voices and faces."""

from __future__ import annotations

import re
from typing import Final

from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.passages import overlaps, seconds_of
from crossmedia.retrieval.answering.question import Question
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import label_evidence
from crossmedia.retrieval.answering.things import labels_of
from crossmedia.retrieval.documents import Moment
from crossmedia.retrieval.query import Hit

MODEL: Final = "answers-people@1"
SPEAKS: Final = re.compile(r"\b(?:speak|speaks|speaking|spoke|talk|talks|talking|voice|says|said|heard|narrat\w+)\b")
MAX_CITATIONS: Final = 5
UNNAMED: Final = "give voices and people names first"


class People:
    """Tells the names on turns and faces; what nobody has named is told by the name it was given."""

    model: str = MODEL

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        plain = question.text.lower()
        kind = "speaker" if SPEAKS.search(plain) else "person"
        on = ("turn", "speech") if kind == "speaker" else ("picture", "shot", "frame")
        moments = self._moments(question, scope, on, kind)
        seconds: dict[str, float] = {}
        best: dict[str, Moment] = {}
        for moment in moments:
            for label in labels_of(moment, kind):
                lasting = (moment.end or 0.0) - (moment.start or 0.0) if kind == "speaker" else label.score
                seconds[label.value] = seconds.get(label.value, 0.0) + max(lasting, 0.01)
                if label.value not in best:
                    best[label.value] = moment
        if not seconds:
            return None
        first = re.search(r"\bfirst\b(?! half| third| minute| \d)", plain)
        names = list(seconds) if first else sorted(seconds, key=lambda name: -seconds[name])
        names = names[:1] if first else names[:MAX_CITATIONS]
        cited: list[Hit] = []
        for name in names:
            labels = [x for x in labels_of(best[name], kind) if x.value == name]
            cited += scope.cite(best[name], [label_evidence(labels, best[name])], labels[0].score)
        unnamed = [name for name in names if re.match(r"(?:voice|person) [0-9a-f]", name)]
        return Reply(", ".join(names), 0.75, tuple(cited), MODEL, (UNNAMED,) if unnamed else ())

    def _moments(self, question: Question, scope: Scope, on: tuple[str, ...], kind: str) -> list[Moment]:
        if scope.single:
            within = question.within(seconds_of(scope))
            turns = [m for m in scope.moments if m.kind in on]
            # Turns tell best who speaks; sentences bear names too.
            turns = [m for m in turns if m.kind == on[0]] or turns
            return sorted((m for m in turns if overlaps(m, within)), key=lambda m: m.start or 0.0)
        # Whoever says what is asked about; "who speaks" alone asks for everybody.
        topic = re.sub(SPEAKS, "", question.topic).strip()
        if topic:
            hits = scope.find(topic, MAX_CITATIONS, legs=("words", "text") if kind == "speaker" else None)
            return list(scope.store.load([hit.moment for hit in hits]).values())
        return [m for x in scope.store.labelled(kind)[:MAX_CITATIONS] for m in scope.store.load([x.best]).values()]
