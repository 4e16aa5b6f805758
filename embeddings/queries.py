"""Some hundred ordinary searches, the unrelated queries that calibrations are measured with, from `queries.txt`.

They are about so many subjects that in any collection nearly all pairs of one of them and an item are unrelated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

QUERIES: Final = tuple(Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines())
"""Written for this; no data set of queries lies behind it."""
