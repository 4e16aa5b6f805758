"""The model card of the segmentation."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from crossmedia.embeddings.catalog import sha256

CARD: Final = """# areas.npz: what places of a picture are made of

Result: {size} bytes, SHA-256 {digest}: a softmax over 531 values a cell, ten classes and `other`.
Command: `python -m crossmedia.embeddings.train.areas --flickr8k PATH --out embeddings/bundled`.
Licence: Apache-2.0, as the picture tower whose layers it reads (lite2.md); it works with that tower alone.
Trained on: {photos} photos of Flickr8k's train split (Hodosh, Young and Hockenmaier, 2013; a research-use data set, so
settle for yourself whether your use is covered): {points} points in {pointed} were named by eye, by one person,
doubtful ones left out (`embeddings/train/areas.csv`); all other cells by self-training under what captions name and
what the detector of objects finds.
In: 48 + 120 + 352 values of three layers of the tower for each of 17 by 17 cells, mean and deviation of L, a, b, place.
Out: chances of sky, grass, water, snow, sand, trees, road, building, rock, floor and other. A guided filter sharpens
them.
Road is learned, but not told: of 17 points that were, 9 were right. `rock` is mountains and cliffs as well, `building`
walls in the open, `sand` beaches and bare earth.
How good it is: `crossmedia eval areas`, on 360 points of 40 photos of the dev split that were named before anything was
learned.
The threshold under which a place is `other`, and which classes are told, were chosen on these points, so the figures
flatter.
Limits: snow and pale water or sky are taken for one another; small parts (below a cell, a seventeenth of the side) are
lost; rooms are mostly `other`; drawings, and pictures from above, were never looked at.
"""


def write(out: Path, photos: int, points: int, pointed: int) -> None:
    """Put `areas.md` beside the model in `out`. Of `photos`, `pointed` have `points`."""
    path = out / "areas.npz"
    text = CARD.format(
        size=path.stat().st_size, digest=sha256(path), photos=f"{photos:,}", points=points, pointed=pointed
    )
    (out / "areas.md").write_text(text, "utf-8")
