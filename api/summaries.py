"""What an asset is about, over the service: sentences of it, a description of what it shows, its chapters."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from crossmedia.retrieval.answering.chapters import chapters
from crossmedia.retrieval.answering.summary import summary

if TYPE_CHECKING:
    from crossmedia.api.service import Service

SENTENCES = 3


def summed_up(service: Service, asset: str, most: int = SENTENCES) -> dict[str, Any]:
    """`sentences` (each with its moment, second or page, and centrality), `descriptions` that were made from labels,
    and `chapters`, of the asset whose id starts so. Raises NotFound, Ambiguous, Blocked."""
    found = service.resolve(asset)
    service.moderation.require_served(found)
    moments = service.store.moments(found)
    return {
        "asset": found,
        "sentences": [
            {
                "text": one.text, "moment": one.moment.id, "start": one.moment.start, "end": one.moment.end,
                "page": one.moment.page, "centrality": one.centrality,
            }
            for one in summary(moments, service.profile, most)
        ],
        "descriptions": [
            {"text": m.fields["description"], "moment": m.id, "start": m.start, "end": m.end, "generated": True}
            for m in moments
            if "description" in m.fields
        ],
        "chapters": [asdict(chapter) for chapter in chapters(moments, service.profile)],
    }  # fmt: skip
