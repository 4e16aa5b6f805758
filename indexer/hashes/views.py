"""Alternative views of a picture to hash: without added bars, and without a little of its sides.

PDQ sees through neither: without 5 % of their width and height 4 % of photographs are found again, with a caption bar
added below none (`python -m crossmedia.eval.known`). So a picture with bars is hashed without them too, and who banks
one may bank it without its sides.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.media import Picture

CROPS: Final = (0.05, 0.10)
"""Shares of width and height that are left out, as much on each side."""
MAX_BAR_LEVELS: Final = 24
"""Levels (of 255) by which a bar's colour varies, in each channel: JPEG rings around letters."""
MARGIN: Final = 0.04
"""Share of the width on each side that writing leaves free."""
PLAIN, WRITTEN = 0.9, 0.3
"""Share of the margins, and of a whole line, that has the bar's colour."""
MIN_BAR, MAX_BAR = 0.03, 0.45
"""Shares of the height that a bar has."""
MAX_BARS: Final = 0.75
"""And two of them at most."""


def without_bars(picture: Picture) -> Picture | None:
    """The picture without bars of one colour, with or without writing, along its upper and lower edge; None if there
    are none."""
    pixels = picture.pixels
    above, below = _bar(pixels), _bar(pixels[::-1])
    if (not above and not below) or above + below > MAX_BARS * picture.height:
        return None
    return Picture(np.ascontiguousarray(pixels[above : picture.height - below]))


def crop_sides(picture: Picture) -> list[Picture]:
    """The picture without `CROPS` of its sides."""
    crops = []
    for share in CROPS:
        x, y = round(share * picture.width / 2), round(share * picture.height / 2)
        if x and y:
            crops.append(Picture(np.ascontiguousarray(picture.pixels[y:-y, x:-x])))
    return crops


def _bar(pixels: NDArray[np.uint8]) -> int:
    """Lines at the top that belong to a bar: it ends at once, where a sky or a wall goes over into something else."""
    height, width = pixels.shape[:2]
    margin = max(1, round(MARGIN * width))
    sides = np.concatenate((pixels[:, :margin], pixels[:, -margin:]), axis=1)
    colour = np.median(sides[: max(1, height // 50)].reshape(-1, 3), axis=0)

    def alike(part: NDArray[np.uint8], levels: int = MAX_BAR_LEVELS) -> NDArray[np.float64]:
        apart = np.abs(part[: int(MAX_BAR * height) + 3].astype(np.int16) - colour)
        near: NDArray[np.float64] = (apart <= levels).all(axis=2).mean(axis=1)
        return near

    plain = (alike(sides) >= PLAIN) & (alike(pixels) >= WRITTEN)
    lines = int(np.argmin(plain)) if not plain.all() else len(plain)
    if not MIN_BAR * height <= lines <= MAX_BAR * height:
        return 0
    beyond = alike(pixels, 3 * MAX_BAR_LEVELS // 2)[lines + 1 : lines + 3]
    return lines if len(beyond) and beyond.max() < WRITTEN else 0
