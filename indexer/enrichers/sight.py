"""The pass `sight`: vectors of pictures and key frames by the teacher, in place of the student's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.encoder import COMMON, UNALIGNED, Encoder, Vector
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import Medium, Picture
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures, spaces_of
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.indexer.structure import pool_frames, pooled_shots
from crossmedia.retrieval.documents import Asset, Enrichment, Moment, Patch

BATCH: Final = 8
"""Key frames that are encoded at once; the progress moves after each such batch."""


class SightEnricher:
    """The `common` vectors of a picture, or of a video's key frames and of the shots that these stand for, anew.

    Only `common`: what is like an example, what scenes belong together and what is in a region are still the student's.
    """

    name = "sight"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ()
    hears = False
    newest_first = True

    def __init__(self, encoder: Encoder[Picture]) -> None:
        self._encoder = encoder
        self._spaces = spaces_of(encoder, COMMON, UNALIGNED)
        self.model = f"{encoder.model}+sight@1"  # without heads: a reindex moves these vectors itself

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        shown = pictures(asset, decoded)
        ends = {moment.id: moment.end or 0.0 for moment in moments}
        seen: dict[str, dict[str, Vector]] = {}
        for first in range(0, len(shown), BATCH):
            batch = shown[first : first + BATCH]
            vectors = self._encoder.encode([picture for _, picture in batch]).vectors
            for n, (name, _) in enumerate(batch):
                seen[name] = {space.name: vectors[space.name][n] for space in self._spaces}
            progress(ends.get(batch[-1][0], 0.0))
        spaces = {space.name: space for space in self._spaces}
        pooled = {
            shot: pool_frames([seen[frame] for frame in frames], spaces)
            for shot, frames in pooled_shots(asset.id, decoded.shots).items()
        }
        patches = tuple(Patch(name, vectors=own) for name, own in {**seen, **pooled}.items() if name in ends)
        return Enrichment(asset.id, self.name, self.model, patches=patches, spaces=self._spaces, replaces=tuple(spaces))


def _build(context: PassContext) -> SightEnricher:
    profile = context.profile
    if profile.sight is None:
        raise ModelMissing(
            f"the profile {profile.name} has no teacher, whose vectors would replace those of its pictures",
            f"{context.catalog.card(CLIP_B16.id).install}, and CROSSMEDIA_SIGHT=both",
        )
    return SightEnricher(profile.sight)


PASS: Final = PassSpec(
    name=SightEnricher.name,
    summary="a second, closer look at pictures, so that words find them better",
    spaces=(COMMON,),
    build=_build,
)
