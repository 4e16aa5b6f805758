"""What an enricher or a reindex changes of moments: from what is held to what shall be held. No server in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from crossmedia.embeddings.encoder import Vector
from crossmedia.retrieval.documents import FIELDS, Label, Patch, Revision
from crossmedia.retrieval.holding import Held


def retracted(held: Held, maker: str, fields: Iterable[str]) -> Held:
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


def patched(held: Held, patch: Patch, maker: str) -> Held:
    """With what an enricher adds. Raises ValueError for a field that is none."""
    if unknown := set(patch.fields) - set(FIELDS):
        raise ValueError(f"no text field {min(unknown)!r}")
    moment = replace(
        held.moment,
        fields={**held.moment.fields, **patch.fields},
        vectors={**held.moment.vectors, **floats(patch.vectors)},
        labels=(*held.moment.labels, *patch.labels),
    )
    makers = {**held.vectors, **dict.fromkeys(patch.vectors, maker)}
    return replace(held, moment=moment, vectors=makers, labels=(*held.labels, *(maker,) * len(patch.labels)))


def revised(held: Held, revision: Revision) -> Held:
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


def relabelled(held: Held, kind: str, value: str, to: str) -> tuple[Held, int]:
    """With `to` in place of the value, whatever its case; and how many there were."""
    changed = 0
    said: list[tuple[Label, str | None]] = []
    for label, by in zip(held.moment.labels, held.labels, strict=True):
        if label.kind == kind and label.value.casefold() == value.casefold():
            label, changed = replace(label, value=to), changed + 1
        said.append((label, by))
    return _labelled(held, said), changed


def _labelled(held: Held, said: Iterable[tuple[Label, str | None]]) -> Held:
    pairs = list(said)
    moment = replace(held.moment, labels=tuple(label for label, _ in pairs))
    return replace(held, moment=moment, labels=tuple(by for _, by in pairs))


def floats(vectors: Mapping[str, Vector]) -> dict[str, Vector]:
    """Raises ValueError for what is no vector."""
    return {space: np.asarray(vector, dtype=np.float32) for space, vector in vectors.items()}
