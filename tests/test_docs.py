"""What the documents tell people to type is run, or, where it needs a server or files of theirs, exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup

from crossmedia.api.cli import ENTRIES, load
from crossmedia.api.settings import Settings
from crossmedia.indexer.enrichers.registry import passes
from crossmedia.library import Library
from tests import settings_table
from tests.test_house import FLOOR

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PEOPLE = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    ROOT / "ARCHITECTURE.md",
    *DOCS,
]
README_SIZE = 10_000


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def run(document: Path, folder: Path) -> str:
    """Run the commands of a document, then its programs, in a folder; returns what they print."""
    if not (Path(sys.executable).parent / "crossmedia").exists():
        pytest.fail("crossmedia is not installed beside this Python: make test does it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = "set -euo pipefail\nset -m\n" + "\n".join(blocks(document, "bash")).replace("8000", port)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # What a head learns needs no pass, and the models' document has twice as many files as the others together.
    without = {"CROSSMEDIA_WITHOUT": ",".join(passes())} if document.stem == "models" else {}
    environment = {**os.environ, **without, "PATH": path, "COLUMNS": "160"}
    printed = ""
    programs = [[sys.executable, "-c", program] for program in blocks(document, "python")]
    for command in (["bash", "-c", script], *programs):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        printed += done.stdout
    return printed


@pytest.fixture(scope="module")
def printed() -> dict[Path, str]:
    """What the README printed."""
    return {}


@pytest.fixture(scope="module")
def collection(
    tmp_path_factory: pytest.TempPathFactory, whisper_folder: Path, printed: dict[Path, str]
) -> Iterator[Path]:
    """A folder in which the README was followed: its samples, and the collection over them."""
    folder = tmp_path_factory.mktemp("readme")
    printed[README] = run(README, folder)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.process
def test_the_readme_runs_as_it_stands(collection: Path, printed: dict[Path, str]) -> None:
    assert "Nothing matches" in printed[README]
    assert '"hits":[{' in printed[README].replace(" ", "").replace("\n", "")
    # The cat of the corpus is among the hits for "a cat".
    assert "photo-03" in printed[README]


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize(
    "document",
    [path for path in DOCS if path.stem != "extending" and (blocks(path, "bash") or blocks(path, "python"))],
    ids=lambda path: path.stem,
)
def test_a_document_runs_as_it_stands(document: Path, collection: Path, tmp_path: Path) -> None:
    """Each in a copy of the README's folder, so that none needs another."""
    folder = tmp_path / "copy"
    shutil.copytree(collection, folder)
    told = run(document, folder)
    if document.stem == "models":
        # A made-up name means nothing before `align train` and finds drawings that were not among the pairs after it.
        before, after = told.split("Saved as pairs@")
        assert "signs/" not in before.rpartition(" added")[2]
        assert "signs/unseen/" in after


def lines(document: Path) -> list[str]:
    """The commands of this program in a document, one a line."""
    text = "\n".join(blocks(document, "bash") + blocks(document, "sh"))
    return [line for line in text.splitlines() if line.startswith("crossmedia ")]


@pytest.mark.parametrize("document", PEOPLE, ids=lambda path: path.stem)
def test_every_command_and_option_exists(document: Path) -> None:
    for line in lines(document):
        words = [word for word in shlex.split(line, comments=True)[1:] if word not in ("&", ">")]
        command = load(ENTRIES[words.pop(0)])
        while isinstance(command, TyperGroup) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("document", PEOPLE, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", PEOPLE, ids=lambda path: path.stem)
def test_every_file_of_a_room_that_is_named_exists(document: Path) -> None:
    rooms = "|".join(FLOOR)
    for name in re.findall(rf"`((?:{rooms}|tests|docker)/[\w/*.-]+\.\w+)`", document.read_text(encoding="utf-8")):
        assert list(ROOT.glob(name)), name


@pytest.mark.parametrize("document", PEOPLE, ids=lambda path: path.stem)
def test_every_setting_that_is_named_exists(document: Path) -> None:
    known = {row.split("`")[1] for row in settings_table.table().splitlines()[2:]}
    known |= {"CROSSMEDIA_TEST_ELASTICSEARCH", "CROSSMEDIA_ATTACK", "CROSSMEDIA_ATTACK_SEED"}
    assert set(re.findall(r"CROSSMEDIA_[A-Z_]*[A-Z]", document.read_text(encoding="utf-8"))) <= known


def test_the_readme_is_short_and_leads_to_every_document() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.encode()) <= README_SIZE
    assert [path.name for path in DOCS if f"docs/{path.name}" not in text] == []


def test_the_table_of_settings_is_that_of_the_program() -> None:
    text = settings_table.FILE.read_text(encoding="utf-8")
    assert settings_table.written(text) == text, "python -m tests.settings_table"
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_method_that_is_named_exists() -> None:
    table = (ROOT / "docs" / "python.md").read_text(encoding="utf-8").partition("| method |")[2]
    named = {
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    }
    assert named
    assert {name for name in named if not hasattr(Library, name)} == set()
