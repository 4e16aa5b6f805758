"""Writes the pins with the hashes of all their files, asking the package index that uv is set up for.

python -m tests.pinned.refresh              the same versions, and what pyproject.toml asks for in addition
python -m tests.pinned.refresh --upgrade    the newest versions that go together
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.pinned.pins import FOLDER, Pin, parse, read

OLDEST_PYTHON: Final = "3.11"


@dataclass(frozen=True)
class Step:
    """A file: the extras of the project that it adds to the steps before it, and packages that it takes without what
    they depend on."""

    name: str
    about: str
    extras: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


STEPS: Final = (
    Step("core", "Crossmedia with a speech recogniser.", extras=("offline",)),
    Step("services", "Elasticsearch and the shared queue.", extras=("elastic", "queue")),
    # Of scikit-image only the photos are wanted: its dependencies would add 200 MB.
    Step("demo", "Sample photos and voices.", extras=("demo",), alone=("scikit-image",)),
    Step("dev", "Tests and checks, after core, services and demo.", extras=("dev",)),
    # Only a list of class names and weights are wanted: their dependencies would bring torchvision and librosa.
    Step("train", "For `make models`, which takes torch as it finds it.", alone=("timm==1.0.31", "resemblyzer==0.1.4")),
    # Before all others.
    Step("build", "What builds packages without wheels, and this one.", alone=("setuptools>=77", "cython")),
)


def resolve(options: Sequence[str], pinned: Iterable[Pin], given: str = "") -> dict[str, Pin]:
    """What uv makes of these options, by name; versions stay those that are pinned."""
    with tempfile.TemporaryDirectory() as room:
        constraints, out = Path(room, "constraints.txt"), Path(room, "out.txt")
        constraints.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pinned), encoding="utf-8")
        subprocess.run(
            [
                *(sys.executable, "-m", "uv", "--quiet", "pip", "compile", *options, "--constraint", str(constraints)),
                *("--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-header"),
                *("--no-annotate", "--output-file", str(out)),
            ],
            cwd=FOLDER.parents[1],
            input=given,
            text=True,
            check=True,
        )
        return {pin.name: pin for pin in parse(out.read_text(encoding="utf-8"))}


def refresh(pinned: Sequence[Pin]) -> None:
    """Write each step's file. A package is in the file of the first step that needs it, for the platforms of all."""
    extras: list[str] = []
    written: set[str] = set()
    everything = resolve(_of_project([extra for step in STEPS for extra in step.extras]), pinned)
    for step in STEPS:
        found: dict[str, Pin] = {}
        if step.extras:
            extras += step.extras
            found = {name: everything[name] for name in resolve(_of_project(extras), everything.values())}
        if step.alone:
            found |= resolve(["--no-deps", "-"], [*pinned, *everything.values()], "\n".join(step.alone))
        blocks = [found[name].lines for name in sorted(found) if name not in written]
        written |= set(found)
        head = f"# {step.about} Written by `make pins`.\n"
        (FOLDER / f"{step.name}.txt").write_text(head + "\n".join(blocks) + "\n", encoding="utf-8")


def _of_project(extras: Iterable[str]) -> list[str]:
    return ["pyproject.toml", *(word for extra in extras for word in ("--extra", extra))]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Writes the pins with their hashes.")
    arguments.add_argument("--upgrade", action="store_true", help="take the newest versions that go together")
    upgrade = arguments.parse_args().upgrade
    refresh([] if upgrade else [pin for pins in read().values() for pin in pins])
