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
from crossmedia.indexer.enrichers.sight import SightEnricher
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.retrieval.documents import MODALITY, Asset, Enrichment, Label, Moment, Patch
from crossmedia.retrieval.vocabularies.scoring import Scorer, sample_step
from crossmedia.retrieval.vocabularies.vocabulary import Vocabulary

REVISION: Final = "vocabularies@1"


class VocabulariesEnricher:
    """Labels `NAME:label` of every vocabulary of the collection.

    `version` names the vocabularies and the size of the sample that their scores are based on; a change of it, or of
    the common space, labels everything anew, without a look at a file. `stored` (a space, ids of moments) looks up
    vectors, `scorer` makes what compares them with a vocabulary.
    """

    name = "vocabularies"
    accepts: tuple[Medium, ...] = ("image", "video", "mesh")
    after: tuple[str, ...] = (SightEnricher.name,)
    hears = False
    needs_file = False

    def __init__(
        self,
        vocabularies: Sequence[Vocabulary],
        common: Space,
        stored: Callable[[str, Sequence[str]], Mapping[str, Vector]],
        scorer: Callable[[Vocabulary], Scorer],
        version: str,
    ) -> None:
        self._vocabularies = vocabularies
        self._stored = stored
        self._build = scorer
        self._scorers: list[tuple[str, Scorer]] | None = None
        self._maker = f"{common.model}@{common.revision}"
        self.model = f"{REVISION}+{self._maker}+{hashlib.sha256(version.encode()).hexdigest()[:12]}"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        shown = [moment for moment in moments if MODALITY[moment.kind] == "picture"] if self._vocabularies else []
        vectors = dict(self._stored(COMMON, [moment.id for moment in shown])) if shown else {}
        vectors |= {moment.id: moment.vectors[COMMON] for moment in shown if COMMON in moment.vectors}
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


def _version(context: PassContext) -> str:
    pictures = context.store.counted().get((COMMON, "picture"), 0)
    return f"{context.vocabularies.version()}+{sample_step(pictures)}"


def _build(context: PassContext) -> VocabulariesEnricher:
    profile, store = context.profile, context.store
    return VocabulariesEnricher(
        context.vocabularies.all(),
        profile.spaces[COMMON],
        store.vectors,
        lambda one: Scorer.of(one, profile, store),
        _version(context),
    )


PASS: Final = PassSpec(
    name=VocabulariesEnricher.name,
    summary="names of your own vocabularies that pictures show",
    after=VocabulariesEnricher.after,
    build=_build,
    version=_version,
)
