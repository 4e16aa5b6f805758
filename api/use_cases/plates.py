"""Number plates: where a car was seen."""

from __future__ import annotations

from pydantic import BaseModel

from crossmedia.api.runtime import Runtime
from crossmedia.api.schema import content_link
from crossmedia.retrieval import plates


class PlateOut(BaseModel):
    """A plate where it is seen. `value`: as it was read; `distance`: characters that differ from what was asked, 0 or
    1; `box` in fractions of the picture."""

    value: str
    distance: int
    score: float
    asset: str
    moment: str
    path: str
    start: float | None
    end: float | None
    box: list[float] | None
    link: str


class Plates:
    """Number plates that were read."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def find(self, text: str) -> list[PlateOut]:
        """Where a plate is seen, exactly or with one character read wrong, the nearest first. Raises BadPlate."""
        store = self._runtime.store
        sightings = plates.find(store, text)
        placed = store.placed(list({one.asset for one in sightings}))
        return [
            PlateOut(
                value=one.value,
                distance=one.distance,
                score=round(one.score, 4),
                asset=one.asset,
                moment=one.moment,
                path=next((source.path for source in placed[one.asset][1]), ""),
                start=one.start,
                end=one.end,
                box=None if one.box is None else [round(share, 4) for share in one.box],
                link=content_link(one.asset, one.start, one.end),
            )
            for one in sightings
            if one.asset in placed  # or deleted meanwhile
        ]
