"""The pass `abuse`: labels `abuse:words` on abusive speech and writing, for policies.

A linear classifier over words by alt-profanity-check (MIT), trained on comments that people judged; English only. It
comes by the extra `abuse`, since it brings scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final, TypeAlias

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.specification import Package, PassSpec
from crossmedia.retrieval.documents import Asset, Enrichment, Label, Moment, Patch

KIND: Final = label_kinds.ABUSE.name
WORDS: Final = "words"
MIN_ABUSE_PROBABILITY: Final = 0.5
"""Probability from which a text is labelled."""
FIELDS: Final = ("transcript", "ocr", "text")
MAX_TEXT_CHARACTERS: Final = 10_000
"""Characters of a moment's text that are read."""

Judge: TypeAlias = Callable[[Sequence[str]], Sequence[float]]
"""Texts → probabilities that they are abusive."""


class AbuseEnricher:
    """On a moment whose words are abusive with a probability of one half or more a label with it."""

    name = "abuse"
    accepts: tuple[Medium, ...] = ("audio", "video", "image", "text")
    after: tuple[str, ...] = ("transcript", "ocr")
    hears = True

    def __init__(self, judge: Judge | None = None) -> None:
        """`judge`: the package's, if none is given."""
        self._judge = judge or _probabilities
        self.model = f"alt-profanity-check-{version('alt-profanity-check')}" if judge is None else "given"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        said = [(moment, text) for moment in moments if (text := _text(moment))]
        scores = self._judge([text for _, text in said]) if said else ()
        patches = [
            Patch(moment.id, labels=(Label(KIND, WORDS, float(score), self.model, None, moment.start, moment.end),))
            for (moment, _), score in zip(said, scores, strict=True)
            if score >= MIN_ABUSE_PROBABILITY
        ]
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))


def _text(moment: Moment) -> str:
    return "\n".join(moment.fields[name] for name in FIELDS if moment.fields.get(name))[:MAX_TEXT_CHARACTERS].strip()


def _probabilities(texts: Sequence[str]) -> Sequence[float]:
    from profanity_check import predict_prob

    probabilities: Sequence[float] = predict_prob(list(texts)).tolist()
    return probabilities


PASS: Final = PassSpec(
    name=AbuseEnricher.name,
    summary="abusive words, for the policy",
    labels=(label_kinds.ABUSE,),
    packages=(Package("alt-profanity-check", "profanity_check", 'pip install "crossmedia[abuse]"'),),
    after=AbuseEnricher.after,
    default="installed",
    build=lambda context: AbuseEnricher(),
)
