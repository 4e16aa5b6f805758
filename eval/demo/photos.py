"""Photos that come with the package scikit-image, under names that give nothing away."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import DependencyMissing


@dataclass(frozen=True)
class Photo:
    """`source`: the file in scikit-image's data folder; `origin`: who made it and how it is licensed."""

    source: str
    origin: str


PHOTOS: Final = (
    Photo("astronaut.png", "NASA, portrait of Eileen Collins; public domain"),
    Photo("coffee.png", "Rachel Michetti, courtesy of Pikolo Espresso Bar; CC0"),
    Photo("chelsea.png", "Stefan van der Walt; CC0"),
    Photo("rocket.jpg", "SpaceX, launch of DSCOVR; public domain"),
    Photo("hubble_deep_field.jpg", "NASA; public domain"),
    Photo("retina.jpg", "Häggström 2014, fundus photograph; CC0"),
    Photo("brick.png", "CC0Textures; CC0"),
    Photo("grass.png", "linolafett; CC0"),
    Photo("gravel.png", "CC0Textures; CC0"),
    Photo("coins.png", "Brooklyn Museum, Greek coins from Pompeii; no known copyright restrictions"),
    Photo("horse.png", "Andreas Preuss; CC0"),
    Photo("camera.png", "Lav Varshney; CC0"),
    Photo("clock_motion.png", "Stefan van der Walt; public domain"),
    Photo("text.png", "Wikipedia; public domain"),
    Photo("cell.png", "Müller et al.; CC0"),
    Photo("ihc.png", "Center for Microscopy and Molecular Imaging; no known copyright restrictions"),
    Photo("microaneurysms.png", "Andreas Maier; CC0"),
)


def photo_folder() -> Path:
    """scikit-image's data folder, found without importing it. Raises `DependencyMissing` if it is not installed."""
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise DependencyMissing("scikit-image is not installed", "pip install --no-deps scikit-image")
    return Path(found.origin).parent / "data"


def available() -> list[tuple[str, Path, Photo]]:
    """(neutral name, file, photo) of those that lie in the installed wheel; numbers do not shift if one is absent."""
    folder = photo_folder()
    named = (
        (f"photo-{n:02}{Path(photo.source).suffix}", folder / photo.source, photo) for n, photo in enumerate(PHOTOS, 1)
    )
    return [(name, path, photo) for name, path, photo in named if path.is_file()]
