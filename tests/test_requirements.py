"""The pins: each with its hashes, all that is needed among them, and compared with advisories without a network."""

from __future__ import annotations

import importlib.metadata
import json
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.pinned import advisories
from tests.pinned.pins import Pin, files, parse, read
from tests.pinned.refresh import STEPS

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = read()
BY_NAME = {pin.name: pin for pins in PINS.values() for pin in pins}
UNPINNED = {"heic", "clip", "vqa", "gpu", "train"}
"""Extras that no step of an installation takes; which build of torch fits depends on the machine."""
ALONE = {canonicalize_name(Requirement(name).name) for step in STEPS for name in step.alone}


def wanted(extras: set[str]) -> list[Requirement]:
    """What the project asks for with these extras, its own extras followed."""
    found = list(map(Requirement, PROJECT["dependencies"]))
    for extra in extras:
        for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
            found += wanted(requirement.extras) if requirement.name == PROJECT["name"] else [requirement]
    return found


def test_every_pin_has_one_version_and_hashes() -> None:
    assert {step.name for step in STEPS} == set(PINS)
    assert len(BY_NAME) == sum(map(len, PINS.values())), "one package, one place"
    for pin in BY_NAME.values():
        assert pin.version
        assert pin.hashes, pin.name
        assert len(set(pin.hashes)) == len(pin.hashes), pin.name


def test_no_index_is_named() -> None:
    for path in files():
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path.name
        assert "index" not in text, path.name


def test_what_the_project_asks_for_is_pinned() -> None:
    installed = {extra for step in STEPS for extra in step.extras}
    assert {name for name in PROJECT["optional-dependencies"] if name not in UNPINNED} == _with_own(installed)
    for requirement in [*wanted(installed), Requirement("setuptools>=77")]:
        pin = BY_NAME[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pin.version), requirement


def _with_own(extras: set[str]) -> set[str]:
    """These extras and those that they name."""
    found = set(extras)
    for extra in extras:
        for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
            if requirement.name == PROJECT["name"]:
                found |= _with_own(requirement.extras)
    return found


def test_what_pins_ask_for_is_pinned() -> None:
    """They are installed without resolving: what is missing here is missing there."""
    looked = 0
    for name, pin in BY_NAME.items():
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if name in ALONE or Version(distribution.version) != pin.version:
            continue
        looked += 1
        for requirement in map(Requirement, distribution.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed = BY_NAME.get(canonicalize_name(requirement.name))
                assert needed is not None, f"{name} needs {requirement}"
                assert requirement.specifier.contains(needed.version, prereleases=True), f"{name} needs {requirement}"
    assert looked > 50


def test_every_install_asks_for_hashes() -> None:
    """Also that nothing is built with packages from elsewhere."""
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text().replace("\\\n", "")
    installs = [part for line in dockerfile.splitlines() if "pip install" in line for part in line.split("&&")]
    installs = [part for part in installs if "pip install" in part]
    assert len(installs) == 3
    for part in installs:
        assert "--no-deps" in part
        assert ("--require-hashes" in part) == ("-r " in part)
        assert "--no-build-isolation" in part or part is installs[0]
    makefile = (ROOT / "Makefile").read_text()
    assert "PINNED := $(PIP) install --require-hashes --no-deps --no-build-isolation" in makefile
    for line in makefile.splitlines():
        if line.startswith("\t") and "-r docker/requirements/" in line:
            assert line.startswith("\t$(PINNED) "), line
    for path in files():
        assert f"docker/requirements/{path.name}" in makefile


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("numpy==2 \\\n", "does not end"),
        ("numpy==2 --index-url=x --hash=sha256:" + "a" * 64, "other options"),
        ("numpy==2 --hash=md5:" + "a" * 32, "other options"),
        ("--index-url https://elsewhere", "Expected|Invalid|other options"),
    ],
)
def test_other_lines_are_no_pins(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(parse(text))


def test_a_range_is_no_pin() -> None:
    (pin,) = parse("numpy>=2 --hash=sha256:" + "a" * 64)
    with pytest.raises(ValueError, match="not pinned"):
        assert pin.version


def advisory(name: str = "numpy", **affected: Any) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": name}
    return {"id": "X-1", "aliases": ["CVE-1"], "summary": "bad\nthings", "affected": [{"package": package, **affected}]}


def span(*events: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"ranges": [{"type": kind, "events": list(events)}]}


def pinned(version: str) -> list[Pin]:
    return list(parse(f"numpy=={version} --hash=sha256:{'a' * 64}"))


SPAN = span({"introduced": "0"}, {"fixed": "2.4"})
TWO = span({"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"last_affected": "2.4"})


@pytest.mark.parametrize(
    ("version", "affected", "hit"),
    [
        ("2.3.9", SPAN, True),
        ("2.4", SPAN, False),
        ("2.4rc1", SPAN, True),
        ("0.dev0", SPAN, True),
        ("1.10", span({"introduced": "1.9"}), True),
        ("1.4", TWO, True),
        ("1.5", TWO, False),
        ("1.9", TWO, False),
        ("2.4", TWO, True),
        ("2.4.1", TWO, False),
        ("2.4", span({"fixed": "3"}, {"introduced": "2"}), True),
        ("2.4", span({"introduced": "0"}, kind="GIT"), False),
        ("2.4.0", {"versions": ["2.3", "2.4"]}, True),
        ("2.4.1", {"versions": ["2.3", "2.4", "not-a-version"]}, False),
        ("2.4", {}, False),
    ],
)
def test_ranges_and_lists_of_versions(version: str, affected: dict[str, Any], hit: bool) -> None:
    assert bool(advisories.findings(pinned(version), [advisory(**affected)])) == hit


def test_names_are_compared_as_the_index_does() -> None:
    assert advisories.findings(pinned("1"), [advisory("NumPy", **SPAN)])
    assert not advisories.findings(pinned("1"), [advisory("numpy-extra", **SPAN)])
    elsewhere = advisory(**SPAN)
    elsewhere["affected"][0]["package"]["ecosystem"] = "npm"
    assert not advisories.findings(pinned("1"), [elsewhere, {**advisory(**SPAN), "withdrawn": "2026-01-01"}])


def test_a_file_a_folder_and_a_zip_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numpy = BY_NAME[canonicalize_name("numpy")].version
    bad, good = (
        advisory(**span({"introduced": "0"}, {"fixed": "9999"})),
        advisory("click", **span({"introduced": "9999"})),
    )
    folder = tmp_path / "advisories"
    folder.mkdir()
    for name, content in (("bad", bad), ("good", {**good, "id": "X-2"})):
        (folder / f"{name}.json").write_text(json.dumps(content))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    for path in (folder, tmp_path / "all.zip", folder / "bad.json"):
        assert advisories.main([str(path)]) == 1
        told = capsys.readouterr().out.splitlines()
        assert told[0] == f"numpy {numpy}: X-1 (CVE-1) bad things; fixed in 9999"
        assert told[1:] == [f"1 of {len(BY_NAME)} pinned packages are affected"]
    assert advisories.main([str(folder / "good.json")]) == 0


def test_what_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no.json").write_text("{")
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    for name, told in (
        ("no.json", "not JSON"),
        ("other.json", "OSV"),
        ("empty", "no advisories"),
        ("absent", "No such"),
    ):
        assert advisories.main([str(tmp_path / name)]) == 2
        assert told in capsys.readouterr().err
