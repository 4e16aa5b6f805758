"""Calibrate what CLIP's tower and its student see against words: `python -m crossmedia.embeddings.train.sight --data
../shared/data --out embeddings/bundled`.

Comes after `clip_b16_words.py` and `student.py`. The student's vectors are nearer to everything than the teacher's or
farther from it; what is taken off all of them is chosen so that one cut-off serves both, since a collection may hold
vectors of either. Writes that number into the student's file, and the calibrations of both. Three minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crossmedia.embeddings import layers
from crossmedia.embeddings.builtin import BACKGROUNDS, TEACHER_BACKGROUNDS
from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.catalog import BUNDLED, Catalog, sha256
from crossmedia.embeddings.clip_b16 import ClipB16
from crossmedia.embeddings.clip_b16_words import MAP, MappedWords, bank_of
from crossmedia.embeddings.encoder import Encoder
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.picture import HEAD, Lite2
from crossmedia.embeddings.train import calibrate, data
from crossmedia.embeddings.train.things import things


def bias(measured: dict[str, Any]) -> float:
    """The cosine of a text and a picture at which their relevance is one half."""
    [row] = [
        row
        for row in measured["backgrounds"]
        if (row["space"], row["query"], row["target"]) == ("common", "text", "picture")
    ]
    return float(row["middle"])


def raise_offset(path: Path, further: float) -> None:
    """Change the offset of all vectors of the student."""
    arrays = layers.read(path, "hidden", "out", "offset")
    layers.write(path, arrays, {"offset": np.array(arrays["offset"] + further, np.float32)})


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with flickr8k")
    parser.add_argument("--models", type=Path, help="folder of models, where it is not the usual one")
    parser.add_argument("--out", type=Path, required=True, help="folder with the models, which is written to")
    asked = parser.parse_args(arguments)
    train, dev = (data.flickr8k(asked.data / "flickr8k", split) for split in ("train", "dev"))
    names = things(data.vocabulary([*train, *dev], data.class_names()))
    unseen = [thing for thing in names if thing.split == "dev" and thing.tangible]
    words, head = MappedWords(BUNDLED, asked.out / MAP), asked.out / HEAD

    def measure(tower: Encoder[Picture]) -> dict[str, Any]:
        return calibrate.measure(words, tower, dev, unseen)

    def student() -> Lite2:
        return Lite2(BUNDLED, head, lambda: bank_of(asked.out / MAP))

    teacher = ClipB16(lambda: Catalog(asked.models).resolve(CLIP_B16.id), lambda: bank_of(asked.out / MAP))
    taught = measure(teacher)
    # A cosine of two framed vectors is half of what it is of their contents.
    raise_offset(head, 2 * (bias(measure(student())) - bias(taught)))
    for name, measured in ((BACKGROUNDS, measure(student())), (TEACHER_BACKGROUNDS, taught)):
        (asked.out / name).write_text(json.dumps(measured, indent=1) + "\n", "utf-8")
        print(name, json.dumps(measured["figures"], indent=1))
    print(f'{{ name = "{HEAD}", sha256 = "{sha256(head)}", size = {head.stat().st_size:_} }},')


if __name__ == "__main__":
    main()
