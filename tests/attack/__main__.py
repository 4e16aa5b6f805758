"""The attack at full size, in two stages, and its figures: a table, and `figures.json` in the folder of the run.

python -m tests.attack [--minutes 60] [--soak 60] [--seed N] [--out .attack]

Stage 1 makes as many files, requests and kills as belong to so many minutes, with two tests at a time; how long that
takes depends on the machine. Stage 2 is a server under load, with the machine to itself, for so many minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from math import inf
from pathlib import Path

from tests.attack.memory import MARK, Peak
from tests.attack.scale import FILES_AN_HOUR, KILLS_AN_HOUR, OUT, REQUESTS_AN_HOUR

HERE = Path(__file__).parent
PEAKS = (
    "minutes",
    "capacity_first_per_s",
    "capacity_last_per_s",
    "p99_first_ms",
    "p99_last_ms",
    "p99_change",
    "resident_first_mb",
    "resident_last_mb",
)
"""Figures that are not added up."""


def summed(folder: Path) -> dict[str, dict[str, float]]:
    """The counts of each kind of attack in a folder."""
    kinds: dict[str, dict[str, float]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        figures: dict[str, float] = defaultdict(float)
        for line in path.read_text().splitlines():
            for name, value in json.loads(line).items():
                figures[name] = value if name in PEAKS else figures[name] + value
        kinds[path.stem] = dict(figures)
    return kinds


def missed(figures: dict[str, dict[str, float]], minutes: float, soak: float) -> list[str]:
    """What a run promises and did not do."""
    wanted: list[tuple[str, str, float, float]] = []
    if minutes:
        hours = minutes / 60
        wanted += [
            ("files", "tried", hours * FILES_AN_HOUR, inf),
            ("requests", "asked", hours * REQUESTS_AN_HOUR, inf),
            ("kills", "kills", hours * KILLS_AN_HOUR, inf),
            ("attacks", "peak_memory_gb", 0, 3),
        ]
    if soak:
        wanted.append(("soak", "peak_memory_gb", 0, 3))
    wanted += [
        (kind, name, 0, 0) for kind in figures for name in ("crashes", "lost", "answers_500") if name in figures[kind]
    ]
    misses = [
        f"{kind} {name}: {figures.get(kind, {}).get(name)}, not {least:,.0f} to {most:,.0f}"
        for kind, name, least, most in wanted
        if not least <= figures.get(kind, {}).get(name, -1) <= most
    ]
    load = figures.get("soak", {})
    if soak >= 60 and load.get("p99_change", inf) > 1.1:
        misses.append(f"soak p99: from {load.get('p99_first_ms')} to {load.get('p99_last_ms')} ms")
    return misses


def stage(name: str, words: list[str], environment: dict[str, str]) -> dict[str, float]:
    """One run of the tests; how it ended, how long it took, and the most memory that all its processes held."""
    print(f"stage {name}", flush=True)
    started = time.monotonic()
    with Peak(environment[MARK]) as peak:
        code = subprocess.run([sys.executable, "-m", "pytest", *words], env=environment, cwd=HERE.parents[1]).returncode
    for size, whose in peak.largest:
        print(f"at the peak {size / 1e6:8,.0f} MB {whose}", flush=True)
    return {
        "failed": float(code != 0),
        "took_minutes": round((time.monotonic() - started) / 60, 1),
        "peak_memory_gb": round(peak.bytes / 1e9, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="size of stage 1; 0 leaves it out")
    parser.add_argument("--soak", type=float, default=60, help="minutes of stage 2; 0 leaves it out")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(2**32)))
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    out = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    environment = {
        **os.environ,
        MARK: f"{os.getpid()}-{options.seed}",
        "CROSSMEDIA_ATTACK": str(options.minutes),
        "CROSSMEDIA_ATTACK_SOAK": str(options.soak),
        "CROSSMEDIA_ATTACK_SEED": options.seed,
        "CROSSMEDIA_ATTACK_OUT": str(out),
    }
    print(f"seed {options.seed}; figures and what did harm go to {out}", flush=True)
    soak = str(HERE / "test_soak.py")
    stages = {}
    if options.minutes:
        words = ["-n", "2", "--dist", "worksteal", str(HERE), "--ignore", soak, "--durations", "10"]
        stages["attacks"] = stage("1: files, requests, kills and the others", words, environment)
    if options.soak:
        stages["soak"] = stage("2: a server under load", [soak], environment)
    out.mkdir(parents=True, exist_ok=True)
    figures = summed(out)
    for name, ended in stages.items():
        figures[name] = {**figures.get(name, {}), **ended}
    misses = missed(figures, options.minutes, options.soak)
    summary = {"seed": options.seed, "minutes": options.minutes, "figures": figures, "missed": misses}
    (out / "figures.json").write_text(json.dumps(summary, indent=1) + "\n")
    for kind, counts in figures.items():
        for name, value in counts.items():
            print(f"{kind:12} {name:24} {value:>12,.10g}")
    print(*(f"missed: {line}" for line in misses), sep="\n")
    return int(bool(misses) or any(ended["failed"] for ended in stages.values()))


if __name__ == "__main__":
    sys.exit(main())
