"""Real media with ground truth, as values. What lies beside the checkout in `../shared/data`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Captioned:
    """Pictures with sentences that describe them: `captions[picture's path]`."""

    captions: dict[Path, tuple[str, ...]]


def flickr8k(folder: Path, split: Literal["train", "dev"]) -> Captioned:
    """Flickr8k (Hodosh, Young & Hockenmaier 2013): photos with five captions each."""
    found: dict[Path, list[str]] = {}
    with (folder / "captions.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                found.setdefault(folder / "images" / row["image"], []).append(row["caption"])
    return Captioned({path: tuple(captions) for path, captions in found.items()})


def spoken_captions(folder: Path) -> dict[Path, str]:
    """Recordings of a Flickr8k caption each, with what is said. The stem names the photo it describes."""
    return {path: path.with_suffix(".txt").read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.mp3"))}


def classes(folder: Path) -> dict[Path, str]:
    """A folder of folders: each file's class is its folder's name, without a leading number."""
    return {path: path.parent.name.split(" - ")[-1] for path in sorted(folder.glob("*/*")) if path.is_file()}
