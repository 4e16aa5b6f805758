"""`export` and `import` from the command line and from Python, with the heads a collection was made with."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crossmedia
from crossmedia.retrieval.local import LocalStore
from tests.api.helpers import WEIGHTY, command, flag, write_flags

WITHOUT = (*WEIGHTY, "speakers")


def library(folder: Path) -> crossmedia.Library:
    return crossmedia.open_library(folder, profile="toy", decode_workers=1)


def test_from_the_command_line(tmp_path: Path, media: Path, environment: dict[str, str]) -> None:
    def run(*words: str, data: str = "one", code: int = 0) -> subprocess.CompletedProcess[str]:
        return command(environment, *words, "--data", str(tmp_path / data), code=code)

    def found(data: str) -> list[dict[str, Any]]:
        hits: list[dict[str, Any]] = json.loads(run("search", "red boats", "--json", data=data).stdout)["hits"]
        return hits

    archive = tmp_path / "archive"
    assert "no_collection" in run("export", str(archive), code=1).stderr
    run("index", str(media), *(word for name in WITHOUT for word in ("--without", name)))
    told = json.loads(run("export", str(archive), "--json").stdout)
    assert (told["assets"], told["parts"], told["heads"]) == (4, 1, [])
    assert told["assets_per_s"] > 0
    assert told["mb_per_s"] > 0
    assert "folder_taken" in run("export", str(archive), code=1).stderr
    assert "4 assets" in run("export", str(tmp_path / "again")).stdout
    assert "archive_unusable" in run("import", str(media), data="two", code=1).stderr
    assert not (tmp_path / "two").exists()
    imported = run("import", str(archive), data="two")
    assert "4 assets written" in imported.stdout
    assert "files of 4 assets were not seen here yet" in imported.stderr
    assert found("two") == found("one") != []
    told = json.loads(run("import", str(archive), "--json", data="two").stdout)
    assert (told["restored"], told["same"], told["merged"], told["finished"], told["notes"]) == (0, 4, False, True, [])
    assert "store and indexes agree" in run("doctor", data="two").stdout
    (media / "more.txt").write_text("A boat of another colour.")
    run("index", str(media / "more.txt"), data="three")
    refused = run("import", str(archive), data="three", code=1).stderr
    assert "not_empty" in refused
    assert "--merge" in refused
    assert json.loads(run("import", str(archive), "--merge", "--json", data="three").stdout)["merged"] is True
    assert json.loads(run("status", "--json", data="three").stdout)["assets"] == {"audio": 1, "image": 2, "text": 2}


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a collection that was aligned with pairs; beside it are the collection, `one`, and the pairs,
    `flags`."""
    room = tmp_path_factory.mktemp("taught")
    flags = write_flags(room / "flags")
    with library(room / "one") as one:
        one.index(flags, without=WITHOUT)
        one.align(flags / "flags.csv")
        assert len(one.reindex("flags")["heads"]) == 1
        assert len(one.export_to(room / "archive")["heads"]) == 1
    return room / "archive"


def test_heads_move_with_the_vectors_that_were_made_with_them(tmp_path: Path, taught: Path) -> None:
    def found(opened: crossmedia.Library) -> list[tuple[str, float]]:
        hits = opened.search("southland", media=["image"], k=30, fold=False)["hits"]
        return [(Path(hit["path"]).name, hit["relevance"]) for hit in hits]

    with library(taught.parent / "one") as one:
        before = found(one)
    with library(tmp_path / "two") as two:
        told = two.import_from(taught)
        assert (told["restored"], told["notes"]) == (49, [])
        after = found(two)
        assert [name for name, _ in after] == [name for name, _ in before] != []
        np.testing.assert_allclose([r for _, r in after], [r for _, r in before], atol=1e-5)
        flag(tmp_path / "new.png", "southland", 99)
        two.index(tmp_path / "new.png", without=WITHOUT)
        assert "new.png" in {name for name, _ in found(two)}
        assert two.reindex(builtin=True)["heads"] == []
        assert found(two) == []
    one_card, two_card = (
        json.loads(next((room / "heads").glob("*.json")).read_text())
        for room in (taught.parent / "one", tmp_path / "two")
    )
    assert one_card == two_card


