"""Make the built-in words, pictures and sounds: `python -m crossmedia.embeddings.train.all --data ../shared/data
--vectors FOLDER --out embeddings/bundled`.

The sentence and picture networks first, then CLIP's space: the words that are mapped into it, English and others, the
student of its picture tower, what similarities mean, and sounds. Needs the extra `train`, for the class names `pip
install --no-deps "timm==1.0.31"`, the Debian packages that `things.py` and `translations.py` name, and `crossmedia
models pull clip-b16`. FOLDER keeps what CLIP saw. Two hours on two cores, most of them for fine-tuning and for
looking at pictures as CLIP does. Prints the sizes and SHA-256 to pin in `embeddings/cards.toml`. Seeds are fixed;
float rounding of another processor may still change single bits of the quantised weights.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture import prepare
from crossmedia.embeddings.train import (
    backbone,
    card,
    clip_b16_words,
    data,
    finetune,
    lite2,
    material,
    minilm,
    sight,
    sound_tower,
    student,
    tower,
    universal_words,
)
from crossmedia.embeddings.train.strangers import strangers
from crossmedia.embeddings.train.things import DrawnThing, things

SEED = 7
NATIVE = 256
CALIBRATION, DRAWN = 160, 40
"""Photos and things by which the ranges of the quantised network are set."""
STRANGER_COUNT = 4000


def main() -> None:
    """Parse the command line and run every step."""
    parser = argparse.ArgumentParser(description="Train, export, quantise and calibrate the built-in models.")
    parser.add_argument("--data", type=Path, required=True, help="folder with flickr8k, imagenet-sample, esc10, …")
    parser.add_argument("--vectors", type=Path, required=True, help="folder that keeps what CLIP sees")
    parser.add_argument("--out", type=Path, required=True, help="folder the models are written to")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        build(asked.data / "flickr8k", asked.out, Path(work))
    where = ["--data", str(asked.data), "--out", str(asked.out)]
    for step in (clip_b16_words, universal_words, student):
        step.main([*where, "--vectors", str(asked.vectors)])
    for later in (sight, sound_tower):
        later.main(where)
    for name in ("minilm-int8.onnx", "tokenizer.json", "lite2-int8.onnx", "classes.txt"):
        path = asked.out / name
        print(f'ModelFile("{name}", "{sha256(path)}", {path.stat().st_size}),')


def build(flickr8k: Path, out: Path, work: Path) -> None:
    """All steps in order; intermediate networks go to `work`."""
    train, dev = data.flickr8k(flickr8k, "train"), data.flickr8k(flickr8k, "dev")
    names = things(data.vocabulary([*train, *dev], data.class_names()))
    known = [thing for thing in names if thing.split == "train"]

    minilm.export(work / "minilm.onnx")
    minilm.quantise(work / "minilm.onnx", work / "minilm-int8.onnx")
    minilm.tokenizer(out / "tokenizer.json")
    texts = minilm.States(work / "minilm-int8.onnx", out / "tokenizer.json")

    calibration = _calibration(train, known)
    backbone.export(lite2.load(), work / "published.onnx")
    backbone.quantise(work / "published.onnx", calibration, work / "published-int8.onnx")
    (out / "classes.txt").write_text("\n".join(data.class_names()) + "\n", "utf-8")

    network = backbone.Tapped(work / "published-int8.onnx")
    shown = material.gather(network, texts, train, known, SEED)
    unanswered = texts(strangers(STRANGER_COUNT, SEED))
    trained = finetune.train(shown, unanswered, lite2.load(), network.scale, network.zero, SEED)
    minilm.finish(work / "minilm-int8.onnx", out / "minilm-int8.onnx")

    tail = trained.tail
    tuned = lite2.with_tail(lite2.load(), tail.blocks, tail.top, tail.classifier)
    backbone.export(tuned, work / "lite2.onnx")
    backbone.quantise(work / "lite2.onnx", calibration, work / "lite2-int8.onnx")
    pca = tower.components(finetune.features(tail, shown.maps[:, 0]).numpy(), NATIVE)
    tower.assemble(work / "lite2-int8.onnx", pca, out / "lite2-int8.onnx")

    card.write(out, fidelity(work, texts, out / "tokenizer.json", dev))


def _calibration(photos: Sequence[data.Photo], known: Sequence[DrawnThing]) -> NDArray[np.uint8]:
    drawn = [prepare(thing.picture()) for thing in data.every(known, DRAWN)]
    return np.concatenate([data.pixels(data.every(photos, CALIBRATION)), np.stack(drawn)])


def fidelity(work: Path, texts: minilm.States, tokenizer: Path, dev: Sequence[data.Photo]) -> dict[str, float]:
    """Mean cosine of the quantised networks' outputs to the float networks', on 128 photos and as many captions."""
    sample = dev[:128]
    captions = [photo.captions[0] for photo in sample]
    pixels: NDArray[np.uint8] = data.pixels(sample)
    full = session(work / "lite2.onnx").run(("features",), {"x": backbone.normalise(pixels)})[0]
    small = session(work / "lite2-int8.onnx").run(("features",), {"pixels": pixels})[0]
    whole = minilm.States(work / "minilm.onnx", tokenizer)
    return {
        "cosine of int8 to float, pictures": float(tower.cosine(full, small).mean()),
        "cosine of int8 to float, sentences": float(tower.cosine(whole(captions), texts(captions)).mean()),
    }


if __name__ == "__main__":
    main()
