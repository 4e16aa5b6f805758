"""`python -m crossmedia.eval.demo.symbols OUT`: drawings of made-up signs that no model can know the names of, and
pairs to learn them from.

Each sign is drawn several times: moved, turned, scaled, on paper of another colour. `OUT/pairs.csv` names some of the
drawings; those in `OUT/unseen` are for the search to find. No file is called after its sign.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

SYMBOL_NAMES: Final = ("vexor", "tulip knot", "ombrel", "karst wheel", "pendalo", "three rivers", "zikkar", "moon gate")
LEARNED, UNSEEN = 6, 2
SIDE: Final = 256
_INKS: Final = ((20, 20, 20), (180, 30, 30), (20, 60, 160), (20, 110, 50), (110, 40, 130))
_PAPERS: Final = ((255, 255, 255), (245, 240, 220), (220, 235, 250), (230, 245, 225))

Point = tuple[float, float]


def draw(sign: int, variant: int) -> Image.Image:
    """A drawing of a sign; the same numbers give the same picture."""
    rng = np.random.default_rng((sign, variant))
    angle, scale = rng.uniform(-0.2, 0.2), rng.uniform(0.75, 1.0) * SIDE * 0.42
    middle = SIDE / 2 + rng.uniform(-12, 12, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale

    def at(x: float, y: float) -> Point:
        moved = turn @ (x, y) + middle
        return float(moved[0]), float(moved[1])

    def round_at(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
        (across, down), reach = at(x, y), radius * scale
        return across - reach, down - reach, across + reach, down + reach

    image = Image.new("RGB", (SIDE, SIDE), _PAPERS[rng.integers(len(_PAPERS))])
    pen = ImageDraw.Draw(image)
    ink, width = _INKS[sign % len(_INKS)], max(4, int(scale * 0.09))
    if sign == 0:
        pen.line([at(-1, -1), at(0, 1), at(1, -1)], ink, width, "curve")
        pen.ellipse(round_at(0, -0.4, 0.25), fill=ink)
    elif sign == 1:
        for x in (-0.5, 0.0, 0.5):
            pen.ellipse(round_at(x, 0, 0.5), outline=ink, width=width)
    elif sign == 2:
        pen.polygon([at(-1, 0), at(0, -1), at(1, 0)], fill=ink)
        pen.line([at(0, 0), at(0, 1)], ink, width)
    elif sign == 3:
        pen.ellipse(round_at(0, 0, 1), outline=ink, width=width)
        for spoke in range(5):
            turned = 2 * np.pi * spoke / 5
            pen.line([at(0, 0), at(np.sin(turned), np.cos(turned))], ink, width)
    elif sign == 4:
        pen.line([at(0, -1), at(0, 0.3)], ink, width)
        pen.polygon([at(-0.6, 0.3), at(0.6, 0.3), at(0, 1)], outline=ink, width=width)
    elif sign == 5:
        for y in (-0.7, 0.0, 0.7):
            pen.line([at(x / 8, y + 0.2 * np.sin(x)) for x in range(-8, 9)], ink, width, "curve")
    elif sign == 6:
        pen.line([at(-1, -1), at(-0.3, 1), at(0, -1), at(0.3, 1), at(1, -1)], ink, width, "curve")
    else:
        pen.polygon([at(-0.9, -0.8), at(-0.6, -0.8), at(-0.6, 0.9), at(-0.9, 0.9)], fill=ink)
        pen.polygon([at(0.9, -0.8), at(0.6, -0.8), at(0.6, 0.9), at(0.9, 0.9)], fill=ink)
        pen.chord(round_at(0, -0.2, 0.45), 20, 200, fill=ink)
    return image


def make(out: Path) -> Path:
    """Writes the drawings and `pairs.csv` below `out`; gives back the CSV."""
    (out / "unseen").mkdir(parents=True, exist_ok=True)
    rows = []
    order = np.random.default_rng(1).permutation(len(SYMBOL_NAMES) * (LEARNED + UNSEEN)).tolist()
    for number, place in enumerate(order):
        sign, variant = divmod(place, LEARNED + UNSEEN)
        name = f"drawing-{number:02}.png"
        if variant < LEARNED:
            rows.append((name, SYMBOL_NAMES[sign]))
            draw(sign, variant).save(out / name)
        else:
            draw(sign, variant).save(out / "unseen" / name)
    table = out / "pairs.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("picture", "text"), *rows])
    return table


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m crossmedia.eval.demo.symbols OUT", file=sys.stderr)
        return 2
    print(f"{len(SYMBOL_NAMES) * (LEARNED + UNSEEN)} drawings and {make(Path(arguments[0]))}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
