"""Encoders' own rates, beside the bare network on prepared input.

python -m crossmedia.eval.bench.encoders
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from crossmedia.embeddings.builtin import towers
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture import prepare
from crossmedia.eval.bench.common import RANDOM_WORDS, BenchRow, flickr_photos, repeat, show

BATCH = 32


def main() -> None:
    text, picture, _ = towers(Catalog(), 2)
    photos = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in flickr_photos()[:BATCH]]
    whole = repeat(lambda: picture.encode(photos), 4.0) * BATCH
    prepared = np.stack([prepare(photo) for photo in photos[:8]])
    network = session(picture.folder / "lite2-int8.onnx", 2)
    bare = repeat(lambda: network.run(None, {"pixels": prepared}), 4.0) * len(prepared)
    rng = np.random.default_rng(0)
    sentences = [" ".join(RANDOM_WORDS[i] for i in rng.integers(0, len(RANDOM_WORDS), 10)) for _ in range(BATCH)]
    batched = repeat(lambda: text.encode(sentences), 3.0) * BATCH
    single = repeat(lambda: text.encode(sentences[:1]), 3.0)
    show(
        "Encoders",
        [
            BenchRow("picture, batch 32", f"{whole:.0f}/s", f"network alone {bare:.0f}/s", whole / bare, "≥ 200/s"),
            BenchRow(
                "sentence of 10 words, batch 32", f"{batched:.0f}/s", f"one by one {single:.0f}/s", batched / single
            ),
        ],
    )


if __name__ == "__main__":
    main()
