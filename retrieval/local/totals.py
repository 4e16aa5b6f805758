"""How much there is of what: kept by triggers (`006_totals.sql`), so that nobody counts whole tables."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Final, cast

from crossmedia.embeddings.encoder import Modality
from crossmedia.retrieval.health import Statistics

_COUNTED: Final = """
SELECT 'assets', media, count(*) FROM asset GROUP BY media
UNION ALL SELECT 'bytes', '', sum(size) FROM asset HAVING sum(size) > 0
UNION ALL SELECT 'sources', '', count(*) FROM source HAVING count(*) > 0
UNION ALL SELECT 'moments', kind, count(*) FROM moment GROUP BY kind
UNION ALL SELECT 'vectors', field, count(*) FROM vector GROUP BY field
UNION ALL SELECT iif(error IS NULL, 'done', 'failed'), enricher, count(*) FROM enrichment GROUP BY 1, 2
"""


def statistics(connection: sqlite3.Connection) -> Statistics:
    totals = _totals(connection)
    enrichments: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for outcome in ("done", "failed"):
        for enricher, count in totals[outcome].items():
            enrichments[enricher][outcome] = count
    return Statistics(
        assets=totals["assets"],
        moments=totals["moments"],
        vectors=totals["vectors"],
        sources=totals["sources"].get("", 0),
        bytes=totals["bytes"].get("", 0),
        enrichments=dict(enrichments),
    )


def vectors(connection: sqlite3.Connection) -> dict[tuple[str, Modality], int]:
    """By space and modality."""
    counts = _totals(connection)["vectors"]
    return {cast(tuple[str, Modality], tuple(field.split("/"))): count for field, count in counts.items()}


def differences(connection: sqlite3.Connection) -> list[str]:
    """Where a total is not what the tables hold; counts all of them."""
    held = {tuple(row) for row in connection.execute("SELECT what, value, count FROM total WHERE count <> 0")}
    counted = {tuple(row) for row in connection.execute(_COUNTED)}
    return [
        *(
            f"the total of {what} {value} is {count}, and others are there"
            for what, value, count in sorted(held - counted)
        ),
        *(f"there are {count} {what} {value}, and no total says so" for what, value, count in sorted(counted - held)),
    ]


def _totals(connection: sqlite3.Connection) -> defaultdict[str, dict[str, int]]:
    totals: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for what, value, count in connection.execute("SELECT what, value, count FROM total WHERE count <> 0"):
        totals[what][value] = count
    return totals
