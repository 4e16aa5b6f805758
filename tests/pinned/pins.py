"""The pinned packages: name, version, marker and hashes, as the files in `docker/requirements` hold them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

FOLDER: Final = Path(__file__).resolve().parents[2] / "docker" / "requirements"
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})(?= |$)")


@dataclass(frozen=True)
class Pin:
    """One package of a file. `lines` is how it is written there."""

    requirement: Requirement
    hashes: tuple[str, ...]
    lines: str

    @property
    def name(self) -> NormalizedName:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> Version:
        """Raises ValueError unless it is `==` one version."""
        (specifier,) = self.requirement.specifier
        if specifier.operator != "==":
            raise ValueError(f"{self.requirement} is not pinned")
        return Version(specifier.version)


def parse(text: str) -> Iterator[Pin]:
    """What a requirements file pins. Raises ValueError where a line is anything else."""
    lines: list[str] = []
    for line in text.splitlines():
        if not lines and (not line.strip() or line.startswith("#")):
            continue
        lines.append(line)
        if not line.endswith("\\"):
            whole = " ".join(part.rstrip("\\").strip() for part in lines)
            named, *options = whole.split(" --")
            hashes = tuple(_HASH.findall(whole))
            if len(hashes) != len(options):
                raise ValueError(f"{named!r} has other options than hashes")
            yield Pin(Requirement(named.strip()), hashes, "\n".join(lines))
            lines = []
    if lines:
        raise ValueError(f"{lines[0]!r} does not end")


def files() -> list[Path]:
    """Every file of pins."""
    return sorted(FOLDER.glob("*.txt"))


def read() -> dict[str, list[Pin]]:
    """The pins of each file, by its name without the ending."""
    return {path.stem: list(parse(path.read_text(encoding="utf-8"))) for path in files()}
