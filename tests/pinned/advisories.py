"""Says which pinned packages known advisories are about, without a network.

python -m tests.pinned.advisories all.zip      advisories in OSV's format: a zip of JSON files, a folder, or one file

Ends with 1 if a pin is affected, with 2 if the advisories cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from tests.pinned.pins import Pin, read

Advisory = Mapping[str, Any]


class Unreadable(Exception):
    """The advisories are not what they have to be."""


@dataclass(frozen=True)
class Finding:
    """A pinned package that an advisory is about. `fixed`: versions later than ours that have the fault no more."""

    pin: Pin
    advisory: str
    names: tuple[str, ...]
    summary: str
    fixed: tuple[Version, ...]

    def __str__(self) -> str:
        names = f" ({', '.join(self.names)})" if self.names else ""
        fixed = f"; fixed in {', '.join(map(str, self.fixed))}" if self.fixed else "; no version is known to be fixed"
        return f"{self.pin.name} {self.pin.version}: {self.advisory}{names} {self.summary}".rstrip() + fixed


def load(path: Path) -> Iterator[Advisory]:
    """The advisories of a zip, a folder or a file. Raises Unreadable."""
    count = 0
    for name, content in _contents(path):
        try:
            advisory = json.loads(content)
        except ValueError as error:
            raise Unreadable(f"{name} is not JSON: {error}") from error
        if not isinstance(advisory, dict) or "id" not in advisory:
            raise Unreadable(f"{name} is not an advisory in OSV's format")
        count += 1
        yield advisory
    if not count:
        raise Unreadable(f"{path} holds no advisories")


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*.json")):
                yield str(file), file.read_bytes()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith(".json"):
                        yield name, archive.read(name)
        else:
            yield str(path), path.read_bytes()
    except (OSError, zipfile.BadZipFile) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error


def findings(pins: Iterable[Pin], advisories: Iterable[Advisory]) -> list[Finding]:
    """By package and advisory; withdrawn advisories do not count."""
    by_name: dict[str, list[Pin]] = {}
    for pin in pins:
        by_name.setdefault(pin.name, []).append(pin)
    found: dict[tuple[str, str], Finding] = {}
    for advisory in advisories:
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            if package.get("ecosystem") != "PyPI":
                continue
            for pin in by_name.get(canonicalize_name(package.get("name", "")), ()):
                if is_affected(pin.version, affected):
                    found[pin.name, advisory["id"]] = Finding(
                        pin,
                        advisory["id"],
                        tuple(advisory.get("aliases", ())),
                        " ".join(str(advisory.get("summary", "")).split()),
                        _fixes(pin.version, affected),
                    )
    return [found[key] for key in sorted(found)]


def is_affected(version: Version, affected: Mapping[str, Any]) -> bool:
    """Whether a version is listed, or lies in a range: from an introduction to the fix or the last that is affected."""
    if any(_version(listed) == version for listed in affected.get("versions", ())):
        return True
    for span in affected.get("ranges", ()):
        if span.get("type") == "GIT":
            continue  # commits say nothing about releases
        inside = False
        # Sorted, as the format has it. At the same version, the end of a range comes before the beginning of the next.
        events = [(_version(value), kind) for event in span.get("events", ()) for kind, value in event.items()]
        for at, kind in sorted(events, key=lambda event: (event[0], event[1] == "introduced")):
            if kind == "introduced" and version >= at:
                inside = True
            elif (kind in ("fixed", "limit") and version >= at) or (kind == "last_affected" and version > at):
                inside = False
        if inside:
            return True
    return False


def _fixes(version: Version, affected: Mapping[str, Any]) -> tuple[Version, ...]:
    events = [event for span in affected.get("ranges", ()) if span.get("type") != "GIT" for event in span["events"]]
    return tuple(sorted({_version(e["fixed"]) for e in events if "fixed" in e and _version(e["fixed"]) > version}))


def _version(text: str) -> Version:
    """Of an event or a list. `0` is before everything, also before 0.dev0; what is no version is too."""
    try:
        return Version("0.dev0" if text == "0" else text)
    except InvalidVersion:
        return Version("0.dev0")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Says which pinned packages known advisories are about.")
    parser.add_argument("advisories", type=Path, help="zip of JSON files in OSV's format, a folder of them, or one")
    path = parser.parse_args(arguments).advisories
    pins = [pin for pinned in read().values() for pin in pinned]
    try:
        found = findings(pins, load(path))
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 2
    for finding in found:
        print(finding)
    print(f"{len({finding.pin.name for finding in found})} of {len(pins)} pinned packages are affected")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