def test_what_random_pairs_score_moves_too(tmp_path: Path, flags: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.retrieval.calibration.MIN_TARGETS", 20)
    with library(tmp_path / "one") as one:
        one.index(flags, without=WITHOUT)
        one.export_to(tmp_path / "archive")
    with library(tmp_path / "two") as two:
        two.import_from(tmp_path / "archive")
    measured = [LocalStore(tmp_path / room).random_pairs() for room in ("one", "two")]
    assert measured[0] == measured[1] != []


def test_vectors_of_models_that_are_not_here_are_noted(tmp_path: Path, media: Path) -> None:
    with library(tmp_path / "one") as one:
        one.index(media, without=WITHOUT)
        one.export_to(tmp_path / "archive")
    path = tmp_path / "archive" / "manifest.json"
    path.write_text(path.read_text().replace('"model": "toy', '"model": "another toy'))
    with library(tmp_path / "two") as two:
        [note] = two.import_from(tmp_path / "archive")["notes"]
        assert "common" in note
        assert "crossmedia reindex" in note
        with pytest.raises(crossmedia.CrossmediaError) as error:
            two.search("red boats")
        assert error.value.code == "space_mismatch"
    with library(tmp_path / "one") as one, pytest.raises(crossmedia.CrossmediaError) as error:
        one.import_from(tmp_path / "archive", merge=True)
    assert error.value.code == "space_mismatch"


def repacked(path: Path, change: Callable[[str, bytes], bytes], compress: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compress) as archive:
        for name, data in members.items():
            archive.writestr(name, change(name, data))


def array(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def claiming(data: bytes) -> bytes:
    """The header of a petabyte before the numbers that are there."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**13, 32)})
    return file.getvalue() + data[128:]


def card(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def changed(numbers: Path) -> None:
        path = numbers.with_suffix(".json")
        told = json.loads(path.read_text())
        change(told)
        path.write_text(json.dumps(told))

    return changed


BAD_HEADS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no zip": (lambda path: path.write_bytes(b"x" * 100), "no .npz file"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-50]), "no .npz file"),
    "a bomb": (
        lambda path: repacked(path, lambda name, data: array(np.zeros((10**4, 10**3), "f4")), zipfile.ZIP_DEFLATED),
        "in it",
    ),
    "claims": (lambda path: repacked(path, lambda name, data: claiming(data)), "claims shapes"),
    "pickled": (lambda path: repacked(path, lambda name, data: array(np.array([{}], dtype=object))), "no .npy file"),
    "other numbers": (
        lambda path: repacked(path, lambda name, data: data[:-4] + b"\x00\x00\x80\x3f"),
        "is not the head",
    ),
    "no numbers": (lambda path: repacked(path, lambda name, data: data[:-4] + b"\x00\x00\xc0\x7f"), "is not the head"),
    "a card of nothing": (lambda path: path.with_suffix(".json").write_text("[]"), "cannot be used"),
    "lists without end": (lambda path: path.with_suffix(".json").write_text("[" * 10**5), "cannot be used"),
    "a date that is none": (card(lambda told: told.update(made=5)), "made"),
    "a strength of text": (card(lambda told: told.update(strength="1")), "strength"),
    "another strength": (card(lambda told: told.update(strength=0.123)), "is not the head"),
    "another name": (card(lambda told: told.update(name="../x")), "cannot be used"),
    "no figures": (card(lambda told: told.pop("figures")), "figures"),
}


@pytest.mark.parametrize("case", BAD_HEADS)
def test_hostile_heads(tmp_path: Path, taught: Path, case: str) -> None:
    archive = Path(shutil.copytree(taught, tmp_path / "hostile"))
    change, match = BAD_HEADS[case]
    change(next((archive / "heads").glob("*.npz")))
    manifest = json.loads((archive / "manifest.json").read_text())
    for path in (archive / "heads").iterdir():
        data = path.read_bytes()
        manifest["files"][f"heads/{path.name}"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (archive / "manifest.json").write_text(json.dumps(manifest))
    with library(tmp_path / "two") as two, pytest.raises(crossmedia.CrossmediaError, match=match) as error:
        two.import_from(archive)
    assert error.value.code == "archive_unusable"
    assert error.value.hint
    assert not (tmp_path / "two" / "heads").exists()
    assert list(LocalStore(tmp_path / "two").asset_ids()) == []
