"""Plates over the service: where a car was seen."""

from __future__ import annotations

from typing import Any

from crossmedia.api.schema import content_link
from crossmedia.api.service import Service
from crossmedia.retrieval import plates


def seen(service: Service, text: str) -> list[dict[str, Any]]:
    """Where a plate is seen, exactly or with one character read wrong, the nearest first: `value` as it was read,
    `distance`, `score`, `asset`, `moment`, `path`, `start`, `end`, `box` (fractions), `link`. Raises BadPlate."""
    found = plates.find(service.store, text)
    placed = service.store.placed(list({one.asset for one in found}))
    return [
        {
            "value": one.value,
            "distance": one.distance,
            "score": round(one.score, 4),
            "asset": one.asset,
            "moment": one.moment,
            "path": next((source.path for source in placed[one.asset][1]), ""),
            "start": one.start,
            "end": one.end,
            "box": None if one.box is None else [round(share, 4) for share in one.box],
            "link": content_link(one.asset, one.start, one.end),
        }
        for one in found
        if one.asset in placed  # or deleted meanwhile
    ]
