"""One import name: what is installed is the package `crossmedia` alone, beside whatever else is called `api`."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.test_house import FLOOR, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout. A copy is built, since building leaves folders behind."""
    source = tmp_path_factory.mktemp("source")
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for name in tracked:
        if (
            name.split("/")[0] in {*FLOOR, "pyproject.toml", "README.md", "LICENSE", "NOTICE"}
            and (ROOT / name).is_file()
        ):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).symlink_to(ROOT / name)
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(out), str(source)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_every_package_is_listed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {path.parent.relative_to(ROOT) for room in FLOOR for path in (ROOT / room).rglob("__init__.py")}
    names = {f"crossmedia.{'.'.join(folder.parts)}" for folder in folders if folder.parts != ("api", "python")}
    assert listed == names | {"crossmedia"}


def test_the_wheel_holds_one_package_with_its_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"crossmedia"}
    assert not [name for name in names if name.startswith("crossmedia/api/python/")]
    tracked = subprocess.run(["git", "ls-files", *FLOOR], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in tracked.splitlines():
        if name.startswith(("api/python/", "eval/reports/", "eval/figures/")) or not (ROOT / name).is_file():
            continue
        assert f"crossmedia/{name}" in names, f"{name} is missing"
    assert {"crossmedia/__init__.py", "crossmedia/__main__.py", "crossmedia/py.typed"} <= set(names)


def test_it_works_beside_a_foreign_api(wheel: Path, tmp_path: Path) -> None:
    """Installed into an environment of its own, it is imported in a folder whose modules have the rooms' names."""
    environment, folder = tmp_path / "environment", tmp_path / "project"
    venv.create(environment, with_pip=False, symlinks=True)
    packages = next(environment.rglob("site-packages"))
    zipfile.ZipFile(wheel).extractall(packages)
    # Only what it needs of others is taken from here, and no link to this checkout.
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    folder.mkdir()
    for room in FLOOR:
        (folder / f"{room}.py").write_text("raise AssertionError('a foreign module was imported')\n")
    asked = (
        "import crossmedia, crossmedia.retrieval.engine, crossmedia.indexer.decode.job, crossmedia.eval.metrics\n"
        "print(crossmedia.__file__)\n"
        "with crossmedia.open_library('data', profile='toy') as library:\n"
        "    print(library.search('a red square')['hits'])\n"
    )
    python = environment / "bin" / "python"
    done = subprocess.run([python, "-c", asked], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    where, hits = done.stdout.splitlines()
    assert Path(where).is_relative_to(packages)
    assert hits == "[]"
    help_text = subprocess.run(
        [python, "-m", "crossmedia", "--help"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    assert "search" in help_text


def test_a_module_has_one_name() -> None:
    """In an editable installation the public API could be imported by its folder too, as a second copy of itself."""
    done = subprocess.run(
        ["git", "grep", "-lE", r"crossmedia\.api\.python\b", "--", "*.py"], cwd=ROOT, capture_output=True
    )
    assert done.stdout.decode().split() in ([], ["tests/test_package.py"])
