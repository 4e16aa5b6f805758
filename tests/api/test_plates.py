"""Plates end to end: read on the car that is in the picture, asked for by command, over HTTP and from Python."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

import crossmedia
from crossmedia.api.server import create_app
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import Detection, ObjectDetector
from crossmedia.indexer.enrichers.registry import pass_names
from tests.api.helpers import Run, settings
from tests.indexer.test_plates import car

WITHOUT = ("transcript", "speakers", "hashes")


@pytest.fixture
def cars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with a car on whose plate RK 755 AJ stands. In the place of the network: everything is a car."""

    def detect(detector: ObjectDetector, batch: Sequence[Picture], least: float = 0.3) -> list[list[Detection]]:
        return [[Detection("car", 0.8, (0.1, 0.2, 0.9, 0.9))] for _ in batch]

    monkeypatch.setattr(ObjectDetector, "detect", detect)
    folder = tmp_path / "cars"
    folder.mkdir()
    Image.fromarray(car("RK 755 AJ").pixels).save(folder / "car.png")
    return folder


def test_a_plate_is_found_where_it_is_seen(cars: Path, tmp_path: Path) -> None:
    with crossmedia.open_library(tmp_path / "data", profile="toy") as library:
        library.index(cars, without=WITHOUT)
        (seen,) = library.plate("rk-755 aj")
        assert (seen["value"], seen["distance"], Path(seen["path"]).name) == ("RK755AJ", 0, "car.png")
        assert [one["distance"] for one in library.plate("RK 756 AJ")] == [1]
        labels = library.get(seen["asset"])["moments"][0]["labels"]
        assert {one["kind"] for one in labels} >= {"object", "text", "plate"}
    with TestClient(create_app(settings(tmp_path))) as http:
        assert http.get("/v1/plates/RK 755 AJ").json()["plates"] == [seen]
        assert http.get("/v1/plates/XX999XX").json() == {"plates": []}
        assert http.get("/v1/plates/A").json()["error"]["code"] == "bad_plate"


def test_the_command_says_what_it_finds(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    without = (word for name in pass_names() for word in ("--without", name))
    run("index", str(tmp_path / "red.png"), *without)
    assert json.loads(run("plate", "RK755AJ", "--json").stdout) == {"plates": []}
    assert "Plate not found" in run("plate", "RK755AJ").stdout
    assert "is not a licence plate" in run("plate", "A", code=2).stderr
