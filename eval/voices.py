"""Measure the naming of voices across recordings of known speakers, and search by voice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from crossmedia.api.service import Service
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.metrics import mean
from crossmedia.retrieval.identities import SPEAKER
from crossmedia.retrieval.query import Filters, Query

ALL_HITS: Final = 10_000


@dataclass(frozen=True)
class NamedTurn:
    """Whose it is, the name it was given, and the recording it is in."""

    speaker: str
    name: str
    asset: str


def purity(turns: Sequence[NamedTurn]) -> float:
    """Share of turns whose speaker is the most frequent of those of their name.

    >>> purity([NamedTurn("a", "x", "1"), NamedTurn("a", "x", "2"), NamedTurn("b", "x", "3"), NamedTurn("b", "y", "4")])
    0.75
    """
    by_name: dict[str, Counter[str]] = {}
    for turn in turns:
        by_name.setdefault(turn.name, Counter())[turn.speaker] += 1
    return sum(max(found.values()) for found in by_name.values()) / max(1, len(turns))


def pairwise(turns: Sequence[NamedTurn]) -> tuple[float, float]:
    """Precision and recall of "one voice" over all pairs of turns from different recordings.

    >>> turns = [("a", "x", "1"), ("a", "x", "2"), ("b", "x", "3"), ("b", "y", "4")]
    >>> pairwise([NamedTurn(*turn) for turn in turns])
    (0.3333333333333333, 0.5)
    """
    apart = [(one, other) for one, other in combinations(turns, 2) if one.asset != other.asset]
    same = [one.name == other.name for one, other in apart]
    true = [one.speaker == other.speaker for one, other in apart]
    both = sum(a and b for a, b in zip(same, true, strict=True))
    return both / max(1, sum(same)), both / max(1, sum(true))


def measure(service: Service, folder: Path, collection: str = "eval-voices") -> Section:
    """Indexes a folder of speakers' folders, and compares names with folders."""
    files = sorted(folder.glob("*/*.flac"))
    service.indexing.index(files, collection)
    speaker = {
        located.asset: Path(located.source.location).parent.name
        for located in service.runtime.store.located(collection)
    }
    service.indexing.enrich(only=["speakers"], assets=list(speaker))
    moments = [moment for asset in speaker for moment in service.runtime.store.moments(asset) if moment.kind == "turn"]
    turns = [
        NamedTurn(speaker[moment.asset], label.value, moment.asset)
        for moment in moments
        for label in moment.labels
        if label.kind == SPEAKER
    ]
    named, people = {turn.name for turn in turns}, len(set(speaker.values()))
    precision, recall = pairwise(turns)
    asked = [_ask(service, path, speaker, turns, collection) for path in _examples(files)]
    return Section(
        "Voices across a collection",
        f"{len(files)} recordings of {people} speakers of LibriSpeech, each indexed alone; pairs of turns are of "
        "different recordings. One recording of each speaker is then the example of a search with the leg `voice`, "
        "default cut-off.",
        (
            Figure("voices found", len(named), "", target=str(people)),
            Figure("purity", purity(turns), "%", len(turns)),
            Figure("pairs of one name that are of one speaker", precision, "%"),
            Figure("pairs of one speaker that have one name", recall, "%"),
            Figure("search by voice: precision", mean([found[0] for found in asked]), "%", len(asked)),
            Figure("search by voice: recall", mean([found[1] for found in asked]), "%", len(asked)),
            share("recordings in which one voice is found", [len(_names(turns, asset)) == 1 for asset in speaker]),
        ),
        tuple(
            f"{name}: "
            + ", ".join(f"{who} {count}×" for who, count in Counter(t.speaker for t in turns if t.name == name).items())
            for name in sorted(named)
        ),
    )


def _names(turns: Sequence[NamedTurn], asset: str) -> set[str]:
    return {turn.name for turn in turns if turn.asset == asset}


def _examples(files: Sequence[Path]) -> list[Path]:
    """The first recording of each speaker."""
    first: dict[str, Path] = {}
    for path in files:
        first.setdefault(path.parent.name, path)
    return list(first.values())


def _ask(
    service: Service, path: Path, speaker: Mapping[str, str], turns: Sequence[NamedTurn], collection: str
) -> tuple[float, float]:
    """Precision and recall of the turns found in other recordings than the example itself."""
    own = next(x.asset for x in service.runtime.store.located(collection) if Path(x.source.location) == path.resolve())
    query = Query(
        examples=(service.searching.example(path),),
        filters=Filters(collection=collection, kinds=("turn",)),
        legs=("voice",),
        k=ALL_HITS,
        fold=False,
    )
    matches = [
        speaker[hit.asset] == path.parent.name for hit in service.searching.search(query).hits if hit.asset != own
    ]
    wanted = sum(turn.speaker == path.parent.name and turn.asset != own for turn in turns)
    return sum(matches) / max(1, len(matches)), sum(matches) / max(1, wanted)
