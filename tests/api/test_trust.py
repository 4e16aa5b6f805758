"""Trust through the faces: a file by the command line, over HTTP and in Python, an asset, a search; nothing stays of
a look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import crossmedia
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.runtime import Runtime
from crossmedia.api.service import Service
from crossmedia.embeddings.errors import CrossmediaError
from tests.api.helpers import Run, finished, settings
from tests.media_makers import tone, write_picture, write_wav
from tests.signing import authority, signed

ASKED = {"forgery", "spoof"}


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A picture that says that it is generated."""
    folder = tmp_path / "signed"
    folder.mkdir()
    path = write_picture(folder / "drawn.jpg", seed=5)
    path.write_bytes(signed(path.read_bytes(), "image/jpeg"))
    return path


def test_the_commands(run: Run, drawn: Path, tmp_path: Path) -> None:
    told = run("trust", str(drawn))
    assert "signer unknown" in told.stdout
    assert "trainedAlgorithmicMedia" in told.stdout
    assert not (tmp_path / "data").exists()
    found = json.loads(run("trust", str(drawn), "--json").stdout)
    assert {(fact["kind"], fact["value"]) for fact in found["facts"]} >= {
        ("trust", "generated"),
        ("signer", "Ada Tester"),
    }
    assert found["manifest"]["generator"] == "TestPainter 1"
    assert found["indications"] == found["models"] == []
    assert "no face is large enough" in found["notes"]
    run("index", str(drawn.parent), "--without", "ocr", "--without", "objects", "--without", "hashes")
    shown = run("show", str(drawn)).stdout
    assert "trust generated" in shown
    hits = json.loads(run("search", "anything", "--label", "trust:generated", "--min-relevance", "0", "--json").stdout)
    assert [Path(hit["path"]).name for hit in hits["hits"]] == ["drawn.jpg"]
    asset = hits["hits"][0]["asset"]
    kept = json.loads(run("trust", asset[:12], "--json").stdout)
    assert kept["facts"] == found["facts"]
    assert "crossmedia enrich --only forgery" in " ".join(kept["notes"])
    run("trust", "feed", code=1)


def test_over_http(http: TestClient, drawn: Path) -> None:
    answer = http.post("/v1/trust", files={"file": ("drawn.jpg", drawn.read_bytes())})
    assert answer.status_code == 200, answer.text
    assert {"kind": "trust", "value": "generated", "by": answer.json()["facts"][0]["by"]} in answer.json()["facts"]
    assert http.get("/v1/assets").json()["assets"] == []
    job = finished(http, http.post("/v1/assets", files={"file": ("drawn.jpg", drawn.read_bytes())}))
    assert job["state"] == "done"
    asset = http.get("/v1/assets").json()["assets"][0]["asset"]
    assert http.get(f"/v1/assets/{asset[:10]}/trust").json()["facts"] == answer.json()["facts"]
    assert http.get("/v1/assets/feed/trust").status_code == 404
    assert http.post("/v1/trust", json={"file": "x"}).status_code == 422
    assert http.post("/v1/trust", files={"other": b"x"}).status_code == 422
    for odd in (b"", b"\xff\xd8\xff", b"hello there, this is a text"):
        told = http.post("/v1/trust", files={"file": ("odd.jpg", odd)})
        assert told.status_code in (200, 422), told.text
        assert told.status_code == 422 or not told.json()["facts"]


def test_in_python(drawn: Path, tmp_path: Path) -> None:
    with crossmedia.open_library(tmp_path / "data", profile="toy", trust_anchors=tmp_path / "anchors.pem") as library:
        (tmp_path / "anchors.pem").write_bytes(authority().pem)
        found = library.trust(file=drawn)
        assert [fact["value"] for fact in found["facts"] if fact["kind"] == "trust"] == ["signed", "generated"]
        with pytest.raises(InvalidRequest):
            library.trust()
        with pytest.raises(CrossmediaError, match="nothing is indexed"):
            library.trust(asset="ab")


def test_broken_anchors_are_a_clear_error(run: Run, drawn: Path, environment: dict[str, str], tmp_path: Path) -> None:
    environment["CROSSMEDIA_TRUST_ANCHORS"] = str(tmp_path / "none.pem")
    told = run("trust", str(drawn), code=1)
    assert "CROSSMEDIA_TRUST_ANCHORS names a PEM file" in told.stderr


def test_forgeries_are_looked_for_only_where_they_are_asked_for(tmp_path: Path) -> None:
    quiet, loud = Runtime(settings(tmp_path)), Runtime(settings(tmp_path, indications=True))
    assert "trust" in quiet.enricher_names()
    assert not set(quiet.enricher_names()) & ASKED
    assert quiet.enricher_names(only=["spoof"]) == ["spoof"]
    assert set(loud.enricher_names()) >= ASKED
    assert quiet.enricher_names(only=["forgery"], without=["forgery"]) == []


@pytest.mark.shared
def test_each_score_comes_with_what_it_is_worth(tmp_path: Path, shared: Path) -> None:
    service = Service(settings(tmp_path))
    recording = sorted((shared / "data" / "spoken_captions").glob("*.mp3"))[0]
    found = service.trust.of_file(recording).model_dump()
    (model,) = found["models"]
    assert (model["kind"], model["trained_on"]) == ("spoof", "ASVspoof 2019 LA, its training part")
    assert all(
        one["kind"] == "spoof" and 0 <= one["score"] <= 1 and one["end"] > one["start"] for one in found["indications"]
    )
    assert "never a verdict" in found["statement"]
    quiet = service.trust.of_file(write_wav(tmp_path / "quiet.wav", 0 * tone(3.0)))
    assert not quiet.indications
    assert "no turn of speech is long enough" in quiet.notes
    service.close()
