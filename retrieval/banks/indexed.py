"""What is indexed already and near a hash that was banked later: the collection's own hashes, read from its labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from crossmedia.retrieval.banks.hashes import LABEL, NEAR, BadHash, Hash, HashKind
from crossmedia.retrieval.banks.matching import EXACT, index_of
from crossmedia.retrieval.documents import Label, Moment
from crossmedia.retrieval.labels import Labelled
from crossmedia.retrieval.query import Filters, LabelFilter
from crossmedia.retrieval.store import Store

COPIES: Final = 1_000
"""Assets with the same hash that are listed at most."""


@dataclass(frozen=True)
class Copy:
    """A moment whose hash (`own`) is near one that was asked for (`known`); `moment` is None for the bytes of the whole
    asset, `start` the second at which a video shows the frame."""

    asset: str
    moment: str | None
    start: float | None
    own: Hash
    known: Hash
    distance: float


def copies(store: Store, known: Iterable[Hash]) -> list[Copy]:
    """Every moment of the collection that has a hash near one of these: each with the nearest, the nearest first.

    Reads all values of the collection's labels of kind `hash` once, so it always tells what the store holds now.
    """
    wanted: dict[HashKind, list[str]] = {}
    for one in dict.fromkeys(hashed for hashed in known if hashed.comparable):
        wanted.setdefault(one.kind, []).append(one.value)
    held = collection_hashes(store) if any(kind != "sha256" for kind in wanted) else {}
    found: list[Copy] = []
    near: list[_Near] = []
    for kind, values in wanted.items():
        if kind == "sha256":
            same = (Hash(kind, value) for value in values)
            found += [Copy(one.value, None, None, one, one, 0.0) for one in same if store.asset(one.value) is not None]
            continue
        own = held.get(kind, [])
        best: dict[int, tuple[float, str]] = {}
        for asked, place, distance in near_pairs(kind, values, [hashed.value for hashed, _ in own]):
            if place not in best or distance < best[place][0]:
                best[place] = distance, values[asked]
        near += [_Near(*own[place], Hash(kind, value), distance) for place, (distance, value) in best.items()]
    found += _place(store, near)
    return sorted(found, key=lambda one: (one.distance / (NEAR[one.own.kind] or 1), one.asset, one.moment or ""))


def collection_hashes(store: Store) -> dict[HashKind, list[tuple[Hash, Labelled]]]:
    """The different hashes of each kind that stand on moments, and where."""
    found: dict[HashKind, list[tuple[Hash, Labelled]]] = {}
    for labelled in store.labelled(LABEL):
        try:
            hashed = Hash.parse(labelled.value)
        except BadHash:
            continue  # a label of that kind by somebody else
        found.setdefault(hashed.kind, []).append((hashed, labelled))
    return found


def near_pairs(kind: HashKind, ones: Sequence[str], others: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """(place in `ones`, place in `others`, distance) of all that are near; the fewer are looked up among the more."""
    if not ones or not others:
        return
    if kind in EXACT:
        places = {value: place for place, value in enumerate(others)}
        yield from ((asked, places[value], 0.0) for asked, value in enumerate(ones) if value in places)
        return
    turned = len(ones) > len(others)
    few, many = (others, ones) if turned else (ones, others)
    index = index_of(kind)
    index.add(range(len(many)), [Hash(kind, value).packed for value in many])
    for asked, value in enumerate(few):
        for place, distance in index.search(Hash(kind, value).packed, NEAR[kind]):
            yield (place, asked, distance) if turned else (asked, place, distance)


@dataclass(frozen=True)
class _Near:
    own: Hash
    where: Labelled
    known: Hash
    distance: float


def _place(store: Store, near: Sequence[_Near]) -> Iterator[Copy]:
    """Each moment on which a hash stands: mostly one, which `labelled` told; only copies of the same are looked for."""
    once = store.load([one.where.best for one in near if one.where.moments == 1])
    for one in near:
        moments = [once[one.where.best]] if one.where.best in once else []
        if one.where.moments > 1:
            alike = store.assets(Filters(labels=(LabelFilter(LABEL, str(one.own)),)), COPIES)
            moments = [moment for asset in alike for moment in store.moments(asset.id)]
        for moment in moments:
            for label in moment.labels:
                if label.kind == LABEL and label.value == str(one.own):
                    yield Copy(moment.asset, moment.id, label.start, _rate(one.own, label), one.known, one.distance)


def _rate(hashed: Hash, label: Label) -> Hash:
    """With the quality that the label tells."""
    return Hash(hashed.kind, hashed.value, round(100 * label.score)) if hashed.kind == "pdq" else hashed


def hashes_of(asset: str, moments: Iterable[Moment]) -> list[tuple[Hash, float | None]]:
    """An indexed asset's own hashes, its SHA-256 first; with the second of the frame, if it is of a video's."""
    labels = [label for moment in moments for label in moment.labels if label.kind == LABEL]
    return [
        (Hash("sha256", asset), None),
        *((_rate(Hash.parse(label.value), label), label.start) for label in labels),
    ]
