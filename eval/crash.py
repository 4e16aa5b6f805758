"""Kill -9 at random instants while indexing, then one clean run: every file exactly once, store and index agree.

python -m crossmedia.eval.crash [--kills 20] [--files 500] [--profile builtin]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from crossmedia.indexer.enrichers.registry import pass_names
from crossmedia.retrieval.local import LocalStore


def crash(media: Path, data: Path, kills: int, profile: str, seed: int = 0) -> dict[str, int]:
    """Runs `crossmedia index` over `media`, kills it `kills` times, runs it once more; returns counts, raises on any
    loss.

    What an earlier run had committed must still be there after the next kill, so the number of assets never falls.
    """
    rng = random.Random(seed)
    environment = {**os.environ, "CROSSMEDIA_PROFILE": profile}
    # Only what makes files searchable: later passes take longer by far, and the kills are to fall into the writing of
    # files.
    index = [
        sys.executable,
        "-m",
        "crossmedia.api.cli",
        "index",
        str(media),
        *(f"--without={name}" for name in pass_names()),
        "--data",
    ]
    command = [*index, str(data)]
    files = [path for path in media.rglob("*") if path.is_file()]
    started = time.monotonic()
    rehearsal = data.with_name("rehearsal")
    subprocess.run([*index, str(rehearsal)], check=True, env=environment, capture_output=True)
    whole = time.monotonic() - started
    shutil.rmtree(rehearsal)
    held = done = fresh = 0
    while done < kills:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(rng.uniform(0, whole))
            # It was through before its hour: what it made is checked below, and the next kills need work again.
            shutil.rmtree(data)
            held, fresh = 0, fresh + 1
            continue
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
        store = LocalStore(data)
        now, problems = len(store.located()), store.verify()
        store.close()
        if problems or now < held:
            raise AssertionError(f"after a kill: {now} files where there were {held}; {problems}")
        held = now
    subprocess.run(command, check=True, env=environment, capture_output=True)
    again = subprocess.run([*command, "--json"], check=True, env=environment, capture_output=True)
    store = LocalStore(data)
    try:
        located = [x.source.location for x in store.located()]
        problems = store.verify()
        counts = store.statistics()
    finally:
        store.close()
    if problems or sorted(located) != sorted(str(path.resolve()) for path in files):
        raise AssertionError(f"{len(located)} of {len(files)} files; {problems}")
    if (unchanged := json.loads(again.stdout)["unchanged"]) != len(files):
        raise AssertionError(f"a further run found only {unchanged} of {len(files)} unchanged")
    left = [path.name for path in data.rglob("*.partial")]
    if left:
        raise AssertionError(f"left behind: {left}")
    return {
        "files": len(files),
        "assets": sum(counts.assets.values()),
        "kills": done,
        "begun_anew": fresh,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--profile", default="builtin")
    options = parser.parse_args()
    from crossmedia.eval.bench.common import flickr_photos

    with tempfile.TemporaryDirectory() as folder:
        media = Path(folder) / "media"
        media.mkdir()
        for path in flickr_photos()[: options.files]:
            shutil.copy(path, media)
        print(json.dumps(crash(media, Path(folder) / "data", options.kills, options.profile)))


if __name__ == "__main__":
    main()
