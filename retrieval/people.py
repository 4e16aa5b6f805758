"""Whose faces: what is known of people is labels on face moments, and here is what people may do with them.

Beside a moment's own vector nothing tells who somebody is: no centroid, no list of people. What is said of a whole
picture or shot follows from the faces in it (`said`), so both are written anew together, one asset a transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.encoder import FACE, Vector, Vectors
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.documents import Enrichment, Kind, Label, Moment, Patch, whole_of
from crossmedia.retrieval.identities import PERSON, checked, missing
from crossmedia.retrieval.query import Filters, LabelFilter
from crossmedia.retrieval.store import Store
from crossmedia.retrieval.stored_asset import StoredAsset

MAKER: Final = "faces"
"""The enricher that looks for faces."""
COUNT: Final = label_kinds.FACES.name
"""The kind of label that says how many faces a picture has, whether or not each is told apart."""
FORGOTTEN: Final = label_kinds.FORGOTTEN.name
"""The kind of label that says where a face is that nobody shall be told by, and who puts it there."""
WHOLE: Final[frozenset[Kind]] = frozenset(("picture", "shot", "frame"))
JOINED: Final = 0.9
"""Probability, at the mean cosine of two people's faces, from which unnamed people are one. A mean over many pairs says
more than one of them, on which `indexer.enrichers.faces.MIN_FACE_PROBABILITY` rests."""
UNNAMED: Final = re.compile(r"person [0-9a-f]{4,}-\d+")
"""What somebody is called whom nobody has named."""
PAGE: Final = 500
MAX_COMPARED: Final = 4_000
"""Unnamed people that are compared with all others at once; each costs all others eight bytes."""


def person(moment: Moment) -> Label | None:
    """The label that says whose face a moment is."""
    return next((label for label in moment.labels if label.kind == PERSON), None)


def said(wholes: Iterable[Moment], faces: Sequence[Moment]) -> dict[str, list[Label]]:
    """What pictures, shots and key frames are told by the faces of their asset: who is in them, and where; where a face
    is followed through a shot, its box is told of the shot and not of each key frame."""
    found: dict[str, list[Label]] = {}
    for whole in wholes:
        if whole.kind not in WHOLE:
            continue
        for face in faces:
            label = person(face)
            if label is None:
                continue
            if whole_of(face.id) == whole.id:
                found.setdefault(whole.id, []).append(label)
            elif shared(whole, face) > 0:
                found.setdefault(whole.id, []).append(replace(label, box=None))
    return found


def shared(one: Moment | Label, other: Moment | Label) -> float:
    """Seconds that two have in common; 0 where one of them has no time."""
    if one.start is None or one.end is None or other.start is None or other.end is None:
        return 0.0
    return max(0.0, min(one.end, other.end) - max(one.start, other.start))


def faces_of(store: Store, name: str) -> dict[str, list[Moment]]:
    """The faces of somebody by asset, without vectors. Raises NotFound."""
    filters = Filters(kinds=("face",), labels=(LabelFilter(PERSON, name),))
    assets: list[str] = []
    while page := store.assets(filters, PAGE, len(assets)):
        assets += [asset.id for asset in page]
    found = {}
    for asset in assets:
        own = [moment for moment in store.moments(asset) if moment.kind == "face" and _called(moment, name)]
        if own:
            found[asset] = own
    if not found:
        raise missing(PERSON, name)
    return found


def split(store: Store, name: str, chosen: Callable[[Moment], bool], to: str) -> int:
    """Those faces of somebody are somebody else's, called `to`; returns how many. Raises NotFound, BadName."""
    to = checked(to)
    count = 0
    for asset, faces in faces_of(store, name).items():
        apart = {face.id for face in faces if chosen(face)}
        if apart:
            _rewrite(store, asset, lambda face, old, apart=apart: to if face.id in apart else old)  # type: ignore[misc]
            count += len(apart)
    return count


def halves(store: Store, name: str) -> set[str]:
    """The faces of somebody that are one of two people, if they are two: the smaller part by average linkage of
    cosines."""
    from scipy.cluster.hierarchy import fcluster, linkage

    keys = [face.id for faces in faces_of(store, name).values() for face in faces]
    vectors = store.vectors(FACE, keys)
    keys = [key for key in keys if key in vectors]
    if len(keys) < 2:
        return set()
    parts = fcluster(linkage(np.stack([vectors[key] for key in keys]), "average", "cosine"), 2, "maxclust")
    smaller = 1 if 2 * np.count_nonzero(parts == 1) <= len(keys) else 2
    return {key for key, part in zip(keys, parts.tolist(), strict=True) if part == smaller}


def forget(store: Store, name: str) -> int:
    """Remove somebody's faces with vectors, thumbnails and labels, so that they are in no file when this returns;
    returns how many.

    What stays is where they were: a box that a later run of the enricher leaves out. Raises NotFound.
    """
    found = faces_of(store, name)
    for asset, faces in found.items():
        _mark(store, asset, faces)
        _rewrite(store, asset, lambda face, old: None if old.casefold() == name.casefold() else old)
    store.expunge()
    return sum(map(len, found.values()))


