"""Real media with ground truth, as values. What lies beside the checkout in `../shared/data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.train import data
from crossmedia.embeddings.train import things as named_things
from crossmedia.embeddings.train.things import DrawnThing

SPLITS: Final[tuple[data.Split, ...]] = ("train", "dev")


@dataclass(frozen=True)
class Captioned:
    """Pictures with sentences that describe them: `captions[picture's path]`."""

    captions: dict[Path, tuple[str, ...]]


def flickr8k(folder: Path, split: data.Split) -> Captioned:
    """Flickr8k (Hodosh, Young & Hockenmaier 2013): photos with five captions each."""
    return Captioned({photo.path: photo.captions for photo in data.flickr8k(folder, split)})


def things_of_split(photos: Path, split: data.Split) -> list[DrawnThing]:
    """Clip art and emoji of a split that are of things to look for. `photos`: the folder of Flickr8k, whose captions
    tell English titles from others."""
    classes_of_imagenet = (BUNDLED / "classes.txt").read_text("utf-8").splitlines()
    captioned = [photo for part in SPLITS for photo in data.flickr8k(photos, part)]
    every = named_things.things(data.vocabulary(captioned, classes_of_imagenet))
    return [thing for thing in every if thing.split == split and thing.tangible]


def things(photos: Path, room: Path) -> dict[str, tuple[str, Path]]:
    """The pictures of things that training left out: by key their name and file.

    All are drawn into `room` under numbers: the files' own names would answer instead of the pictures.

    `photos`: as of `things_of_split`.
    """
    room.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for number, thing in enumerate(things_of_split(photos, "dev")):
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
