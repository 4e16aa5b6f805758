"""Single assets: what is known of one, its file, pictures and words, and its removal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from crossmedia.api.runtime import Runtime
from crossmedia.api.schema import AssetOut, asset_out
from crossmedia.api.uploads import within
from crossmedia.api.use_cases.keeping import Keeping
from crossmedia.embeddings.catalog import sha256
from crossmedia.indexer.originals import SourceGone
from crossmedia.indexer.scan import modified
from crossmedia.retrieval.captions import TranscriptFormat, render
from crossmedia.retrieval.documents import MOTION, PREVIEW, Moment, Source
from crossmedia.retrieval.places import is_here
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import NotFound

PLAYABLE: Final = ("image/", "audio/", "video/", "application/pdf")
"""What a browser may show in place; everything else is handed over as a download."""


@dataclass(frozen=True)
class File:
    """An asset's file as it may be served. `inline`: a browser may show it in place."""

    path: Path
    mime: str
    inline: bool


class Assets:
    """Looks at single assets, of which the beginning of the id is enough. Whoever serves them to others asks
    `Moderation.require_served` first."""

    def __init__(self, runtime: Runtime, keeping: Keeping) -> None:
        self._runtime = runtime
        self._keeping = keeping

    def list_assets(self, filters: Filters, limit: int, offset: int = 0) -> list[AssetOut]:
        """In the order they came, without their moments."""
        store = self._runtime.store
        page = store.assets(filters, limit, offset)
        placed = store.placed([asset.id for asset in page])
        return [asset_out(asset, placed[asset.id][1], []) for asset in page if asset.id in placed]

    def get(self, asset: str) -> AssetOut:
        """With its moments, their words and labels. Raises NotFound, Ambiguous."""
        store, resolved = self._runtime.store, self._runtime.resolve(asset)
        described = store.asset(resolved)
        if described is None:
            raise NotFound(f"no asset {asset}", "it was removed just now")
        return asset_out(described, store.sources(resolved), store.moments(resolved))

    def delete(self, assets: Sequence[str]) -> list[str]:
        """Remove assets (whole ids) from the index, and their files if they were uploaded; returns those that
        existed."""
        return self._keeping.delete(assets)

    def resolve_for_deletion(self, asset: str) -> str:
        """As `Runtime.resolve`; also the whole id of an upload that is not indexed. Raises NotFound, Ambiguous."""
        try:
            return self._runtime.resolve(asset)
        except NotFound:
            if self._runtime.uploads.files_of(asset):
                return asset
            raise

    def transcript(self, asset: str, form: TranscriptFormat = "json") -> str | dict[str, Any]:
        """What is said: `json` with words and speakers, `vtt`, `srt` or `text`. Raises NotFound, NoTranscript."""
        return render(self._runtime.store.moments(self._runtime.resolve(asset)), form)

    def file(self, asset: str) -> File:
        """Its bytes where they still lie unchanged, inside what the service may read. Raises SourceGone."""
        store, roots = self._runtime.store, self._runtime.settings.roots
        resolved = self._runtime.resolve(asset)
        described = store.asset(resolved)
        for source in store.sources(resolved):
            path = Path(source.location)
            if not is_here(source.location):
                continue
            # A link may have been put where the file was: it is followed only to what the service may read anyway.
            if path.resolve() != path and not within(path.resolve(), roots):
                continue
            if described is not None and is_unchanged(path, source, resolved):
                inline = described.mime.startswith(PLAYABLE) and "svg" not in described.mime
                return File(path, described.mime, inline)
        raise SourceGone(f"the file of {asset} has moved or was deleted", "index it again at its current path")

    def thumbnail(self, asset: str, moment: str | None = None, at: float | None = None) -> bytes:
        """A small JPEG of it, of one of its moments, or of what a video shows at a second. Raises NotFound."""
        store, resolved = self._runtime.store, self._runtime.resolve(asset)
        if moment is None and at is not None:
            moment = _shown_at(store.moments(resolved), at)
        jpeg = (
            store.cover(resolved)
            if moment is None
            else store.thumbnail(moment)
            if moment.startswith(resolved)
            else None
        )
        if jpeg is None:
            raise NotFound(f"no thumbnail of {asset}", "sounds and texts have none")
        return jpeg

    def preview(self, asset: str) -> bytes:
        """A video in small: its key frames as an animated WebP. Raises NotFound."""
        webp = self._runtime.store.attachment(self._runtime.resolve(asset), PREVIEW)
        if webp is None:
            raise NotFound(f"no preview of {asset}", "only videos of several key frames have one")
        return webp

    def motion(self, asset: str) -> bytes:
        """How much moves in a video, as JSON: `times` in s, `energy` in [0, 1]. Raises NotFound."""
        curve = self._runtime.store.attachment(self._runtime.resolve(asset), MOTION)
        if curve is None:
            raise NotFound(f"no motion curve of {asset}", "only videos have one")
        return curve

    def mask(self, asset: str, name: str) -> Image.Image:
        """Where in the picture an area (`sky`, `grass`, …) is: 255 there, 0 elsewhere. Raises NotFound, NothingToDraw,
        SourceGone."""
        # Opening the networks costs time and memory that an index without pictures has no use for.
        from crossmedia.api.masks import mask
        from crossmedia.embeddings.segmentation import shared_segmenter

        runtime = self._runtime
        resolved = self._runtime.resolve(asset)
        return mask(
            runtime.store, runtime.pool, shared_segmenter(runtime.catalog, runtime.settings.threads), resolved, name
        )

    def drawing(self, asset: str) -> Image.Image:
        """Its picture, or its key frames on a sheet, with the boxes of their labels. Raises NothingToDraw,
        SourceGone."""
        from crossmedia.api.drawing import draw, drawings

        resolved = self._runtime.resolve(asset)
        return draw(drawings(self._runtime.store, self._runtime.pool, resolved))


def is_unchanged(path: Path, source: Source, asset: str) -> bool:
    """Whether the asset's bytes lie there still: as long as they were, and last written when they were, or the same all
    the same."""
    try:
        status = path.stat()
        if not path.is_file() or status.st_size != source.size:
            return False
        return modified(status) == source.mtime_ns or sha256(path) == asset
    except OSError:
        return False


def _shown_at(moments: Sequence[Moment], second: float) -> str | None:
    """The key frame, or the shot that has only one, that is seen at a second; None where nothing is seen."""
    shown = [(m.start, m.kind == "frame", m.id) for m in moments if m.kind in ("shot", "frame") and m.start is not None]
    before = [one for one in shown if one[0] <= second]
    return (max(before) if before else min(shown, default=(0.0, False, None)))[2]