def regroup(store: Store, least: float) -> int:
    """People whom nobody has named, and whose faces have a mean cosine of `least` or more to another's, are that one;
    returns how many are fewer then.

    What an enricher says depends on the order in which pictures came: two faces of one person are strangers until a
    third, between them, comes. People who were named are never joined.
    """
    names, sums, counts = _people(store)
    named = np.array([UNNAMED.fullmatch(name) is None for name in names])
    if len(names) > MAX_COMPARED:
        return 0
    joined: dict[int, int] = {}
    means = (sums @ sums.T) / np.outer(counts, counts) if names else np.zeros((0, 0))
    means[np.outer(named, named)] = -1.0
    np.fill_diagonal(means, -1.0)
    while means.size and means.max() >= least:
        one, other = divmod(int(means.argmax()), len(names))
        # A name is kept; of two made up ones that of more faces.
        into, gone = (one, other) if (named[one], counts[one]) >= (named[other], counts[other]) else (other, one)
        sums[into] += sums[gone]
        counts[into] += counts[gone]
        joined[gone] = into
        row = sums @ sums[into] / (counts * counts[into])
        means[gone] = means[:, gone] = row[list(joined)] = row[into] = -1.0
        if named[into]:
            row[named] = -1.0
        means[into] = means[:, into] = row
    for gone in joined:
        into = joined[gone]
        while into in joined:
            into = joined[into]
        store.relabel(PERSON, names[gone], names[into])
    return len(joined)


def _people(store: Store) -> tuple[list[str], Vectors, Vectors]:
    """Names, the sums of their faces' vectors, and how many those are."""
    sums: dict[str, Vector] = {}
    counts: dict[str, int] = {}
    for asset in _with_faces(store):
        owners = {m.id: label.value for m in store.moments(asset) if m.kind == "face" and (label := person(m))}
        for key, vector in store.vectors(FACE, list(owners)).items():
            name = owners[key]
            sums[name] = sums[name] + vector if name in sums else vector
            counts[name] = counts.get(name, 0) + 1
    rows = np.stack(list(sums.values())) if sums else np.zeros((0, 1))
    return list(sums), rows.astype(np.float32), np.array(list(counts.values()), dtype=np.float32)


def _with_faces(store: Store) -> Iterator[str]:
    """Assets that have any, read a page at a time."""
    offset = 0
    while page := store.assets(Filters(kinds=("face",)), PAGE, offset):
        offset += len(page)
        yield from (asset.id for asset in page)


def _called(moment: Moment, name: str) -> bool:
    label = person(moment)
    return label is not None and label.value.casefold() == name.casefold()


def _mark(store: Store, asset: str, faces: Sequence[Moment]) -> None:
    """Where the faces are stays told, beside what was forgotten before."""
    (stored_asset,) = store.stored_assets([asset])
    marks = _made(stored_asset, FORGOTTEN)
    for face in faces:
        label = person(face)
        assert label is not None
        told = Label(FORGOTTEN, "face", 1.0, FORGOTTEN, label.box, face.start, face.end)
        marks.setdefault(whole_of(face.id), []).append(told)
    store.enrich([Enrichment(asset, FORGOTTEN, "1", patches=_patches(marks))])


def _rewrite(store: Store, asset: str, call: Callable[[Moment, str], str | None]) -> None:
    """Write what the enricher said of an asset anew: each face with the name that `call` gives it by the old one, or
    not at all."""
    spaces = tuple(
        store.spaces().values()
    )  # read before the vectors: where they are made anew between, none is written
    for stored_asset in store.stored_assets([asset]):
        faces = []
        for held in stored_asset.moments:
            label = person(held.moment)
            if held.maker != MAKER or held.moment.kind != "face" or label is None:
                continue
            name = call(held.moment, label.value)
            if name is not None:
                faces.append(replace(held.moment, labels=(replace(label, value=name),)))
        kept = {
            key: [label for label in labels if label.kind != PERSON]
            for key, labels in _made(stored_asset, MAKER).items()
        }
        for key, labels in said((held.moment for held in stored_asset.moments), faces).items():
            kept.setdefault(key, []).extend(labels)
        done = next(done for done in stored_asset.done if done.enricher == MAKER)
        store.enrich([Enrichment(asset, MAKER, done.model, tuple(faces), _patches(kept), spaces=spaces)])


def _made(stored_asset: StoredAsset, maker: str) -> dict[str, list[Label]]:
    """What somebody said of moments that others brought."""
    found: dict[str, list[Label]] = {}
    for held in stored_asset.moments:
        labels = [label for label, by in zip(held.moment.labels, held.labels, strict=True) if by == maker]
        if labels and held.maker != maker:
            found[held.moment.id] = labels
    return found


def _patches(labels: Mapping[str, Sequence[Label]]) -> tuple[Patch, ...]:
    return tuple(Patch(key, labels=tuple(own)) for key, own in labels.items() if own)


def join_unnamed(store: Store, profile: Profile) -> int:
    """Joins people without a name who are one; returns how many are fewer. None where faces are off."""
    if profile.face is None:
        return 0
    return regroup(store, profile.calibrations[FACE, "face", "face"].similarity(JOINED))
