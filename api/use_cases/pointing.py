"""Where words are in a picture, or in a key frame of a video: looked for in the file when it is asked, and not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image
from pydantic import BaseModel

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.runtime import Runtime
from crossmedia.embeddings.encoder import COMMON, Vector, normalise
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.pointing import Heat, Pointer
from crossmedia.retrieval.store import NotFound

MAX_WORDS: Final = 300
"""Characters of what is asked for."""
MAX_FRAMES: Final = 60
"""Key frames of a video that are compared; of more, evenly spread ones."""
THIRDS: Final = (("left", "centre", "right"), ("upper third", "middle", "lower third"))


class WhereOut(BaseModel):
    """Where words are in a picture: `moment` is the picture or key frame that was looked at.

    `chance` in [0, 1] that it shows them at all, `seen` where that is a half or more; only then are there a `place` in
    words, a `point` (x, y) and a `box` (x0, y0, x1, y1), both in fractions of the picture. `heat`: rows of cells over
    the whole picture, each in [0, 1]; `model`: what looked.
    """

    asset: str
    moment: str
    words: str
    seen: bool
    chance: float
    place: str | None
    point: tuple[float, float] | None
    box: tuple[float, float, float, float] | None
    heat: list[list[float]]
    model: str


@dataclass(frozen=True)
class Pointed:
    """A picture, and where in it words are."""

    asset: str
    moment: str
    words: str
    picture: Picture
    heat: Heat
    model: str

    def out(self) -> WhereOut:
        """As it is told."""
        shown, seen = self.heat, self.heat.seen
        left, top, right, bottom = (round(side, 4) for side in shown.box)
        return WhereOut(
            asset=self.asset,
            moment=self.moment,
            words=self.words,
            seen=seen,
            chance=round(shown.chance, 4),
            place=place_of(*shown.point) if seen else None,
            point=(round(shown.point[0], 4), round(shown.point[1], 4)) if seen else None,
            box=(left, top, right, bottom) if seen else None,
            heat=[[round(float(cell), 3) for cell in row] for row in shown.cells],
            model=self.model,
        )

    def drawing(self) -> Image.Image:
        """The picture with what is hot over it, and the box where the words are seen."""
        from crossmedia.api.drawing import draw_heat

        return draw_heat(self.picture, self.heat.cells, self.heat.box if self.heat.seen else None)


class Pointing:
    """Looks at files anew; nothing is stored."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def where(self, asset: str, words: str, moment: str | None = None) -> WhereOut:
        """Where words are. Raises what `look` raises."""
        return self.look(asset, words, moment).out()

    def look(self, asset: str, words: str, moment: str | None = None) -> Pointed:
        """In a picture, in the key frame that a moment shows, or in that of a video which is most like the words.

        Raises InvalidRequest for no words or too many, NotFound, Ambiguous, NothingToDraw for a recording or a text,
        SourceGone, CannotPoint, ModelMissing, and what decoding raises.
        """
        from crossmedia.api.drawing import read_anew

        asked = " ".join(words.split())
        if not asked:
            raise InvalidRequest("no words to look for", "name a thing, such as: a red bike")
        if len(asked) > MAX_WORDS:
            raise InvalidRequest(f"{len(asked)} characters to look for", f"use at most {MAX_WORDS}")
        resolved = self._runtime.resolve(asset)
        pointer = self._runtime.pointer
        _, shown = read_anew(self._runtime.store, self._runtime.pool, resolved)
        said = self._said(asked, pointer)
        if moment is not None:
            shown = self._shown_by(resolved, moment, shown)
        if len(shown) > MAX_FRAMES:
            shown = [shown[round(n)] for n in np.linspace(0, len(shown) - 1, MAX_FRAMES)]
        if len(shown) > 1:
            shown = [max(shown, key=lambda one: pointer.likeness(one[1], said))]
        [(looked_at, picture)] = shown
        return Pointed(resolved, looked_at, asked, picture, pointer.point(picture, said), pointer.model)

    def _said(self, words: str, pointer: Pointer) -> Vector:
        """Without the dimensions that are of searches alone, and without heads: pictures are looked at anew."""
        vectors = self._runtime.base_profile.text.encode([words]).vectors[COMMON]
        vector: Vector = normalise(vectors[:, : pointer.dim])[0]
        return vector

    def _shown_by(self, asset: str, moment: str, shown: list[tuple[str, Picture]]) -> list[tuple[str, Picture]]:
        """The pictures of a moment: its own, or those of the key frames within a shot."""
        own = [one for one in shown if one[0] == moment]
        if own:
            return own
        known = {one.id: one for one in self._runtime.store.moments(asset)}
        span = known.get(moment)
        if span is not None and span.start is not None and span.end is not None:
            times = {name: known[name].start for name, _ in shown if name in known}
            own = [one for one in shown if span.start <= (times.get(one[0]) or 0.0) < span.end]
        if not own:
            raise NotFound(f"no picture of the moment {moment}", "moments of pictures and videos have them")
        return own


def place_of(x: float, y: float) -> str:
    """A point, in fractions of a picture, in words.

    >>> place_of(0.1, 0.9), place_of(0.5, 0.5)
    ('left, lower third', 'in the middle')
    """
    across, down = THIRDS[0][min(2, int(3 * x))], THIRDS[1][min(2, int(3 * y))]
    return "in the middle" if (across, down) == ("centre", "middle") else f"{across}, {down}"
