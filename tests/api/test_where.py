"""Where words are in a picture: over HTTP, from the command line and in Python; what cannot be looked at says so."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from crossmedia.api.drawing import NothingToDraw, read_anew
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.profiles import load_pointer
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.use_cases.pointing import MAX_WORDS
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.pointing import CannotPoint
from crossmedia.embeddings.pointing_student import StudentPointer
from crossmedia.embeddings.toy import COLOURS, ToyPointer, ToyText, colour_shares, toy_profile
from crossmedia.indexer.originals import SourceGone
from crossmedia.retrieval.store import NotFound
from tests.api.helpers import Run, settings, upload
from tests.media_makers import tone, write_video, write_wav


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Blue, and red in the lower left corner."""
    pixels = np.full((80, 120, 3), COLOURS["blue"], np.uint8)
    pixels[60:, :30] = COLOURS["red"]
    path = tmp_path / "flag.png"
    Image.fromarray(pixels).save(path)
    return path


def test_over_http(http: TestClient, photo: Path) -> None:
    [asset] = upload(http, flag_png=photo.read_bytes())["report"]["assets"].values()
    told = http.get(f"/v1/assets/{asset[:12]}/where", params={"words": " red "}).json()
    assert (told["seen"], told["place"], told["words"]) == (True, "left, lower third", "red")
    assert (told["point"], told["box"]) == ([0.125, 0.875], [0, 0.75, 0.25, 1])
    assert np.array(told["heat"]).shape == (4, 4)
    assert np.array(told["heat"]).argmax() == 12
    absent = http.get(f"/v1/assets/{asset}/where", params={"words": "yellow"}).json()
    assert (absent["seen"], absent["place"], absent["point"], absent["box"]) == (False, None, None, None)
    for asked, status, code in (
        ({}, 422, "invalid_request"),
        ({"words": ""}, 422, "invalid_request"),
        ({"words": "  "}, 422, "invalid_request"),
        ({"words": "x" * (MAX_WORDS + 1)}, 422, "invalid_request"),
        ({"words": "red", "moment": "nothing"}, 404, "not_found"),
    ):
        refused = http.get(f"/v1/assets/{asset}/where", params=asked)
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code), asked
    assert http.get(f"/v1/assets/{'0' * 64}/where", params={"words": "red"}).status_code == 404


def test_what_is_blocked_is_not_looked_at(tmp_path: Path, photo: Path) -> None:
    with closing(Service(settings(tmp_path))) as service:
        service.indexing.index([photo])
        [asset] = service.runtime.store.find("")
        service.moderation.decide(asset, "block", "Ada")
    with TestClient(create_app(settings(tmp_path))) as http:
        refused = http.get(f"/v1/assets/{asset}/where", params={"words": "red"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "blocked")


def test_only_pictures_that_are_there_are_looked_at(tmp_path: Path, photo: Path) -> None:
    write_wav(tmp_path / "tone.wav", tone(1.0))
    with closing(Service(settings(tmp_path))) as service:
        service.indexing.index([photo, tmp_path / "tone.wav"])
        by_name = {}
        for asset in service.runtime.store.find(""):
            by_name[service.assets.get(asset).title] = asset
        with pytest.raises(NothingToDraw):
            service.pointing.where(by_name["tone.wav"], "red")
        with pytest.raises(InvalidRequest):
            service.pointing.where(by_name["flag.png"], "\n")
        photo.unlink()
        with pytest.raises(SourceGone):
            service.pointing.where(by_name["flag.png"], "red")


def test_of_a_video_the_key_frame_that_is_most_like_the_words(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", [(1, 1.0), (2, 1.0)])
    with closing(Service(settings(tmp_path))) as service:
        service.indexing.index([tmp_path / "film.mp4"])
        [asset] = service.runtime.store.find("")
        shown = dict(read_anew(service.runtime.store, service.runtime.pool, asset)[1])
        assert len(shown) == 2
        colour = colour_shares(list(shown.values())[1])[0][0]
        said = ToyText().encode([colour]).vectors[COMMON][0]
        likely = max(shown, key=lambda name: ToyPointer().likeness(shown[name], said))
        assert service.pointing.where(asset, colour).moment == likely
        for name in shown:
            assert service.pointing.where(asset, colour, name).moment == name
        with pytest.raises(NotFound):
            service.pointing.where(asset, colour, f"{asset}-frame99")


def test_from_the_command_line(tmp_path: Path, photo: Path, run: Run) -> None:
    run("index", str(photo))
    target = tmp_path / "hot.png"
    said = run("show", str(photo), "--where", "red", "--draw", str(target)).stdout
    assert said.startswith("left, lower third; box 0.00,0.75 to 0.25,1.00; chance 1.00")
    drawn = np.asarray(Image.open(target)).astype(int)
    corner, middle = drawn[-100, 100], drawn[300, 600]
    assert corner[0] - corner[2] > 100 > middle[0] - middle[2]
    assert run("show", str(photo), "--where", "green").stdout.startswith("not seen: green")
    assert json.loads(run("show", str(photo), "--where", "red", "--json").stdout)["place"] == "left, lower third"
    assert "no words" in run("show", str(photo), "--where", " ", code=2).stderr
    run("show", str(photo), "--where", "red", "--mask", "sky", str(target), code=2)


def test_which_tower_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    catalog = Catalog(tmp_path)
    profile = Service(settings(tmp_path, profile="builtin")).runtime.base_profile
    assert isinstance(load_pointer(settings(tmp_path, profile="builtin"), catalog, profile), StudentPointer)
    with pytest.raises(ModelMissing) as caught:
        load_pointer(settings(tmp_path, profile="builtin", sight="teacher"), catalog, profile)
    assert "crossmedia models pull clip-b16" in caught.value.hint
    with pytest.raises(CannotPoint):
        load_pointer(settings(tmp_path, profile="clip"), catalog, toy_profile())
