"""Masks of areas: over HTTP and from the command line, of hostile pictures too, and of what is blocked not at all."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from crossmedia.api.drawing import NothingToDraw
from crossmedia.api.masks import MAX_MASK_SIDE, mask
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.embeddings.segmentation import shared_segmenter
from tests.api.helpers import Run, finished, settings
from tests.embeddings.test_segmentation import landscape
from tests.media_makers import tone, write_wav

LEFT_OUT = ("objects", "regions", "ocr", "plates", "transcript")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "landscape.png"
    Image.fromarray(landscape(1500, 1200).pixels).save(path)
    return path


def test_a_mask_comes_on_request_and_the_share_is_a_label(tmp_path: Path, photo: Path) -> None:
    given = settings(tmp_path, without=LEFT_OUT, roots=(str(tmp_path),))
    with TestClient(create_app(given)) as http:
        job = finished(http, http.post("/v1/assets", json={"path": str(photo)}))
        [asset] = job["report"]["assets"].values()
        labels = http.get(f"/v1/assets/{asset}").json()["moments"][0]["labels"]
        shares = {label["value"]: label["score"] for label in labels if label["kind"] == "area"}
        assert 0.3 < shares["sky"] < 0.6
        answer = http.get(f"/v1/assets/{asset}/masks/sky")
        assert answer.headers["content-type"] == "image/png"
        drawn = Image.open(io.BytesIO(answer.content))
        assert (drawn.mode, drawn.size) == ("L", (MAX_MASK_SIDE, 819))
        assert np.asarray(drawn).mean() / 255 == pytest.approx(shares["sky"], abs=0.02)
        unknown = http.get(f"/v1/assets/{asset}/masks/lava")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")
        assert http.get(f"/v1/assets/{'0' * 64}/masks/sky").status_code == 404
        for least, count in ((0.3, 1), (0.9, 0)):
            wanted = [{"kind": "area", "value": "sky", "min_score": least}]
            found = http.post("/v1/search", json={"text": "blue", "min_relevance": 0, "filters": {"labels": wanted}})
            assert len(found.json()["hits"]) == count, found.text


@pytest.mark.parametrize("kind", ["dot", "wide", "grey", "cmyk", "animated"])
def test_hostile_pictures_have_masks(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("hostile.jpg" if kind == "cmyk" else "hostile.gif" if kind == "animated" else "hostile.png")
    if kind == "animated":
        frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "green")]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=200)
    else:
        modes = {"grey": "L", "cmyk": "CMYK"}
        size = {"dot": (1, 1), "wide": (30000, 2000)}.get(kind, (40, 30))
        Image.new(modes.get(kind, "RGB"), size).save(path)
    with closing(Service(settings(tmp_path, without=(*LEFT_OUT, "areas")))) as service:
        report = service.indexing.index([path])
        assert not report.failed
        [asset] = service.runtime.store.find("")
        drawn = mask(
            service.runtime.store, service.runtime.pool, shared_segmenter(service.runtime.catalog, 1), asset, "water"
        )
        assert max(drawn.size) <= MAX_MASK_SIDE
        assert min(drawn.size) >= 1


def test_a_sound_has_no_mask(tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav", tone(1.0))
    with closing(Service(settings(tmp_path, without=(*LEFT_OUT, "areas")))) as service:
        service.indexing.index([tmp_path / "tone.wav"])
        [asset] = service.runtime.store.find("")
        with pytest.raises(NothingToDraw):
            mask(
                service.runtime.store,
                service.runtime.pool,
                shared_segmenter(service.runtime.catalog, 1),
                asset,
                "water",
            )


def test_what_is_blocked_has_no_mask(tmp_path: Path, photo: Path) -> None:
    given = settings(tmp_path, without=(*LEFT_OUT, "areas"))
    with closing(Service(given)) as service:
        service.indexing.index([photo])
        [asset] = service.runtime.store.find("")
        service.moderation.decide(asset, "block", "Ada")
    with TestClient(create_app(given)) as http:
        refused = http.get(f"/v1/assets/{asset}/masks/sky")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "blocked")


def test_from_the_command_line(tmp_path: Path, photo: Path, run: Run) -> None:
    run("index", str(photo), *(word for name in (*LEFT_OUT, "areas") for word in ("--without", name)))
    target = tmp_path / "mask.png"
    told = run("show", str(photo), "--mask", "sky", str(target))
    assert target.name in told.stdout.replace("\n", "")
    assert 0.3 < np.asarray(Image.open(target)).mean() / 255 < 0.6
    assert "there are: sky" in run("show", str(photo), "--mask", "lava", str(target), code=1).stderr
    run("show", str(photo), "--mask", "sky", str(tmp_path / "mask.jpg"), code=2)
