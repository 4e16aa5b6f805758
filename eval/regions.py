"""What looking at single objects adds: small things found by words, and how many there are.

The same questions to one collection three times: with vectors of whole photos only, with labels of objects beside them,
and with vectors of the objects' surroundings as well. A caption names a small thing if it names a class that is found
in its photo on less than a tenth of its area, people left out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossmedia.api.service import Service
from crossmedia.embeddings.objects import MIN_OBJECT_SCORE, ObjectDetector
from crossmedia.eval import cutoff
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.objects import detect_all, names_in
from crossmedia.retrieval.query import Filters, Query

SMALL: Final = 0.1
MAX_HITS: Final = 10
COUNT_PATTERNS: Final[Mapping[str, str]] = {
    "two dogs": r"\b(dogs|puppies)\b|\bdog\b.*\bdogs?\b",
    "two people": r"\b(people|men|women|boys|girls|children|kids|adults|couple|group|crowd|team)\b",
    "two horses": r"\bhorses\b|\bhorse\b.*\bhorse\b",
}
"""Questions, and how captions say that there are so many or more."""

Captions = Mapping[Path, Sequence[str]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Asked:
    """What of the captions' photos came first, fifth, tenth; and of the counted things how many of the first ten were
    right."""

    ranks: Sequence[int]
    right: Mapping[str, Sequence[bool]]


def measure(service: Service, captions: Captions, tell: Tell = lambda line: None) -> list[Section]:
    """Index the photos into an empty collection and ask; then enrich and ask again, twice."""
    photos = sorted(captions)
    started = time.monotonic()
    small = _small(
        ObjectDetector(service.runtime.catalog.resolve("yolox-nano"), service.runtime.settings.threads), captions
    )
    tell(f"indexing {len(photos)} photos")
    service.indexing.index(photos, "regions")
    recalls: dict[str, _Asked] = {}
    kept: dict[str, Sequence[Mapping[str, float]]] = {}
    for way, enricher in (("photos", ""), ("+ labels", "objects"), ("+ regions", "regions")):
        if enricher:
            tell(f"enriching: {enricher}")
            service.indexing.enrich(only=[enricher])
        tell(f"asking: {way}")
        recalls[way] = _ask(service, captions)
        if enricher != "objects":
            tell(f"the cut-off: {way}")
            whole = {path: tuple(texts) for path, texts in captions.items()}
            kept[way] = cutoff.measure(service, "regions", whole)["shares"]
    seconds = time.monotonic() - started
    every = [(path, text) for path in photos for text in captions[path]]
    chosen = [text in small[path] for path, text in every]
    note = f"{len(photos)} dev photos of Flickr8k; {sum(chosen)} of {len(every)} captions name something small."
    return [
        Section("Captions that name something small", note, _recall(recalls, chosen)),
        Section("All captions", note, _recall(recalls, [True] * len(every))),
        Section(
            "How many",
            "Of the first ten photos those of which a caption says so: " + ", ".join(COUNT_PATTERNS),
            tuple(
                share(f"{question}: {way}", asked.right[question])
                for question in COUNT_PATTERNS
                for way, asked in recalls.items()
            ),
        ),
        Section(
            "The cut-off",
            "As in the report of the common space.",
            tuple(
                Figure(f"{row['what']}: {way}", float(row["share"]), of=int(row["of"]))
                for way, rows in kept.items()
                for row in rows
            ),
            seconds=seconds,
        ),
    ]


def _small(detector: ObjectDetector, captions: Captions) -> dict[Path, set[str]]:
    """Of each photo the captions that name something small in it."""
    photos = sorted(captions)
    small: dict[Path, set[str]] = {}
    for path, objects in zip(photos, detect_all(detector, photos, MIN_OBJECT_SCORE), strict=True):
        tiny = {o.value for o in objects if (o.box[2] - o.box[0]) * (o.box[3] - o.box[1]) < SMALL} - {"person"}
        small[path] = {text for text in captions[path] if names_in(text) & tiny}
    return small


def _ask(service: Service, captions: Captions) -> _Asked:
    filters = Filters(media=("image",), collection="regions")

    def names(text: str) -> list[str]:
        query = Query(texts=(text,), filters=filters, k=MAX_HITS, min_relevance=0, fold=False)
        return [Path(hit.path).name for hit in service.searching.search(query).hits]

    ranks = []
    for path in sorted(captions):
        for text in captions[path]:
            hits = names(text)
            ranks.append(hits.index(path.name) + 1 if path.name in hits else 0)
    by_name = {path.name: texts for path, texts in captions.items()}
    right = {
        question: [any(re.search(said, text, re.IGNORECASE) for text in by_name[name]) for name in names(question)]
        for question, said in COUNT_PATTERNS.items()
    }
    return _Asked(ranks, right)


def _recall(found: Mapping[str, _Asked], chosen: Sequence[bool]) -> tuple[Figure, ...]:
    figures = []
    for k in (1, 5, MAX_HITS):
        for way, asked in found.items():
            met = [0 < rank <= k for rank, own in zip(asked.ranks, chosen, strict=True) if own]
            figures.append(share(f"R@{k}: {way}", met))
    return tuple(figures)
