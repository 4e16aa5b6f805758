"""Objects end to end: found by their label, drawn, of hostile pictures too; absent and newer models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import crossmedia
from crossmedia.api.drawing import LARGE, Drawing, NothingToDraw, draw, draw_boxes, drawings, sheet
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import Detection, ObjectDetector
from crossmedia.indexer.enrichers.registry import pass_names
from crossmedia.retrieval.documents import Label
from tests.api.helpers import command, finished, settings
from tests.media_makers import picture, tone, write_picture, write_video, write_wav

ONLY = tuple(name for name in pass_names() if name != "objects")
BOX = (0.25, 0.25, 0.75, 0.75)


class Reddish:
    """In the place of the network: whatever is reddish on the whole is a dog in the middle."""

    @staticmethod
    def detect(detector: ObjectDetector, batch: Sequence[Picture], least: float = 0.3) -> list[list[Detection]]:
        red = [one.pixels[..., 0].mean() > one.pixels[..., 2].mean() + 20 for one in batch]
        return [[Detection("dog", 0.8, BOX)] if one else [] for one in red]


@pytest.fixture
def reddish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ObjectDetector, "detect", Reddish.detect)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in (("red", (220, 30, 30)), ("blue", (30, 30, 220))):
        Image.fromarray(np.full((60, 80, 3), colour, dtype=np.uint8)).save(folder / f"{name}.png")
    return folder


def objects(service: Service, name: str) -> list[Label]:
    asset = next(
        a
        for a in service.runtime.store.find("")
        if (found := service.runtime.store.asset(a)) and found.title.startswith(name)
    )
    return [
        label for moment in service.runtime.store.moments(asset) for label in moment.labels if label.kind == "object"
    ]


def test_a_filter_finds_what_has_the_object(reddish: None, tmp_path: Path, photos: Path) -> None:
    with crossmedia.open_library(tmp_path / "data", profile="toy", without=ONLY, decode_workers=1) as library:
        report = library.index(photos)
        assert (report["added"], report["enriched"], report["notes"]) == (2, 2, [])
        found = library.search("red", filters={"labels": [{"kind": "object", "value": "dog"}]}, min_relevance=0)
    assert [Path(hit["path"]).name for hit in found["hits"]] == ["red.png"]


def test_over_http_an_object_is_a_label_with_a_box(reddish: None, tmp_path: Path, photos: Path) -> None:
    with TestClient(create_app(settings(tmp_path, without=ONLY))) as http:
        parts = [("file", (path.name, path.read_bytes())) for path in sorted(photos.iterdir())]
        job = finished(http, http.post("/v1/assets", files=parts))
        assert job["state"] == "done"
        body = {"text": "red", "min_relevance": 0, "filters": {"labels": [{"kind": "object", "value": "dog"}]}}
        (hit,) = http.post("/v1/search", json=body).json()["hits"]
        shown = http.get(f"/v1/assets/{hit['asset']}").json()
    (label,) = [x for moment in shown["moments"] for x in moment["labels"] if x["kind"] == "object"]
    assert (label["value"], label["score"], tuple(label["box"])) == ("dog", 0.8, BOX)
    assert label["model"] == ObjectDetector.model


def test_an_absent_model_is_a_line_and_a_skipped_pass(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Catalog.resolve

    def resolve(catalog: Catalog, model: str) -> Path:
        if model == "yolox-nano":
            raise ModelMissing("YOLOX-nano is not installed", "install it")
        return plain(catalog, model)

    monkeypatch.setattr(Catalog, "resolve", resolve)
    service = Service(settings(tmp_path, without=ONLY))
    assert service.indexing.index([photos]).counts["added"] == 2
    report, absent = service.indexing.enrich()
    assert (report.done, report.failed) == (0, [])
    assert absent == ["objects is left out: YOLOX-nano is not installed; install it"]
    monkeypatch.undo()
    service.close()
    again = Service(settings(tmp_path, without=ONLY))
    assert again.indexing.enrich()[0].done == 2
    again.close()


def test_another_model_looks_again_and_replaces(
    reddish: None, tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(settings(tmp_path, without=ONLY))
    service.indexing.index([photos])
    assert service.indexing.enrich()[0].done == 2
    assert service.indexing.enrich()[0].done == 0
    assert [label.value for label in objects(service, "red")] == ["dog"]
    service.close()
    monkeypatch.setattr(ObjectDetector, "model", "yolox-nano@next")
    monkeypatch.setattr(ObjectDetector, "detect", lambda self, batch: [[Detection("cat", 0.7, BOX)] for _ in batch])
    newer = Service(settings(tmp_path, without=ONLY))
    assert newer.indexing.enrich()[0].done == 2
    assert [(label.value, label.model) for label in objects(newer, "red")] == [("cat", "yolox-nano@next")]
    newer.close()


def test_odd_pictures_fail_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    Image.new("RGB", (1, 1), "red").save(folder / "dot.png")
    Image.new("L", (30_000, 2_000), 90).save(folder / "wide.png")
    Image.fromarray(picture(1)).convert("L").save(folder / "grey.png")
    Image.fromarray(picture(2)).convert("CMYK").save(folder / "print.jpg")
    frames = [Image.fromarray(picture(seed)) for seed in (3, 4, 5)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:], duration=80)
    write_picture(folder / "turned.jpg", seed=6, exif=_turned())
    service = Service(settings(tmp_path, without=ONLY))
    assert service.indexing.index([folder]).counts["added"] == 6
    report, absent = service.indexing.enrich()
    assert (report.done, report.failed, absent) == (6, [], [])
    for asset in service.runtime.store.find(""):
        image = draw(drawings(service.runtime.store, service.runtime.pool, asset))
        assert max(image.size) == LARGE
    service.close()


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def test_a_video_is_drawn_on_a_sheet_and_a_sound_not_at_all(reddish: None, tmp_path: Path) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    write_video(folder / "film.mp4", [(1, 1.0), (2, 1.0), (3, 1.0)])
    write_wav(folder / "tone.wav", tone(1.0))
    service = Service(settings(tmp_path, without=ONLY))
    report = service.indexing.index([folder])
    service.indexing.enrich()
    by_name = {Path(path).name: asset for path, asset in report.assets.items()}
    shown = drawings(service.runtime.store, service.runtime.pool, by_name["film.mp4"])
    assert [one.title for one in shown] == ["0.0 to 1.0 s", "1.0 to 2.0 s", "2.0 to 3.0 s"]
    whole = draw(shown)
    assert whole.size[0] > 2 * 480
    with pytest.raises(NothingToDraw):
        drawings(service.runtime.store, service.runtime.pool, by_name["tone.wav"])
    service.close()


def test_boxes_are_drawn_where_they_are() -> None:
    grey = Picture(np.full((100, 200, 3), 128, dtype=np.uint8))
    pixels = np.asarray(draw_boxes(Drawing(grey, [Label("object", "dog", 0.8, "m", BOX)]), 1000))
    assert pixels.shape == (500, 1000, 3)
    coloured = (pixels != 128).any(axis=2)
    rows, columns = np.flatnonzero(coloured.any(axis=1)), np.flatnonzero(coloured.any(axis=0))
    assert (columns[0], columns[-1]) == (250, 749)
    assert rows[-1] == 374
    assert 90 <= rows[0] < 125  # the name stands above
    assert not coloured[135:365, 260:740].any()
    assert coloured[125:375, 250].all()


def test_a_name_stays_within_the_picture() -> None:
    white = Picture(np.full((50, 400, 3), 255, dtype=np.uint8))
    corner = Label("object", "baseball glove", 0.5, "m", (0.98, 0.0, 1.0, 0.1))
    assert np.asarray(draw_boxes(Drawing(white, [corner]), 800)).shape == (100, 800, 3)


def test_a_sheet_holds_all_pictures() -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]
    shown = [
        Drawing(Picture(np.full((40, 60, 3), colour, dtype=np.uint8)), (), str(n)) for n, colour in enumerate(colours)
    ]
    whole = {tuple(pixel) for pixel in np.asarray(sheet(shown, 60)).reshape(-1, 3).tolist()}
    assert set(colours) <= whole


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """With every pass."""
    return {**environment, "CROSSMEDIA_WITHOUT": ""}


def run(environment: dict[str, str], *words: str, code: int = 0) -> str:
    done = command(environment, *words, code=code)
    return done.stdout + done.stderr


def test_doctor_tells_of_each_pass_that_is_left_out(tmp_path: Path, environment: dict[str, str]) -> None:
    told = run(environment, "doctor", "--data", str(tmp_path / "data"))
    assert "ok   model yolox-nano" in told
    assert "transcript is left out: no speech recogniser" in told
    assert "objects is left out" not in told


@pytest.mark.shared
def test_from_the_command_line_a_dog_is_found_and_drawn(
    tmp_path: Path, shared: Path, environment: dict[str, str]
) -> None:
    photo = shared / "data" / "flickr8k" / "images" / "1019604187_d087bf9a5f.jpg"
    data = ("--data", str(tmp_path / "data"))
    left_out = [word for name in ONLY for word in ("--without", name)]
    run(environment, "index", str(photo), *left_out, *data)
    asked = ("search", "white", "--label", "object:dog", "--min-relevance", "0", "--json", *data)
    (hit,) = json.loads(run(environment, *asked))["hits"]
    assert not json.loads(run(environment, *[w.replace("dog", "zebra") for w in asked]))["hits"]
    target = tmp_path / "drawn.png"
    told = run(environment, "show", hit["asset"], "--draw", str(target), *data)
    assert "object: dog" in told
    before: Any = np.asarray(Image.open(photo).convert("RGB").resize((LARGE, LARGE), Image.Resampling.BICUBIC))
    changed = (np.asarray(Image.open(target)) != before).any(axis=2)
    assert 0.005 < changed.mean() < 0.15
    run(environment, "show", hit["asset"], "--draw", str(tmp_path / "drawn.tar"), *data, code=2)


@pytest.mark.shared
def test_a_dog_that_runs_through_a_film_is_one_dog(tmp_path: Path, shared: Path) -> None:
    photo = Image.open(shared / "data" / "flickr8k" / "images" / "1019604187_d087bf9a5f.jpg").convert("RGB")
    dog = photo.crop((54, 86, 156, 224)).resize((180, 240))
    meadow = photo.crop((160, 120, 224, 200)).resize((640, 360))
    with av.open(str(tmp_path / "film.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(100):
            frame = meadow.copy()
            frame.paste(dog, (10 + 4 * number, 100))
            out.mux(stream.encode(av.VideoFrame.from_image(frame)))
        out.mux(stream.encode(None))
    service = Service(settings(tmp_path, without=ONLY))
    service.indexing.index([tmp_path / "film.mp4"])
    report, absent = service.indexing.enrich()
    assert (report.done, absent) == (1, [])
    (asset,) = service.runtime.store.find("")
    labels = [x for moment in service.runtime.store.moments(asset) for x in moment.labels if moment.kind == "shot"]
    service.close()
    (track,) = [x for x in labels if (x.kind, x.value) == ("track", "dog")]
    assert track.start == pytest.approx(0.0, abs=0.6)
    assert track.end == pytest.approx(4.0, abs=0.6)
    assert ("moving", "dog right") in {(x.kind, x.value) for x in labels}
    assert "dog" in {x.value for x in labels if x.kind == "object"}
