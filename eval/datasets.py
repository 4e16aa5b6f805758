"""Real media with ground truth, as values. What lies beside the checkout in `../shared/data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.train import data
from crossmedia.embeddings.train import things as named_things

SPLITS: Final[tuple[data.Split, ...]] = ("train", "dev")


@dataclass(frozen=True)
class Captioned:
    """Pictures with sentences that describe them: `captions[picture's path]`."""

    captions: dict[Path, tuple[str, ...]]


def flickr8k(folder: Path, split: data.Split) -> Captioned:
    """Flickr8k (Hodosh, Young & Hockenmaier 2013): photos with five captions each."""
    return Captioned({photo.path: photo.captions for photo in data.flickr8k(folder, split)})


def things(photos: Path, room: Path) -> dict[str, tuple[str, Path]]:
    """The pictures of things that training left out: by key their name and file.

    All are drawn into `room` under numbers: the files' own names would answer instead of the pictures.

    `photos`: the folder of Flickr8k, whose captions tell English titles from others.
    """
    classes_of_imagenet = (BUNDLED / "classes.txt").read_text("utf-8").splitlines()
    captioned = [photo for split in SPLITS for photo in data.flickr8k(photos, split)]
    room.mkdir(parents=True, exist_ok=True)
    pictures = {}
    all_things = named_things.things(data.vocabulary(captioned, classes_of_imagenet))
    for number, thing in enumerate(thing for thing in all_things if thing.split == "dev" and thing.tangible):
        path = room / f"{number:04}.png"
        Image.fromarray(thing.picture().pixels).save(path)
        pictures[path.name] = (thing.name, path)
    return pictures


def spoken_captions(folder: Path) -> dict[Path, str]:
    """Recordings of a Flickr8k caption each, with what is said. The stem names the photo it describes."""
    return {path: path.with_suffix(".txt").read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.mp3"))}


def classes(folder: Path) -> dict[Path, str]:
    """A folder of folders: each file's class is its folder's name, without a leading number."""
    return {path: path.parent.name.split(" - ")[-1] for path in sorted(folder.glob("*/*")) if path.is_file()}
