"""The enricher protocol, and the pictures and sounds that enrichers get to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from crossmedia.embeddings.encoder import Encoder, Space
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Clip, Medium, Picture, Waveform
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.originals import find_original
from crossmedia.indexer.structure import frame_moments
from crossmedia.retrieval.documents import Asset, Enrichment, Moment, moment_id
from crossmedia.retrieval.store import Store


class Enricher(Protocol):
    """Reads one decoded asset and its moments, says what it found.

    `name` is what `--without` and `enrich --only` take; `model` is an id and revision: when it changes, the pass runs
    again. It names the heads of the spaces that it writes, where a reindex does not make those vectors anew itself. The
    result replaces whatever the same enricher said of the asset before, and names the spaces of its vectors. `after`:
    enrichers whose moments it reads; it runs after them, and again when they have. Of the moments it is given, those
    that they have just given vectors have these; other vectors are in the store. `hears`: of a video it needs nothing
    but the sound. `progress` hears the seconds of media done so far.
    """

    name: str
    model: str
    accepts: tuple[Medium, ...]
    after: tuple[str, ...]
    hears: bool

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment: ...


@runtime_checkable
class Follower(Protocol):
    """An enricher that follows what moves in a video: `sample_rate` is how many frames a second it wants beside the key
    frames."""

    sample_rate: float


@runtime_checkable
class NewestFirst(Protocol):
    """An enricher that is in no hurry anywhere but where people look: it begins with what came last."""

    newest_first: bool


@runtime_checkable
class FileNeed(Protocol):
    """An enricher that says whether it needs the asset's file. One that does not reads what is stored, gets a `Decoded`
    without content, and runs where the file is out of reach."""

    needs_file: bool


@runtime_checkable
class Incomplete(Protocol):
    """An enricher that may do a part of its work only: `missing` says what for want of what."""

    missing: Sequence[CrossmediaError]


@runtime_checkable
class Recogniser(Protocol):
    """An enricher that looks in the collection for who it sees or hears: what it said of one asset has to be there
    before the next."""

    recognises: bool


def spaces_of(encoder: Encoder[Any], *names: str) -> tuple[Space, ...]:
    """The spaces of an encoder by these names: what an enrichment with such vectors has to name."""
    return tuple(space for space in encoder.spaces if space.name in names)


def pictures(asset: Asset, decoded: Decoded) -> list[tuple[str, Picture]]:
    """Pictures with the ids of the moments that show them."""
    content = decoded.content
    if isinstance(content, Clip):
        return list(zip(frame_moments(asset.id, decoded.shots), content.pictures, strict=True))
    return [(moment_id(asset.id, "picture", 0), content)] if isinstance(content, Picture) else []


def original(store: Store) -> Callable[[str], Path | None]:
    """An asset's id → where its bytes lie now."""

    def place(asset: str) -> Path | None:
        source = find_original(store, asset)
        return Path(source.location) if source else None

    return place


def sound_track(decoded: Decoded) -> Waveform | None:
    """The sound of a recording or a clip."""
    content = decoded.content
    return content.waveform if isinstance(content, Clip) else content if isinstance(content, Waveform) else None
