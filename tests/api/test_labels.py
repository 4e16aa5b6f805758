"""Labels on the command line, over HTTP and in Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import crossmedia
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.label_conditions import parse_condition
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.retrieval.documents import Enrichment, Label, Patch
from tests.api.helpers import Run, settings
from tests.media_makers import write_picture


@pytest.mark.parametrize(
    ("written", "kind", "value", "score", "count"),
    [
        ("object:dog", "object", "dog", 0.0, 1),
        ("object", "object", None, 0.0, 1),
        ("2xobject:dog@0.5", "object", "dog", 0.5, 2),
        ("text:me@example.org", "text", "me@example.org", 0.0, 1),
        ("speaker:Ada: the first@1", "speaker", "Ada: the first", 1.0, 1),
        ("xobject", "xobject", None, 0.0, 1),
    ],
)
def test_how_conditions_are_written(written: str, kind: str, value: str | None, score: float, count: int) -> None:
    assert parse_condition(written, negate=True) == {
        "kind": kind,
        "value": value,
        "min_score": score,
        "min_count": count,
        "negate": True,
    }


@pytest.mark.parametrize("written", ["", ":", ":dog", "@0.5"])
def test_what_is_no_parse_condition(written: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_condition(written)


def write_labelled(data: Path, photos: Path) -> None:
    """Two pictures, of which the first has two dogs and the second one, and a cat."""
    photos.mkdir()
    for n, name in enumerate(("a.png", "b.png")):
        write_picture(photos / name, seed=n)
    service = Service(settings(data.parent))
    service.indexing.index([photos])
    for name, values in (("a.png", ("dog", "dog")), ("b.png", ("dog", "cat"))):
        [asset] = [a for a in service.runtime.store.find("") if service.runtime.store.asset(a).title == name]  # type: ignore[union-attr]
        labels = tuple(Label("object", value, 0.9 - n / 10, "m@1") for n, value in enumerate(values))
        service.runtime.store.enrich(
            [Enrichment(asset, "objects", "m@1", patches=(Patch(f"{asset}-picture0", labels=labels),))]
        )
    service.close()


def test_counted_and_filtered_in_every_face(tmp_path: Path, run: Run) -> None:
    write_labelled(tmp_path / "data", tmp_path / "photos")
    expected = {
        "kind": "object",
        "values": 2,
        "top": [{"value": "dog", "moments": 2, "assets": 2}, {"value": "cat", "moments": 1, "assets": 1}],
    }
    assert json.loads(run("labels", "object", "--json").stdout) == {"labels": [expected]}
    table = run("labels").stdout
    assert "dog" in table
    assert "object" in table
    with crossmedia.open_library(tmp_path / "data", profile="toy") as library:
        assert library.labels("object") == [expected]
        assert library.labels("object", limit=1)[0]["top"] == expected["top"][:1]
        assert library.labels("nothing") == []
        by_kind = {one["kind"]: one for one in library.labels()}
        assert by_kind["object"] == expected
        assert all(not by_kind[kind]["top"] for kind in by_kind.keys() & {"hash", "text"})
    with TestClient(create_app(settings(tmp_path))) as http:
        assert http.get("/v1/labels", params={"kind": "object"}).json() == {"labels": [expected]}
        body = {
            "text": "two dogs",
            "legs": ["labels"],
            "facets": ["object"],
            "filters": {"labels": [{"kind": "object", "value": "dog", "min_count": 2}]},
        }
        answer = http.post("/v1/search", json=body).json()
        assert http.get("/v1/labels", params={"limit": 0}).status_code == 422
    assert [Path(hit["path"]).name for hit in answer["hits"]] == ["a.png"]
    assert answer["facets"] == {"object": [{"value": "dog", "moments": 1, "assets": 1}]}

    def found(*words: str) -> list[str]:
        answer = json.loads(run("search", "picture", "--min-relevance", "0", "--json", *words).stdout)
        return sorted(Path(hit["path"]).name for hit in answer["hits"])

    assert found("--label", "object:dog") == ["a.png", "b.png"]
    assert found("--label", "2xobject:dog") == ["a.png"]
    assert found("--label", "object:dog@0.95") == []
    assert found("--label", "object:dog", "--without-label", "object:cat") == ["a.png"]
    assert "object dog 2, cat 1" in run("search", "a dog", "--leg", "labels", "--facets", "object").stdout
    assert "is not a label condition" in run("search", "x", "--label", ":", code=2).stderr


def test_the_vocabulary_over_http(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as http:
        kinds = {one["kind"]: one for one in http.get("/v1/labels/kinds").json()["kinds"]}
    assert [kind for kind, one in kinds.items() if one["facet"]] == "object area person speaker sound trust".split()
    first = {"kind": "object", "title": "Things", "said": True, "facet": True, "recognised": True, "values": None}
    assert kinds["object"] == first
    assert kinds["nudity"]["values"] == ["exposed"]
    assert not kinds["hash"]["recognised"]
