"""The pass `vocabularies`: names of one's own lists as labels on pictures and key frames, from their vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import COMMON, Space, Vector
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.retrieval.documents import MODALITY, Asset, Enrichment, Label, Moment, Patch
from crossmedia.retrieval.vocabularies.scoring import Scorer, measured_on
from crossmedia.retrieval.vocabularies.vocabulary import Vocabulary

REVISION: Final = "vocabularies@1"


class VocabulariesEnricher:
    """Labels `NAME:label` of every vocabulary of the collection.

    Its version names the vocabularies, the common space and how many pictures its scores are measured on: a change
    labels everything anew, without a look at a file. `stored` (a space, ids of moments) looks up vectors, `scorer`
    makes what compares them with a vocabulary; `measured` is `measured_on` of the collection.
    """

    name = "vocabularies"
    accepts: tuple[Medium, ...] = ("image", "video", "mesh")
    after: tuple[str, ...] = ()
    hears = False
    rereads = True

    def __init__(
        self,
        vocabularies: Sequence[Vocabulary],
        common: Space,
        stored: Callable[[str, Sequence[str]], Mapping[str, Vector]],
        scorer: Callable[[Vocabulary], Scorer],
        measured: int = 0,
    ) -> None:
        self._vocabularies = vocabularies
        self._stored = stored
        self._build = scorer
        self._scorers: list[tuple[str, Scorer]] | None = None
        self._maker = f"{common.model}@{common.revision}"
        listed = ",".join(f"{one.name}@{one.revision}" for one in vocabularies)
        self.model = f"{REVISION}+{self._maker}+{hashlib.sha256(listed.encode()).hexdigest()[:12]}+{measured}"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        shown = [moment.id for moment in moments if MODALITY[moment.kind] == "picture"]
        vectors = self._stored(COMMON, shown) if shown and self._vocabularies else {}
        if not vectors:
            return Enrichment(asset.id, self.name, self.model)
        if self._scorers is None:  # encodes every name, which a collection without pictures needs not
            self._scorers = [(one.name, self._build(one)) for one in self._vocabularies]
        rows = np.stack(list(vectors.values()))
        labels: list[list[Label]] = [[] for _ in vectors]
        for kind, scorer in self._scorers:
            for own, found in zip(labels, scorer.find(rows), strict=True):
                own += [Label(kind, value, score, self._maker) for value, score in found]
        patches = tuple(Patch(name, labels=tuple(own)) for name, own in zip(vectors, labels, strict=True) if own)
        return Enrichment(asset.id, self.name, self.model, patches=patches)


def _build(context: PassContext) -> VocabulariesEnricher:
    profile, store = context.profile, context.store
    return VocabulariesEnricher(
        context.vocabularies.all(),
        profile.spaces[COMMON],
        store.vectors,
        lambda one: Scorer.of(one, profile, store),
        measured_on(store.counted().get((COMMON, "picture"), 0)),
    )


PASS: Final = PassSpec(
    name=VocabulariesEnricher.name,
    summary="names of your own vocabularies that pictures show",
    build=_build,
)
