"""Answer what something is about: sentences of speech and documents, descriptions of pictures."""

from __future__ import annotations

from typing import Final

from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.describing import describe
from crossmedia.retrieval.answering.finding import find_files
from crossmedia.retrieval.answering.question import Question, content
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import word_evidence
from crossmedia.retrieval.answering.summary import summarise
from crossmedia.retrieval.documents import Moment
from crossmedia.retrieval.query import Hit

MODEL: Final = "answers-summarising@1"
MEDIA_NAMES: Final = {
    "image": "pictures",
    "audio": "recordings",
    "video": "videos",
    "text": "documents",
    "mesh": "3D models",
}
COMMON_VALUES: Final = 5


class Summarising:
    """Chooses sentences; makes none up but those of labels."""

    model: str = MODEL

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        if scope.single:
            return self._of(scope.moments, scope)
        if content(question.topic):
            hits = find_files(scope, question.topic, question.medium, 1)
            if hits:
                reply = self._of(tuple(scope.store.moments(hits[0].asset)), scope)
                return reply
            return None
        return _collection(scope)

    def _of(self, moments: tuple[Moment, ...], scope: Scope) -> Reply | None:
        chosen = summarise(moments, scope.profile)
        if chosen:
            cited: list[Hit] = []
            for one in chosen:
                cited += scope.cite(one.moment, [word_evidence(one.moment, one.text, one.centrality)], one.centrality)
            return Reply(" ".join(one.text for one in chosen), 0.8, tuple(cited), MODEL)
        stills = [m for m in moments if m.kind in ("picture", "shot")]
        descriptions = [(m, d) for m in stills[:3] if (d := describe(m, scope.picture(m)))]
        if descriptions:
            text = " ".join(dict.fromkeys(d.text for _, d in descriptions))
            return Reply(
                text, descriptions[0][1].sureness, tuple(h for m, _ in descriptions for h in scope.cite(m)), MODEL
            )
        heard = [label.value for m in moments if m.kind == "sound" for label in m.labels if label.kind == "sound"]
        if heard:
            return Reply("Sounds: " + ", ".join(dict.fromkeys(heard)), 0.6, scope.cite(moments[0]), MODEL)
        return None


def _collection(scope: Scope) -> Reply | None:
    counted: dict[str, int] = {}
    for asset in scope.assets:
        counted[asset.media] = counted.get(asset.media, 0) + 1
    if not counted:
        return None
    kept = ", ".join(
        f"{count} {MEDIA_NAMES[media]}" for media, count in sorted(counted.items(), key=lambda one: -one[1])
    )
    shown = [one.value for one in scope.count_facets("object")[:COMMON_VALUES]]
    return Reply(kept + (f"; most often seen: {', '.join(shown)}" if shown else ""), 0.9, (), MODEL)
