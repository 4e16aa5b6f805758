"""Photos that come with the package scikit-image, under names that give nothing away."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import DependencyMissing


@dataclass(frozen=True)
class DemoPhoto:
    """`source`: the file in scikit-image's data folder; `origin`: who made it and how it is licensed."""

    source: str
    origin: str


PHOTOS: Final = (
    DemoPhoto("astronaut.png", "NASA, portrait of Eileen Collins; public domain"),
    DemoPhoto("coffee.png", "Rachel Michetti, courtesy of Pikolo Espresso Bar; CC0"),
    DemoPhoto("chelsea.png", "Stefan van der Walt; CC0"),
    DemoPhoto("rocket.jpg", "SpaceX, launch of DSCOVR; public domain"),
    DemoPhoto("hubble_deep_field.jpg", "NASA; public domain"),
    DemoPhoto("retina.jpg", "Häggström 2014, fundus photograph; CC0"),
    DemoPhoto("brick.png", "CC0Textures; CC0"),
    DemoPhoto("grass.png", "linolafett; CC0"),
    DemoPhoto("gravel.png", "CC0Textures; CC0"),
    DemoPhoto("coins.png", "Brooklyn Museum, Greek coins from Pompeii; no known copyright restrictions"),
    DemoPhoto("horse.png", "Andreas Preuss; CC0"),
    DemoPhoto("camera.png", "Lav Varshney; CC0"),
    DemoPhoto("clock_motion.png", "Stefan van der Walt; public domain"),
    DemoPhoto("text.png", "Wikipedia; public domain"),
    DemoPhoto("cell.png", "Müller et al.; CC0"),
    DemoPhoto("ihc.png", "Center for Microscopy and Molecular Imaging; no known copyright restrictions"),
    DemoPhoto("microaneurysms.png", "Andreas Maier; CC0"),
)


def photo_folder() -> Path:
    """scikit-image's data folder, found without importing it. Raises `DependencyMissing` if it is not installed."""
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise DependencyMissing("scikit-image is not installed", "pip install --no-deps scikit-image")
    return Path(package.origin).parent / "data"


def available() -> list[tuple[str, Path, DemoPhoto]]:
    """(neutral name, file, photo) of those that lie in the installed wheel; numbers do not shift if one is absent."""
    folder = photo_folder()
    named = (
        (f"photo-{n:02}{Path(photo.source).suffix}", folder / photo.source, photo) for n, photo in enumerate(PHOTOS, 1)
    )
    return [(name, path, photo) for name, path, photo in named if path.is_file()]
