"""The heads a collection was made with, from one folder of heads into another."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossmedia.embeddings.align import Head, head_fields
from crossmedia.embeddings.encoder import Modality
from crossmedia.embeddings.errors import ModelCorrupt
from crossmedia.embeddings.heads import Heads, NoHead, head_files
from crossmedia.retrieval.archive.manifest import HINT, ArchiveUnusable, SpaceLine, Strict, first
from crossmedia.retrieval.archive.rows import declared

MAX_CARD_BYTES: Final = 16 << 20
ARRAYS: Final = frozenset(("mean", "matrix", "near", "absent"))


class BackgroundLine(Strict):
    mean: float
    std: float
    middle: float
    slope: float
    blind: Annotated[int, Field(ge=0)] = 0


class HeadSpace(SpaceLine):
    extra: Annotated[int, Field(ge=0)] = 0


class Figures(BaseModel):
    """What of a card is used in sums or shown; the rest of it is only kept."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    name: str
    revision: str
    made: str
    modality: Modality
    native: HeadSpace
    common: HeadSpace
    gate: tuple[float, float]
    strength: float
    lift: float
    background: BackgroundLine | None
    figures: dict[str, Any]


def copy_head(source: Heads, target: Heads, head: str) -> None:
    """By its NAME@REVISION; one that is there already is left as it is. Raises NoHead, ModelCorrupt."""
    if any(card.id == head for card in target.cards()):
        return
    loaded, card = source.load(head), source.find(head)
    of_itself = head_fields(loaded).keys() | {"name", "revision"}
    target.save(loaded, {key: value for key, value in card.details.items() if key not in of_itself})


def check_head(folder: Path, head: str) -> Head:
    """A head from an archive, whose files nobody vouches for. Raises ArchiveUnusable."""
    numbers, card = (folder / name for name in head_files(head))
    try:
        if card.stat().st_size > MAX_CARD_BYTES:
            raise ArchiveUnusable(f"{card} is larger than any card", HINT)
        Figures.model_validate_json(card.read_bytes())
        _check_arrays(numbers)
        loaded = Heads(folder).load(head)
    except (ModelCorrupt, NoHead, RecursionError, TypeError) as error:
        raise ArchiveUnusable(f"the head {head} in {folder} cannot be used: {error}", HINT) from error
    except ValidationError as error:
        raise ArchiveUnusable(f"{card} cannot be used: {first(error)}", HINT) from error
    residual = loaded.residual
    native, common = loaded.native.dim, loaded.common.dim - loaded.common.extra
    fits = (
        residual.mean.shape == (native + common,)
        and residual.matrix.shape == (native + common, common)
        and residual.near.ndim == 2
        and residual.near.shape[1] == native
        and (residual.absent is None or residual.absent.shape == (common,))
    )
    if loaded.id != head or not fits:
        raise ArchiveUnusable(f"the head {head} in {folder} was not made by a training on pairs", HINT)
    return loaded


def _check_arrays(path: Path) -> None:
    """Before NumPy makes room for them: an uncompressed member may claim any shape, a compressed one may be of any
    size."""
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.removesuffix(".npy") not in ARRAYS or info.compress_type != zipfile.ZIP_STORED:
                    raise ArchiveUnusable(f"{path} has {info.filename[:100]!r} in it", HINT)
                with archive.open(info) as member:
                    shape, dtype = declared(member, path)
                    count = dtype.itemsize
                    for length in shape:
                        count *= length
                    if (
                        dtype.kind != "f"
                        or member.tell() + count != info.file_size
                        or info.file_size > path.stat().st_size
                    ):
                        raise ArchiveUnusable(f"{path} is cut short, or claims shapes it does not have", HINT)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise ArchiveUnusable(f"{path} is no .npz file: {error}", HINT) from error
