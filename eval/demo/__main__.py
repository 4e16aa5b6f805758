"""`python -m crossmedia.eval.demo [--media FOLDER]`: index a small corpus, or one's own, and run one search of each
kind.

Every step is a command of `crossmedia`, shown before it runs.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from crossmedia.embeddings.media import Medium
from crossmedia.eval.demo.corpus import SAMPLES, make
from crossmedia.indexer.decode.errors import DecodeError
from crossmedia.indexer.decode.sniff import sniff
from crossmedia.indexer.scan import scan

HERE = Path(".demo")
LOOKED_AT = 2_000
console = Console(highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--media", type=Path, help="a folder of one's own instead of the corpus")
    own: Path | None = parser.parse_args().media
    started = time.monotonic()
    if own is None:
        media, data = HERE / "media", HERE / "data"
        make(media)
        samples = {medium: media / name for medium, name in SAMPLES.items()}
        texts = [
            "a cat",
            "what happened to the lighthouse",
            "how do bees survive the cold",
            "blow a whistle if you need help",
        ]
    else:
        media, data = own.expanduser(), HERE / "own"
        samples = _samples(media)
        texts = ["people outdoors"]
    if _call("models", "pull", "--default") != 0:
        console.print("Without it, the smaller picture tower of the package does all of the seeing.")
    # What stands in pictures is looked for below: no search has to wait for it.
    _run("index", str(media), "--without", "objects", data=data)
    for text in texts:
        _run("search", text, "--k", "3", data=data)
    for medium in ("image", "audio", "video"):
        if medium in samples:
            _run("search", f"--{medium}", str(samples[medium]), "--k", "3", data=data)
    if "image" in samples:
        _run("search", "at night", "--image", str(samples["image"]), "--k", "3", "--min-relevance", "0", data=data)
    _run("search", "quarterly amortisation of goodwill", data=data)
    _run("enrich", data=data)
    _run("search", "an animal", "--label", "object:cat" if own is None else "object:dog", "--k", "3", data=data)
    console.print(
        f"\nDone in {time.monotonic() - started:.0f} s. The same over HTTP, with a description of every request:"
    )
    console.print(f"  [bold].venv/bin/crossmedia serve --data {data}[/]   then open http://127.0.0.1:8000/")


def _samples(media: Path) -> dict[Medium, Path]:
    """The first picture, sound and video of a folder."""
    samples: dict[Medium, Path] = {}
    for number, file in enumerate(scan([media])):
        if number >= LOOKED_AT or len(samples) == 4:
            break
        try:
            samples.setdefault(sniff(file.location)[0], Path(file.path))
        except DecodeError:
            continue  # the index run tells what is wrong with it
    return samples


def _run(*words: str, data: Path) -> None:
    code = _call(*words, "--data", str(data))
    if code not in (0, 1):
        raise SystemExit(code)


def _call(*words: str) -> int:
    console.print(f"\n[bold green]$ crossmedia {shlex.join(words)}[/]", soft_wrap=True)
    return subprocess.run([sys.executable, "-m", "crossmedia.api.cli", *words]).returncode


if __name__ == "__main__":
    main()
