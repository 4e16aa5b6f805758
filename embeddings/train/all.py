"""Make everything in `embeddings/bundled`: `python -m embeddings.train.all --flickr8k PATH --out embeddings/bundled`.

Needs the extra `train` and, for the class names, `pip install --no-deps "timm==1.0.31"`. About ten minutes on two cores.
Prints the sizes and SHA-256 to pin in `embeddings/catalog.py`. Seeds are fixed; float rounding of another processor may
still change single bits of the quantised weights.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import sha256
from embeddings.encoder import Vectors
from embeddings.onnx import session
from embeddings.picture import Lite2
from embeddings.text import MiniLM
from embeddings.train import backbone, bank, calibrate, card, data, features, head, minilm, tower
from embeddings.train.strangers import strangers

SEED = 7
DIM, NATIVE = 384, 256
CALIBRATION = 160
STRANGERS = 4000


def main() -> None:
    """Parse the command line and run every step."""
    parser = argparse.ArgumentParser(description="Train, export, quantise and calibrate the built-in models.")
    parser.add_argument("--flickr8k", type=Path, required=True, help="folder with captions.csv and images/")
    parser.add_argument("--out", type=Path, required=True, help="folder the models are written to")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        build(asked.flickr8k, asked.out, Path(work))
    for name in ("minilm-int8.onnx", "tokenizer.json", "lite2-int8.onnx", "classes.txt"):
        path = asked.out / name
        print(f'ModelFile("{name}", "{sha256(path)}", {path.stat().st_size}),')


def build(flickr8k: Path, out: Path, work: Path) -> None:
    """All steps in order; intermediate networks go to `work`."""
    train, dev = data.flickr8k(flickr8k, "train"), data.flickr8k(flickr8k, "dev")

    minilm.export(work / "minilm.onnx")
    minilm.quantise(work / "minilm.onnx", work / "minilm-int8.onnx")
    minilm.tokenizer(out / "tokenizer.json")
    texts = Sentences(work / "minilm-int8.onnx", out / "tokenizer.json")

    backbone.export(work / "lite2.onnx")
    calibration = data.pixels(train[:: len(train) // CALIBRATION][:CALIBRATION])
    backbone.quantise(work / "lite2.onnx", calibration, work / "lite2-int8.onnx")
    (out / "classes.txt").write_text("\n".join(data.class_names()) + "\n", "utf-8")

    material = features.material(work / "lite2-int8.onnx", texts, train, SEED)
    trained = head.train(material, texts(strangers(STRANGERS, SEED)), DIM, SEED)
    minilm.finish(work / "minilm-int8.onnx", trained.text_map, out / "minilm-int8.onnx")
    pca = head.components(material.features[:, 0], NATIVE)
    said = material.captions.reshape(-1, material.captions.shape[2])
    drawn = said[np.random.default_rng(SEED).choice(len(said), bank.SIZE, replace=False)]
    tower.assemble(
        work / "lite2-int8.onnx", trained, features.class_vectors(texts), drawn, pca, out / "lite2-int8.onnx"
    )

    measured = calibrate.measure(MiniLM(out), Lite2(out), dev)
    measured["figures"] |= fidelity(work, texts, out / "tokenizer.json", dev)
    (out / "backgrounds.json").write_text(json.dumps(measured, indent=1) + "\n", "utf-8")
    card.write(out, measured["figures"])
    print(json.dumps(measured["figures"], indent=1))


class Sentences:
    """Strings → (N, 384) sentence vectors of a network without the text map, one a run."""

    def __init__(self, network: Path, tokenizer: Path) -> None:
        from tokenizers import Tokenizer

        self.network = session(network)
        self.tokenizer = Tokenizer.from_file(str(tokenizer))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        rows = [np.array([written.ids], np.int64) for written in self.tokenizer.encode_batch(list(texts))]
        return np.concatenate([self.network.run(("sentence",), {"ids": r, "mask": np.ones_like(r)})[0] for r in rows])


def fidelity(work: Path, texts: Sentences, tokenizer: Path, dev: Sequence[data.Photo]) -> dict[str, float]:
    """Mean cosine of the quantised networks' outputs to the float networks', on 128 photos and as many captions."""
    some = dev[:128]
    captions = [photo.captions[0] for photo in some]
    pixels: NDArray[np.uint8] = data.pixels(some)
    full = session(work / "lite2.onnx").run(("features",), {"x": backbone.normalised(pixels)})[0]
    small = session(work / "lite2-int8.onnx").run(("features",), {"pixels": pixels})[0]
    whole = Sentences(work / "minilm.onnx", tokenizer)
    return {
        "cosine of int8 to float, pictures": float(tower.cosine(full, small).mean()),
        "cosine of int8 to float, sentences": float(tower.cosine(whole(captions), texts(captions)).mean()),
    }


if __name__ == "__main__":
    main()
