"""Encode both sides of pairs, their files decoded in processes that can be killed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossmedia.embeddings.alignment.paired import Paired
from crossmedia.embeddings.encoder import COMMON, Encoder, Modality, Space, Vector
from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.errors import DecodeError
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.pairs import MAX_PAIR_CHARACTERS, PairRow, PairsUnusable, Table

MAX_PAIR_SECONDS: Final = 60.0
"""Of a sound: longer ones are cut."""
PAIR_BATCH: Final = 16
MAX_SHOWN_PROBLEMS: Final = 10


@dataclass(frozen=True, eq=False)
class Encoded:
    """Pairs as vectors: `space` is the native one that is to be mapped, `modality` and `anchor` what the sides are."""

    paired: Paired
    space: Space
    modality: Modality
    anchor: Modality
    duplicates: int
    left_out: tuple[str, ...] = ()


@dataclass
class _Side:
    """One column's distinct contents with their vectors by space, in the order they came."""

    modality: Modality
    vectors: list[dict[str, Vector]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def encode_pairs(
    table: Table,
    profile: Profile,
    pool: DecodePool,
    space: str | None = None,
    *,
    skip: bool = False,
    tick: Callable[[int], None] = lambda count: None,
) -> Encoded:
    """Decode what is named and encode both sides; `space` is the native space to map, the default is the side that is
    no text.

    Same contents count once, whatever they are called. Raises PairsUnusable with the lines of files that cannot be
    read, unless `skip` leaves those pairs out. `tick` hears how many rows were done.
    """
    sides: list[_Side | None] = [None, None]
    pairs: list[tuple[int, int]] = []
    bad: list[str] = []
    for first in range(0, len(table.rows), PAIR_BATCH):
        rows = table.rows[first : first + PAIR_BATCH]
        media, failed = _media(rows, pool)
        bad += failed
        for side in (0, 1):
            _encode(table, rows, media, side, sides, profile)
        for row in rows:
            if all(cell in media for cell in row.cells):
                left, right = (
                    side.rows[_key(media[cell])] for side, cell in zip(sides, row.cells, strict=True) if side
                )
                pairs.append((left, right))
        tick(len(rows))
    if bad and not skip:
        more = f"; and {len(bad) - MAX_SHOWN_PROBLEMS} more" if len(bad) > MAX_SHOWN_PROBLEMS else ""
        raise PairsUnusable(
            f"{table.path.name}, {'; '.join(bad[:MAX_SHOWN_PROBLEMS])}{more}",
            "correct these lines, or leave them out",
            Remedy.SKIP_BAD,
        )
    first_side, second_side = sides
    if first_side is None or second_side is None or not pairs:
        raise PairsUnusable(f"{table.path.name} has no pair that can be read", "see the lines named above")
    both = (first_side, second_side)
    chosen = _choose_column(table, both, profile, space)
    source, anchor = both[chosen], both[1 - chosen]
    table_of = np.array(list(dict.fromkeys(pairs)), np.int64)
    # Without what stood only beside something unreadable.
    sources, source_rows = np.unique(table_of[:, chosen], return_inverse=True)
    anchors, anchor_rows = np.unique(table_of[:, 1 - chosen], return_inverse=True)
    spaces = [s for s in _encoder(profile, source.modality).spaces if s.name != COMMON]
    native = next(s for s in spaces if space is None or s.name == space)
    kept = [source.vectors[row] for row in sources]
    has_common = all(COMMON in vectors for vectors in kept)
    return Encoded(
        Paired(
            np.stack([vectors[native.name] for vectors in kept]),
            np.stack([vectors[COMMON] for vectors in kept]) if has_common else None,
            np.stack([anchor.vectors[row][COMMON] for row in anchors]),
            np.stack([source_rows, anchor_rows], axis=1).astype(np.int64),
            profile.spaces[COMMON],
        ),
        native,
        source.modality,
        anchor.modality,
        len(pairs) - len(table_of),
        tuple(bad),
    )


def _media(rows: Sequence[PairRow], pool: DecodePool) -> tuple[dict[str | Path, Any], list[str]]:
    """What the cells of these rows hold, and a line for each that cannot be read."""
    contents: dict[str | Path, Any] = {cell: cell for row in rows for cell in row.cells if isinstance(cell, str)}
    files = list(dict.fromkeys(cell for row in rows for cell in row.cells if isinstance(cell, Path)))
    errors: dict[Path, CrossmediaError] = {}
    for file, result in zip(files, pool.submit_many(files).result() if files else (), strict=True):
        content = _content(file, result)
        if isinstance(content, CrossmediaError):
            errors[file] = content
        else:
            contents[file] = content
    bad = [
        f"line {row.line}: {errors[cell].message}"
        for row in rows
        for cell in row.cells
        if isinstance(cell, Path) and cell in errors
    ]
    return contents, bad


def _content(file: Path, result: Decoded | CrossmediaError) -> str | Picture | Waveform | CrossmediaError:
    if isinstance(result, CrossmediaError):
        return result
    content = result.content
    if isinstance(content, Clip):
        return DecodeError(f"{file.name} is a video: give one of its pictures, or its sound")
    if isinstance(content, Waveform):
        return content.cut(0, MAX_PAIR_SECONDS)
    if isinstance(content, Picture):
        return content
    return "\n".join(paragraph for page in content for paragraph in page.paragraphs)[:MAX_PAIR_CHARACTERS]


def _modality(content: object) -> Modality:
    return "picture" if isinstance(content, Picture) else "sound" if isinstance(content, Waveform) else "text"


def _key(content: str | Picture | Waveform) -> str:
    if isinstance(content, str):
        return content
    array = content.pixels if isinstance(content, Picture) else content.samples
    return hashlib.sha256(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes()).hexdigest()


def _encode(
    table: Table,
    rows: Sequence[PairRow],
    media: dict[str | Path, Any],
    side: int,
    sides: list[_Side | None],
    profile: Profile,
) -> None:
    """The vectors of what is new in a column, into its side."""
    new: dict[str, Any] = {}
    for row in rows:
        cell = row.cells[side]
        if cell not in media:
            continue
        content, named = media[cell], table.columns[side]
        modality = _modality(content)
        known = sides[side] = sides[side] or _Side(modality)
        if modality != known.modality or named not in ("file", modality):
            wanted = known.modality if named == "file" else named
            raise PairsUnusable(
                f"{table.path.name}, line {row.line}: {cell.name if isinstance(cell, Path) else cell[:60]} is a "
                f"{modality}, not a {wanted} like the rest of the column",
                "one column holds one kind of media; train a head for each",
            )
        if (key := _key(content)) not in known.rows:
            new.setdefault(key, content)
    known_side = sides[side]
    if new and known_side is not None:
        vectors = _encoder(profile, known_side.modality).encode(list(new.values())).vectors
        for n, key in enumerate(new):
            known_side.rows[key] = len(known_side.vectors)
            known_side.vectors.append({space: rows[n] for space, rows in vectors.items()})


def _encoder(profile: Profile, modality: Modality) -> Encoder[Any]:
    encoders: dict[Modality, Encoder[Any] | None] = {
        "text": profile.text,
        "picture": profile.picture,
        "sound": profile.sound,
    }
    encoder = encoders[modality]
    if encoder is None:
        raise PairsUnusable(f"nothing here turns a {modality} into vectors", "a model is missing", Remedy.CHECK)
    return encoder


def _choose_column(table: Table, sides: tuple[_Side, _Side], profile: Profile, space: str | None) -> int:
    """Which column is mapped: that of the space, else the one that is no text, else the first."""
    kinds = (sides[0].modality, sides[1].modality)
    if kinds[0] == kinds[1]:
        raise PairsUnusable(
            f"both columns of {table.path.name} hold a {kinds[0]}",
            "like is compared with like in a space of its own, which no head changes; give pairs of two kinds",
        )
    native = [{s.name for s in _encoder(profile, kind).spaces} - {COMMON} for kind in kinds]
    if space is None:
        chosen = 1 if kinds[0] == "text" else 0
    elif not any(space in names for names in native):
        raise PairsUnusable(
            f"no column of {table.path.name} has vectors in the space {space}",
            f"there are: {', '.join(sorted(native[0] | native[1])) or 'none'}",
        )
    else:
        chosen = 0 if space in native[0] else 1
    anchor = _encoder(profile, kinds[1 - chosen])
    if not native[chosen] or COMMON not in {s.name for s in anchor.spaces}:
        raise PairsUnusable(
            f"a {kinds[1 - chosen]} has no vectors in the common space that a {kinds[chosen]} could be mapped to",
            "name texts or pictures on the other side",
        )
    return chosen
