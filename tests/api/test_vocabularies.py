"""`crossmedia vocabulary`: names of one's own as labels, in every face."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import crossmedia
from crossmedia.api.server import create_app
from crossmedia.embeddings.toy import COLOURS
from crossmedia.retrieval.vocabularies.vocabulary import BadVocabulary
from tests.api.helpers import Run, settings


@pytest.fixture
def paints(tmp_path: Path, run: Run) -> Path:
    """A list of names beside three pictures that are indexed."""
    for name in ("red", "green", "blue"):
        Image.fromarray(np.full((32, 32, 3), COLOURS[name], dtype=np.uint8)).save(tmp_path / f"{name}.png")
    run("index", *(str(tmp_path / f"{name}.png") for name in ("red", "green", "blue")))
    path = tmp_path / "paints.txt"
    path.write_text("# of mine\nvermilion, red\ngrass, green\nsky, @blue.png\nmud, brown\n")
    return path


def found(run: Run, *words: str) -> list[str]:
    answer = json.loads(run("search", "picture", "--min-relevance", "0", "--json", *words).stdout)
    return sorted(Path(hit["path"]).name for hit in answer["hits"])


def test_added_searched_listed_and_removed(tmp_path: Path, paints: Path, run: Run) -> None:
    line = run("vocabulary", "add", "paints", str(paints)).stdout
    assert line.startswith("paints 4 labels, 3 of them seen: ")
    assert found(run, "--label", "paints:vermilion") == ["red.png"]
    assert found(run, "--label", "paints:sky") == ["blue.png"]
    [hit] = json.loads(run("search", "vermilion", "--leg", "labels", "--json").stdout)["hits"]
    assert Path(hit["path"]).name == "red.png"
    assert "paints" in run("labels", "paints").stdout
    shown = run("vocabulary", "show", "paints").stdout.splitlines()
    assert shown[:2] == ["vermilion, red", "grass, green"]
    assert shown[2].startswith("sky, @")
    [listed] = json.loads(run("vocabulary", "list", "--json").stdout)["vocabularies"]
    assert (listed["name"], listed["labels"], listed["seen"]) == ("paints", 4, 3)
    assert "removed paints" in run("vocabulary", "rm", "paints").stdout
    assert found(run, "--label", "paints") == []
    assert "No vocabularies" in run("vocabulary", "list").stdout


def test_what_is_indexed_later_is_labelled_too(tmp_path: Path, paints: Path, run: Run) -> None:
    run("vocabulary", "add", "paints", str(paints))
    Image.fromarray(np.full((40, 40, 3), COLOURS["brown"], dtype=np.uint8)).save(tmp_path / "later.png")
    run("index", str(tmp_path / "later.png"))
    assert found(run, "--label", "paints:mud") == ["later.png"]


def test_before_anything_is_indexed(tmp_path: Path, run: Run) -> None:
    assert "things 1," in run("vocabulary", "add", "things").stdout
    assert "there is no file" in run("vocabulary", "add", "paints", str(tmp_path / "none.txt"), code=2).stderr
    assert "there is no file" in run("vocabulary", "add", "paints", "/dev/zero", code=2).stderr
    (tmp_path / "mine.txt").write_text("sky, @blue.png\n")
    assert "nothing is indexed" in run("vocabulary", "add", "mine", str(tmp_path / "mine.txt"), code=1).stderr
    assert not (tmp_path / "data" / "store.sqlite").exists()
    assert "no vocabulary paints" in run("vocabulary", "add", "paints", code=1).stderr
    assert "no vocabulary paints" in run("vocabulary", "rm", "paints", code=1).stderr


def test_mistakes_are_told_by_their_line_and_change_nothing(tmp_path: Path, paints: Path, run: Run) -> None:
    run("vocabulary", "add", "paints", str(paints))
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(tmp_path / "stranger.png")
    (tmp_path / "note.md").write_text("# nothing to see\n\nwords\n")
    run("index", str(tmp_path / "note.md"))
    for wrong, why in (
        ("sky, @nowhere.png", "line 2 of paints: there is no example nowhere.png"),
        ("sky, @stranger.png", "line 2 of paints: the example stranger.png is not indexed"),
        ("sky, @note.md", "line 2 of paints: the example note.md is no picture"),
        ("sky, @" + "x" * 300, "line 2 of paints: the example x"),
        ("red", "line 2 of paints: 'red' stands there a second time"),
    ):
        paints.write_text(f"red\n{wrong}\n")
        assert why in " ".join(run("vocabulary", "add", "paints", str(paints), code=2).stderr.split())
    assert "labels of the kind object" in run("vocabulary", "add", "object", str(paints), code=2).stderr
    assert found(run, "--label", "paints:vermilion") == ["red.png"]


def test_where_the_pass_is_left_out_it_is_told(paints: Path, run: Run, environment: dict[str, str]) -> None:
    environment["CROSSMEDIA_WITHOUT"] += ",vocabularies"
    added = run("vocabulary", "add", "paints", str(paints), code=1)
    assert "leave the pass vocabularies out" in added.stderr
    assert "0 of them seen" in added.stdout


def test_facets_and_rules_know_them(tmp_path: Path, paints: Path, run: Run) -> None:
    run("vocabulary", "add", "paints", str(paints))
    (tmp_path / "policy.toml").write_text('[[rule]]\nlabel = "paints:sky"\naction = "block"\n')
    with TestClient(create_app(settings(tmp_path, policy=tmp_path / "policy.toml"))) as http:
        kinds = {one["kind"]: one for one in http.get("/v1/labels/kinds").json()["kinds"]}
        assert kinds["paints"]["facet"]
        answer = http.post("/v1/search", json={"text": "red green", "min_relevance": 0, "facets": ["paints"]}).json()
        assert {one["value"] for one in answer["facets"]["paints"]} == {"vermilion", "grass", "sky"}
    with crossmedia.open_library(tmp_path / "data", profile="toy", policy=tmp_path / "policy.toml") as library:
        with pytest.raises(BadVocabulary, match="the policy has a rule"):
            library.remove_vocabulary("paints")
        assert library.labels("paints")


def test_in_python(tmp_path: Path, paints: Path) -> None:
    with crossmedia.open_library(tmp_path / "data", profile="toy", decode_workers=1) as library:
        assert library.vocabularies() == []
        added = library.add_vocabulary("paints", ["vermilion, red", "gold"])
        assert (added["labels"], added["seen"], added["notes"]) == (2, 1, [])
        assert library.add_vocabulary("paints", file=paints)["seen"] == 3
        with pytest.raises(BadVocabulary):
            library.add_vocabulary("paints", ["red", "red"])
        assert [one["name"] for one in library.vocabularies()] == ["paints"]
        assert library.remove_vocabulary("paints") == []
        assert library.labels("paints") == []


def test_a_backup_holds_them(tmp_path: Path, paints: Path, run: Run) -> None:
    run("vocabulary", "add", "paints", str(paints))
    run("backup", str(tmp_path / "copy"))
    (tmp_path / "data").rename(tmp_path / "before")
    run("restore", str(tmp_path / "copy"))
    assert run("vocabulary", "show", "paints").stdout.startswith("vermilion, red")
