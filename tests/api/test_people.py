"""People through every face of the service, with toy faces: a person is a shade of magenta."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import crossmedia
from crossmedia.api.cli import app
from crossmedia.api.server import create_app
from crossmedia.embeddings.encoder import FACE
from crossmedia.retrieval.documents import whole_of
from tests.api.helpers import finished, settings
from tests.face_makers import ADA, BOB, CYD, write_film, write_scene

ONLY_FACES = ("objects", "ocr", "transcript", "speakers", "hashes")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    write_scene(folder / "both.png", (ADA, 20, 60), (BOB, 200, 60))
    write_scene(folder / "ada.png", ((250, 20, 152), 100, 90))
    write_scene(folder / "none.png")
    return folder


def opened(tmp_path: Path, **more: Any) -> crossmedia.Library:
    given = {"profile": "toy", "decode_workers": 1, "faces": True, "without": ONLY_FACES, **more}
    return crossmedia.open_library(tmp_path / "data", **given)


@pytest.fixture
def library(tmp_path: Path, album: Path) -> Iterator[crossmedia.Library]:
    with opened(tmp_path) as found:
        found.index(album)
        yield found


def of(library: crossmedia.Library, assets: int) -> str:
    """Who is in so many files."""
    (found,) = [person["name"] for person in library.people() if person["assets"] == assets]
    return str(found)


def test_off_until_a_setting_turns_it_on(tmp_path: Path, album: Path) -> None:
    with opened(tmp_path, faces=False) as off:
        report = off.index(album)
        assert (off.people(), report["notes"]) == ([], [])
        assert FACE not in off._service.runtime.store.spaces()
        assert off._service.runtime.store.statistics().moments == {"picture": 3}
        with pytest.raises(crossmedia.CrossmediaError, match="face recognition is off"):
            off.verify_faces(album / "ada.png", album / "both.png")
        _, notes = off._service.indexing.enrich(only=["faces"])
        assert "CROSSMEDIA_FACES=1" in notes[0]
    with opened(tmp_path) as on:  # the same collection, later
        on.index(album)
        assert len(on.people()) == 2
        assert FACE in on._service.runtime.store.spaces()


def test_one_person_in_two_pictures_has_one_name(library: crossmedia.Library, album: Path) -> None:
    ada, bob = library.people()
    assert [(p["faces"], p["assets"], p["seconds"]) for p in (ada, bob)] == [(2, 2, 0), (1, 1, 0)]
    library.name_person(ada["name"], "Ada")
    hits = library.search("grey", filters={"labels": [{"kind": "person", "value": "ada"}]}, min_relevance=0)["hits"]
    assert {hit["title"] for hit in hits} == {"both.png", "ada.png"}
    both = library.get(next(hit["asset"] for hit in hits if hit["title"] == "both.png"))
    (whole,) = [m for m in both["moments"] if m["kind"] == "picture"]
    told = {label["kind"]: label for label in whole["labels"] if label["value"] in ("Ada", "2")}
    assert told["person"]["box"] == pytest.approx([20 / 320, 0.25, 80 / 320, 0.5], abs=0.01)
    assert told["faces"]["value"] == "2"
    with pytest.raises(crossmedia.CrossmediaError) as error:
        library.name_person("nobody", "x")
    assert (error.value.code, error.value.hint) == ("not_found", "crossmedia people list shows all")


def test_a_name_is_kept_for_pictures_that_come_later(library: crossmedia.Library, tmp_path: Path) -> None:
    library.name_person(of(library, 2), "Ada")
    library.index(write_scene(tmp_path / "later.png", (ADA, 150, 100), (CYD, 10, 100)))
    assert {p["name"]: p["assets"] for p in library.people()}["Ada"] == 3
    assert len(library.people()) == 3


def test_query_by_face_finds_the_pictures_that_show_it(library: crossmedia.Library, album: Path) -> None:
    answer = library.search(files=[album / "ada.png"], legs=["face"])
    assert {hit["title"] for hit in answer["hits"]} == {"both.png", "ada.png"}
    (both,) = [hit for hit in answer["hits"] if hit["title"] == "both.png"]
    (evidence,) = both["evidence"]
    assert (evidence["leg"], both["moment"].rsplit("-", 1)[1]) == ("face", "picture0")
    nobody = library.search(files=[album / "none.png"], legs=["face"])
    assert (list(nobody["hits"]), list(nobody["notes"])) == ([], ["none.png: no face in it"])
    legs = {e["leg"] for hit in library.search(files=[album / "ada.png"])["hits"] for e in hit["evidence"]}
    assert "face" not in legs


def test_two_pictures_are_compared(library: crossmedia.Library, album: Path, tmp_path: Path) -> None:
    bob = write_scene(tmp_path / "bob.png", (BOB, 50, 50))
    assert library.verify_faces(album / "ada.png", album / "both.png")["same"]
    told = library.verify_faces(album / "ada.png", bob)
    assert (told["same"], told["probability"] < 0.1) == (False, True)
    with pytest.raises(crossmedia.CrossmediaError) as error:
        library.verify_faces(album / "none.png", bob)
    assert error.value.code == "no_face"


def test_merged_and_split_again(library: crossmedia.Library) -> None:
    names = [person["name"] for person in library.people()]
    library.merge_people(names, "Everybody")
    (everybody,) = library.people()
    assert (everybody["name"], everybody["faces"]) == ("Everybody", 3)
    parted = library.split_person("Everybody")
    assert parted == {"name": "Everybody (2)", "faces": 1}
    assert {p["name"]: p["faces"] for p in library.people()} == {"Everybody": 2, "Everybody (2)": 1}
    (shown,) = library.appearances("Everybody (2)")
    assert shown["path"].endswith("both.png")
    (whole,) = library.search("x", filters={"labels": [{"kind": "person", "value": "Everybody (2)"}]}, min_relevance=0)[
        "hits"
    ]
    assert whole["title"] == "both.png"
    # By files: what is left must be somebody's.
    with pytest.raises(crossmedia.CrossmediaError):
        library.split_person("Everybody", "All", assets=[one["asset"] for one in library.appearances("Everybody")])
    with pytest.raises(crossmedia.CrossmediaError) as error:
        library.split_person("Everybody", "Everybody (2)", faces=["x"])
    assert error.value.code == "name_taken"
    moved = library.split_person("Everybody", "Ada", faces=[library.appearances("Everybody")[0]["faces"][0]["moment"]])
    assert moved == {"name": "Ada", "faces": 1}
    library._service.indexing.enrich()
    assert {p["name"] for p in library.people()} == {"Everybody", "Everybody (2)", "Ada"}


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_forgotten_is_gone_from_the_files_and_stays_gone(
    tmp_path: Path, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.retrieval.local.derived.SAVE_AFTER", 1)
    with opened(tmp_path) as library:
        library.index(album)
        library.name_person(of(library, 2), "Adalovelace")
        library._service.runtime.store.optimise()
        store = library._service.runtime.store
        faces = [face["moment"] for one in library.appearances("Adalovelace") for face in one["faces"]]
        assert len(faces) == 2
        secrets = [vector.tobytes() for vector in store.vectors(FACE, faces).values()]
        secrets += [jpeg for face in faces if (jpeg := store.thumbnail(face))]
        secrets += [b"Adalovelace"]
        kept = store.vectors(FACE, [face["moment"] for face in library.appearances(of(library, 1))[0]["faces"]])
        assert len(secrets) == 5
        before = contents(tmp_path / "data")
        assert all(secret in before for secret in secrets)
        assert library.forget_person("adalovelace") == 2
        after = contents(tmp_path / "data")
        assert not any(secret in after for secret in secrets)
        assert all(vector.tobytes() in after for vector in kept.values())
        assert not any(store.thumbnail(face) for face in faces)
    assert not any(secret in contents(tmp_path / "data") for secret in secrets)
    with opened(tmp_path) as library:
        # The enricher looks again, at the same pictures and with the same result: without those faces.
        monkeypatch.setattr("crossmedia.embeddings.toy_faces.ToyFinder.model", "toy, later")
        library.index(album)
        assert [person["assets"] for person in library.people()] == [1]
        assert library._service.runtime.store.verify() == []
        assert not any(secret in contents(tmp_path / "data") for secret in secrets)
        with pytest.raises(crossmedia.CrossmediaError):
            library.forget_person("Adalovelace")
        (hit, *_) = library.search("grey", min_relevance=0)["hits"]
        assert hit


def test_people_without_a_name_are_joined_whatever_the_order(library: crossmedia.Library, tmp_path: Path) -> None:
    store = library._service.runtime.store
    ada, bob = (person["name"] for person in library.people())
    (one, *_) = [face["moment"] for found in library.appearances(ada) for face in found["faces"]]
    library.split_person(ada, "person 0000-9", faces=[one])
    library.name_person(bob, "Bob")
    assert len(library.people()) == 3
    library._service.indexing.enrich()
    assert sorted(person["faces"] for person in library.people()) == [1, 2]
    assert store.moments(whole_of(one).rsplit("-", 1)[0])


def test_when_somebody_appears(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    here, there = (ADA, 40, 80), (BOB, 200, 80)
    write_film(folder / "film.mp4", [([here], 3), ([there], 3), ([here, there], 3)])
    with opened(tmp_path) as library:
        library.index(folder)
        ada, bob = sorted(library.people(), key=lambda person: person["start"])
        for person, expected in ((ada, [(0, 3), (6, 9)]), (bob, [(3, 9)])):
            assert (person["faces"], person["assets"]) == (2, 1)
            assert person["seconds"] == pytest.approx(6, abs=1)
            (shown,) = library.appearances(person["name"])
            spans = [(span["start"], span["end"]) for span in shown["spans"]]
            assert np.array(spans) == pytest.approx(np.array(expected), abs=0.5)
        assert shown["spans"][0]["link"].startswith(f"/v1/assets/{shown['asset']}/content#t=")
        film = library.get(shown["asset"])
        labels = {
            moment["moment"].rsplit("-", 1)[1]: {
                label["value"] for label in moment["labels"] if label["kind"] == "person"
            }
            for moment in film["moments"]
            if moment["kind"] == "shot"
        }
        assert labels == {"shot0": {ada["name"]}, "shot1": {bob["name"]}, "shot2": {ada["name"], bob["name"]}}
        library.forget_person(ada["name"])
        library._service.runtime.store.enrich([])
        assert [person["name"] for person in library.people()] == [bob["name"]]


def test_over_http_where_faces_are_off(tmp_path: Path, album: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as http, (album / "ada.png").open("rb") as picture:
        files = [("file", ("a.png", picture.read())), ("file", ("b.png", b"x"))]
        refused = http.post("/v1/people/verify", files=files)
        assert (refused.status_code, refused.json()["error"]["code"]) == (501, "faces_off")
        assert "CROSSMEDIA_FACES=1" in refused.json()["error"]["hint"]


def test_over_http(tmp_path: Path, album: Path) -> None:
    made = settings(tmp_path, without=ONLY_FACES, roots=(str(album),), faces=True)
    with TestClient(create_app(made)) as http:
        finished(http, http.post("/v1/assets", json={"path": str(album)}))
        ada, bob = http.get("/v1/people").json()["people"]
        assert http.get(ada["thumbnail"]).content[:2] == b"\xff\xd8"
        assert http.put(f"/v1/people/{ada['name']}", json={"name": "Ada / B"}).json()["name"] == "Ada / B"
        taken = http.put(f"/v1/people/{bob['name']}", json={"name": "ada / b"})
        assert (taken.status_code, taken.json()["error"]["code"]) == (409, "name_taken")
        shown = http.get("/v1/people/Ada%20%2F%20B").json()
        assert len(shown["appearances"]) == 2
        assert http.get("/v1/people/nobody").status_code == 404
        merged = http.post("/v1/people/merge", json={"people": ["Ada / B", bob["name"]], "into": "All"})
        assert merged.json()["name"] == "All"
        parted = http.post("/v1/people/split", json={"person": "All", "to": "Bob"})
        assert parted.json() == {"name": "Bob", "faces": 1}
        assert http.post("/v1/people/split", json={"person": "Bob"}).status_code == 422
        parts = [("file", (name, (album / name).read_bytes())) for name in ("both.png", "ada.png")]
        assert http.post("/v1/people/verify", files=parts).json()["same"]
        assert http.post("/v1/people/verify", files=parts[:1]).status_code == 422
        assert http.post("/v1/people/regroup").json() == {"joined": 0}
        query = {"query": (None, json.dumps({"legs": ["face"]}))}
        found = http.post("/v1/search", files=[*query.items(), ("file", ("ada.png", parts[1][1][1]))])
        assert {hit["title"] for hit in found.json()["hits"]} == {"both.png", "ada.png"}
        assert http.delete("/v1/people/All").json() == {"name": "All", "faces": 2}
        assert [person["name"] for person in http.get("/v1/people").json()["people"]] == ["Bob"]


def test_on_the_command_line(tmp_path: Path, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("PROFILE", "toy"),
        ("DATA", str(tmp_path / "data")),
        ("DECODE_WORKERS", "1"),
        ("FACES", "1"),
        ("WITHOUT", ",".join(ONLY_FACES)),
    ):
        monkeypatch.setenv(f"CROSSMEDIA_{name}", value)

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, result.output
        return result.output

    run("index", str(album))
    people: list[dict[str, Any]] = json.loads(run("people", "list", "--json"))["people"]
    run("people", "name", people[0]["name"], "Ada")
    assert "Ada" in run("people", "list")
    assert "ada.png" in run("people", "show", "Ada")
    found = json.loads(run("search", "--face", str(album / "ada.png"), "--json"))["hits"]
    assert {hit["title"] for hit in found} == {"both.png", "ada.png"}
    run("search", "words", "--face", str(album / "ada.png"), code=2)
    assert "the same person" in run("people", "verify", str(album / "ada.png"), str(album / "both.png"))
    run("people", "merge", "Ada", people[1]["name"], "--into", "All")
    assert "1 faces are Bob" in run("people", "split", "All", "--to", "Bob")
    assert "0 people" in run("people", "regroup")
    assert "forgotten" in run("people", "forget", "All")
    assert [p["name"] for p in json.loads(run("people", "list", "--json"))["people"]] == ["Bob"]
    run("people", "forget", "All", code=1)
