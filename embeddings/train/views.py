"""Augment a training picture: mirrored, cropped, on other backdrops."""

from __future__ import annotations

import math
import random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.picture import prepare
from crossmedia.embeddings.train.data import Photo, picture
from crossmedia.embeddings.train.things import DrawnThing

VIEWS: Final = 8
AREA: Final = (0.5, 0.95)
"""Share of a picture that a crop keeps."""
STRETCH: Final = 0.2
"""Of a crop's sides against each other, as ± log."""
ROOM: Final = (1.1, 1.7)
"""Side of the backdrop in units of the drawing's longer side."""
PALE: Final = 200
"""Half of the backdrops are grey levels from here to white, half are any colour."""


def of_photo(photo: Photo, count: int = VIEWS) -> NDArray[np.uint8]:
    """(count, 260, 260, 3): whole, mirrored, and crops. The same at each call."""
    return of_whole(picture(photo), photo.path.name, count)


def of_whole(whole: Picture, name: str, count: int) -> NDArray[np.uint8]:
    """The same of any picture, whose `name` decides the crops."""
    chance = random.Random(name)
    straight = prepare(whole)
    return np.stack([straight, straight[:, ::-1], *(prepare(_crop(whole, chance)) for _ in range(count - 2))])


def of_thing(thing: DrawnThing) -> NDArray[np.uint8]:
    """(8, 260, 260, 3): on white, mirrored, crops, and smaller on other backdrops. The same at each call."""
    chance = random.Random(f"{thing.name} {thing.source if isinstance(thing.source, str) else thing.source.name}")
    on_white = thing.picture()
    straight = prepare(on_white)
    crops = [prepare(_crop(on_white, chance)) for _ in range((VIEWS - 2) // 2)]
    placed = [prepare(_place(thing, chance)) for _ in range((VIEWS - 1) // 2)]
    return np.stack([straight, straight[:, ::-1], *crops, *placed])


def _crop(whole: Picture, chance: random.Random) -> Picture:
    """Of random place, size and proportions, half of the time mirrored."""
    height, width = whole.pixels.shape[:2]
    side = math.sqrt(chance.uniform(*AREA))
    stretch = math.exp(chance.uniform(-STRETCH, STRETCH))
    rows, columns = (
        max(1, min(full, round(full * part))) for full, part in ((height, side * stretch), (width, side / stretch))
    )
    top, left = chance.randrange(height - rows + 1), chance.randrange(width - columns + 1)
    part = whole.pixels[top : top + rows, left : left + columns]
    return Picture(np.ascontiguousarray(part[:, ::-1] if chance.random() < 0.5 else part))


def _place(thing: DrawnThing, chance: random.Random) -> Picture:
    level = chance.randrange(PALE, 256)
    colour = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
    backdrop = colour if chance.random() < 0.5 else (level, level, level)
    drawn = thing.picture(backdrop)
    height, width = drawn.pixels.shape[:2]
    side = math.ceil(max(height, width) * chance.uniform(*ROOM))
    ground = np.empty((side, side, 3), np.uint8)
    ground[:] = backdrop
    top, left = chance.randrange(side - height + 1), chance.randrange(side - width + 1)
    part = drawn.pixels[:, ::-1] if chance.random() < 0.5 else drawn.pixels
    ground[top : top + height, left : left + width] = part
    return Picture(ground)
