"""How much an attack does, what it draws, and where it leaves what it found.

`CROSSMEDIA_ATTACK` is its size in minutes: 60 is that of `make attack`, half a one that beside the other tests.
`CROSSMEDIA_ATTACK_SEED` repeats a run. `CROSSMEDIA_ATTACK_OUT` is the folder of the figures and of the inputs that did
harm.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any, Final

MINUTES: Final = float(os.environ.get("CROSSMEDIA_ATTACK") or 0.5)
SEED: Final = os.environ.get("CROSSMEDIA_ATTACK_SEED") or "1"
"""A fixed one beside the other tests, so that a failure there tells of a change; `make attack` draws one."""
OUT: Final = Path(os.environ.get("CROSSMEDIA_ATTACK_OUT") or Path(__file__).parents[2] / ".attack")
SOAK_MINUTES: Final = float(os.environ.get("CROSSMEDIA_ATTACK_SOAK") or 0.2)

FILES_AN_HOUR: Final = 20_000
REQUESTS_AN_HOUR: Final = 100_000
KILLS_AN_HOUR: Final = 200


def share(an_hour: float, least: int = 1) -> int:
    """What of so many in an hour is done in this run."""
    return max(least, round(an_hour * MINUTES / 60))


def draw(what: str) -> random.Random:
    """Random numbers of this run for one purpose: the same for the same seed, whatever else runs."""
    return random.Random(f"{SEED}/{what}")


def count(kind: str, **figures: float) -> None:
    """Notes what a test did; `python -m tests.attack` adds up the counts of a kind and shows them."""
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / f"{kind}.jsonl").open("a") as file:
        file.write(json.dumps(figures) + "\n")


def keep(kind: str, name: str, data: bytes, why: object) -> str:
    """Saves an input that did harm and returns what to say of it."""
    folder = OUT / "found" / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    (folder / f"{name}.why.txt").write_text(f"seed {SEED}\n{why}\n", errors="replace")
    return f"{folder / name} (CROSSMEDIA_ATTACK_SEED={SEED}): {why}"


def summary(findings: list[Any]) -> str:
    """Findings as the text of a failure, the first of them."""
    return f"{len(findings)} findings\n" + "\n".join(str(finding)[:1500] for finding in findings[:20])
