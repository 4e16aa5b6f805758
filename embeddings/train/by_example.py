"""Calibrate pictures with pictures: the cosine from which two show the same kind of thing.

    python -m crossmedia.embeddings.train.by_example --flickr8k DATA/flickr8k --out embeddings/bundled

measures it again for the built-in picture tower, and with `--encoder clip-b16` for CLIP's; it changes those rows of
their calibrations and leaves the others.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from crossmedia.embeddings.builtin import BACKGROUNDS, TEACHER_BACKGROUNDS, teacher, towers
from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.train import data
from crossmedia.embeddings.train.calibrate import photos_to_photos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flickr8k", type=Path, required=True, help="captions.csv and images/")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the calibrations")
    parser.add_argument("--encoder", choices=("builtin", CLIP_B16.id), default="builtin")
    asked = parser.parse_args()
    text, built_in, _ = towers(Catalog())
    tower = built_in if asked.encoder == "builtin" else teacher(Catalog())
    path = asked.out / (BACKGROUNDS if asked.encoder == "builtin" else TEACHER_BACKGROUNDS)
    kept = json.loads(path.read_text("utf-8"))
    photos = data.flickr8k(asked.flickr8k, "dev")
    captions = text.encode([caption for photo in photos for caption in photo.captions]).vectors["text"]
    seen = tower.encode([data.picture(photo) for photo in photos]).vectors
    new = photos_to_photos(seen, captions.reshape(len(photos), -1, captions.shape[1]))
    for row in kept["backgrounds"]:
        key = (row["space"], row["query"], row["target"])
        if key in new:
            row |= new[key].as_dict()
            print(*key, new[key])
    path.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
