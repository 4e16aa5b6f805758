"""What an enricher or a reindex changes of an asset: from what is held to what shall be held. No store in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from crossmedia.embeddings.encoder import Vector
from crossmedia.retrieval.documents import FIELDS, Enrichment, Label, Patch, Revision
from crossmedia.retrieval.stored_asset import Done, StoredAsset, StoredMoment, made_by


def enriched(stored_asset: StoredAsset, enrichment: Enrichment) -> StoredAsset:
    """An asset as `Store.contents` tells it once this is written: without vectors and thumbnails."""
    maker = enrichment.enricher
    fields = next((done.fields for done in stored_asset.done if done.enricher == maker), ())
    kept = [retracted(held, maker, fields) for held in stored_asset.moments if held.maker != maker]
    patches: dict[str, list[Patch]] = {}
    for patch in enrichment.patches:
        patches.setdefault(patch.moment, []).append(patch)
    there = {held.moment.id for held in kept}
    filled = {name for key in there & patches.keys() for patch in patches[key] for name in patch.fields}
    for n, held in enumerate(kept):
        for patch in patches.get(held.moment.id, ()):
            kept[n] = patched(kept[n], patch, maker, enrichment.replaces)
    moments = [*kept, *(made_by(moment, maker) for moment in enrichment.moments)]
    done = Done(maker, enrichment.model, enrichment.error, tuple(sorted(filled)))
    others = tuple(one for one in stored_asset.done if one.enricher != maker)
    return replace(stored_asset, moments=tuple(_told(held) for held in moments), done=(*others, done))


def _told(held: StoredMoment) -> StoredMoment:
    """As a store tells it: labels best first, letters with their accents as one character, no vectors."""
    order = sorted(range(len(held.labels)), key=lambda n: -held.moment.labels[n].score)
    fields = {name: unicodedata.normalize("NFC", text) for name, text in held.moment.fields.items() if text}
    labels = tuple(held.moment.labels[n] for n in order)
    moment = replace(held.moment, fields=fields, vectors={}, labels=labels, thumbnail=None)
    return replace(held, moment=moment, vectors={}, labels=tuple(held.labels[n] for n in order))


def retracted(held: StoredMoment, maker: str, fields: Iterable[str]) -> StoredMoment:
    """Without what an enricher has said of a moment that it did not bring itself."""
    kept = [(label, by) for label, by in zip(held.moment.labels, held.labels, strict=True) if by != maker]
    moment = replace(
        held.moment,
        fields={name: text for name, text in held.moment.fields.items() if name not in fields},
        vectors={space: v for space, v in held.moment.vectors.items() if held.vectors.get(space) != maker},
        labels=tuple(label for label, _ in kept),
    )
    makers = {space: by for space, by in held.vectors.items() if by != maker}
    return replace(held, moment=moment, vectors=makers, labels=tuple(by for _, by in kept))


def patched(held: StoredMoment, patch: Patch, maker: str, replaces: Sequence[str] = ()) -> StoredMoment:
    """With what an enricher adds, and in the spaces that it `replaces` with its vectors in place of those there, as if
    by their maker. Raises ValueError for a field that is none."""
    if unknown := set(patch.fields) - set(FIELDS):
        raise ValueError(f"no text field {min(unknown)!r}")
    moment = replace(
        held.moment,
        fields={**held.moment.fields, **patch.fields},
        vectors={**held.moment.vectors, **floats(patch.vectors)},
        labels=(*held.moment.labels, *patch.labels),
    )
    own = {space: held.vectors.get(space, held.maker) if space in replaces else maker for space in patch.vectors}
    labels = (*held.labels, *(maker,) * len(patch.labels))
    return replace(held, moment=moment, vectors={**held.vectors, **own}, labels=labels)


def revised(held: StoredMoment, revision: Revision) -> StoredMoment:
    """With the vectors and labels of a revision. New vectors are of whom the old ones were, so that an enricher can
    still retract its own."""
    key = held.moment.id
    if key in revision.vectors:
        new = floats(revision.vectors[key])
        kept = {space: v for space, v in held.moment.vectors.items() if space not in revision.spaces}
        chosen = {space: v for space, v in new.items() if space in revision.spaces}
        makers = {space: by for space, by in held.vectors.items() if space in kept}
        makers |= {space: held.vectors.get(space, held.maker) for space in chosen}
        held = replace(held, moment=replace(held.moment, vectors={**kept, **chosen}), vectors=makers)
    if key in revision.labels:
        own = [(label, by) for label, by in zip(held.moment.labels, held.labels, strict=True) if by is not None]
        held = _labelled(held, [*own, *((label, None) for label in revision.labels[key])])
    return held


def relabelled(held: StoredMoment, kind: str, value: str, to: str) -> tuple[StoredMoment, int]:
    """With `to` in place of the value, whatever its case; and how many there were."""
    changed = 0
    said: list[tuple[Label, str | None]] = []
    for label, by in zip(held.moment.labels, held.labels, strict=True):
        if label.kind == kind and label.value.casefold() == value.casefold():
            label, changed = replace(label, value=to), changed + 1
        said.append((label, by))
    return _labelled(held, said), changed


def _labelled(held: StoredMoment, said: Iterable[tuple[Label, str | None]]) -> StoredMoment:
    pairs = list(said)
    moment = replace(held.moment, labels=tuple(label for label, _ in pairs))
    return replace(held, moment=moment, labels=tuple(by for _, by in pairs))


def floats(vectors: Mapping[str, Vector]) -> dict[str, Vector]:
    """Raises ValueError for what is no vector."""
    return {space: np.asarray(vector, dtype=np.float32) for space, vector in vectors.items()}
