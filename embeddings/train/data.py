"""The training material: Flickr8k's photos and captions, keyword texts cut from them, ImageNet's class names."""

from __future__ import annotations

import csv
import importlib.util
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.picture import prepare
from crossmedia.embeddings.stop_words import CAPTION_WORDS

Split = Literal["train", "dev"]
ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Photo:
    """A photo with its five captions."""

    path: Path
    captions: tuple[str, ...]


def flickr8k(root: Path, split: Split) -> list[Photo]:
    """The photos of a split, by file name. `root` holds `captions.csv` (image, split, caption) and `images/`."""
    captions_of: dict[str, list[str]] = {}
    with (root / "captions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                captions_of.setdefault(row["image"], []).append(row["caption"])
    return [Photo(root / "images" / name, tuple(captions)) for name, captions in sorted(captions_of.items())]


def picture(photo: Photo) -> Picture:
    """The decoded photo."""
    return Picture(np.asarray(Image.open(photo.path).convert("RGB")))


def pixels(photos: Sequence[Photo]) -> NDArray[np.uint8]:
    """(N, 260, 260, 3) uint8, prepared exactly as the encoder prepares a picture."""
    return np.stack([prepare(picture(photo)) for photo in photos])


def words(text: str) -> list[str]:
    """Its words in lower case."""
    return re.findall(r"[a-z]+", text.lower())


def every(items: Sequence[ItemT], count: int) -> Sequence[ItemT]:
    """`count` of them, evenly."""
    return items[:: len(items) // count][:count]


def vocabulary(photos: Sequence[Photo], classes: Sequence[str]) -> set[str]:
    """The words of captions and of ImageNet's class names: English, as far as it names what can be seen."""
    texts = [*(caption for photo in photos for caption in photo.captions), *classes]
    return {word for text in texts for word in words(text)}


def keywords(caption: str, chance: random.Random) -> str:
    """One or two neighbouring content words of a caption; its words as they are if it has none."""
    content = [word for word in words(caption) if word not in CAPTION_WORDS and len(word) > 2] or words(caption)
    start = chance.randrange(len(content))
    return " ".join(content[start : start + chance.choice((1, 1, 2))])


def class_names() -> list[str]:
    """ImageNet-1k's thousand classes, each by its first lemma, from the data files of the package timm."""
    package = importlib.util.find_spec("timm")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError('timm is not installed: pip install --no-deps "timm==1.0.31"')
    folder = Path(package.submodule_search_locations[0]) / "data" / "_info"
    lemmas = dict(
        line.split("\t", 1) for line in (folder / "imagenet_synset_to_lemma.txt").read_text("utf-8").splitlines()
    )
    synsets = (folder / "imagenet_synsets.txt").read_text("utf-8").split()
    return [lemmas[synset].split(",")[0].strip() for synset in synsets]
