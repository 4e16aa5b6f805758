"""The HTTP service over the toy profile: every route, and what hostile or clumsy callers get."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.server import create_app
from api.settings import Settings
from embeddings.toy import COLOURS
from tests.media_makers import tone, write_picture, write_wav


def png(colour: str, size: int = 48) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size, 3), COLOURS[colour], dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def settings(tmp_path: Path, **values: Any) -> Settings:
    return Settings(data=tmp_path / "data", profile="toy", without=("ocr", "transcript"), decode_workers=1, **values)


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    write_picture(folder / "a.png", seed=1)
    write_wav(folder / "tone.wav", tone(1.0))
    (folder / "note.txt").write_text("The red boats come home.")
    return folder


@pytest.fixture
def http(tmp_path: Path, roots: Path) -> Iterator[TestClient]:
    with TestClient(create_app(settings(tmp_path, roots=(str(roots),)))) as client:
        yield client


def finished(http: TestClient, response: Any) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    until = time.monotonic() + 30
    while time.monotonic() < until:
        job: dict[str, Any] = http.get(response.headers["location"]).json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def upload(http: TestClient, **files: bytes) -> dict[str, Any]:
    parts = [("file", (name.replace("_", "."), content)) for name, content in files.items()]
    return finished(http, http.post("/v1/assets", files=parts))


def test_upload_search_look_delete(http: TestClient, tmp_path: Path) -> None:
    job = upload(http, red_png=png("red"), blue_png=png("blue"))
    assert (job["state"], job["report"]["added"], job["report"]["failed"]) == ("done", 2, 0)
    asset = job["report"]["assets"]["red.png"]
    answer = http.post("/v1/search", json={"text": "red", "k": 5}).json()
    assert [hit["asset"] for hit in answer["hits"]] == [asset]
    hit = answer["hits"][0]
    assert (hit["path"], hit["media"], hit["title"]) == ("red.png", "image", "red.png")
    assert hit["evidence"][0].keys() >= {"leg", "similarity", "relevance", "rank", "text"}
    assert answer["took_ms"] > 0
    shown = http.get(f"/v1/assets/{asset}").json()
    assert shown["metadata"]["width"] == 48
    assert shown["moments"][0]["labels"][0]["value"] == "red"
    thumbnail = http.get(f"/v1/assets/{asset}/thumbnail")
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(thumbnail.content)).size == (48, 48)
    assert http.delete(f"/v1/assets/{asset}").json() == {"deleted": True, "asset": asset}
    assert http.get(f"/v1/assets/{asset}").status_code == 404
    assert http.post("/v1/search", json={"text": "red"}).json()["hits"] == []
    assert [p.name for p in (tmp_path / "data" / "uploads").rglob("*.png")] == ["blue.png"]


def test_content_answers_ranges(http: TestClient) -> None:
    content = png("green")
    asset = upload(http, green_png=content)["report"]["assets"]["green.png"]
    whole = http.get(f"/v1/assets/{asset}/content")
    assert whole.content == content
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = http.get(f"/v1/assets/{asset}/content", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(content)}"
    assert http.get(f"/v1/assets/{asset}/content", headers={"Range": "bytes=999999-"}).status_code == 416


def test_index_by_path_below_a_root(http: TestClient, roots: Path) -> None:
    job = finished(http, http.post("/v1/assets", json={"path": str(roots)}))
    assert job["report"]["added"] == 3
    [hit] = http.post("/v1/search", json={"text": "boats", "media": ["text"]}).json()["hits"]
    assert hit["path"] == str(roots / "note.txt")
    listed = http.get("/v1/assets", params={"media": "audio"}).json()["assets"]
    assert [a["title"] for a in listed] == ["tone.wav"]
    http.delete(f"/v1/assets/{hit['asset']}")
    assert (roots / "note.txt").exists()


def test_multipart_search_with_an_example_file(http: TestClient) -> None:
    upload(http, red_png=png("red"), blue_png=png("blue"))
    query = {"query": json.dumps({"k": 1, "media": ["image"]})}
    answer = http.post("/v1/search", data=query, files=[("file", ("mine.png", png("blue", 32)))]).json()
    assert [hit["title"] for hit in answer["hits"]] == ["blue.png"]
    assert answer["hits"][0]["evidence"][0]["leg"] == "picture"
    by_asset = http.post(
        "/v1/search", json={"examples": [{"asset": answer["hits"][0]["asset"], "weight": 1.0}], "min_relevance": 0}
    ).json()
    assert [hit["title"] for hit in by_asset["hits"]] == ["red.png"]
    broken = http.post("/v1/search", files=[("file", ("x.png", b"no picture at all"))])
    assert broken.status_code in (415, 422)
    assert broken.json()["error"]["hint"]


def test_same_upload_twice_is_one_asset_and_one_file(http: TestClient, tmp_path: Path) -> None:
    upload(http, red_png=png("red"))
    again = upload(http, red_png=png("red"))
    assert again["report"]["unchanged"] == 1
    assert len(http.get("/v1/assets").json()["assets"]) == 1
    assert len(list((tmp_path / "data" / "uploads").rglob("*.png"))) == 1


def test_bad_uploads_are_reported_and_leave_nothing(http: TestClient, tmp_path: Path) -> None:
    job = upload(http, empty_png=b"", text_jpg=b"only words", junk_bin=bytes(range(256)) * 9, good_png=png("red"))
    assert (job["report"]["added"], job["report"]["failed"]) == (1, 3)
    for failure in job["report"]["failures"]:
        assert failure["error"].keys() == {"code", "message", "hint"}
        assert failure["error"]["code"] in ("empty_file", "type_mismatch", "unknown_type")
    left = [p.name for p in (tmp_path / "data" / "uploads").rglob("*") if p.is_file()]
    assert left == ["good.png"]


@pytest.mark.parametrize("name", ["../../evil.png", "a/b.png", "..", "x" * 300 + ".png"])
def test_names_that_are_no_file_names_are_refused(http: TestClient, tmp_path: Path, name: str) -> None:
    response = http.post("/v1/assets", files=[("file", (name, png("red")))])
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "bad_name"
    assert not (tmp_path / "evil.png").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "{roots}/../data", "/", "{roots}/link"])
def test_paths_outside_the_roots_are_refused(http: TestClient, roots: Path, path: str) -> None:
    (roots / "link").symlink_to("/etc")
    response = http.post("/v1/assets", json={"path": path.format(roots=roots)})
    assert (response.status_code, response.json()["error"]["code"]) == (403, "outside_roots")


def test_upload_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path, max_upload_bytes=1000))) as http:
        response = http.post("/v1/assets", files=[("file", ("big.bin", b"x" * 3_000_000))])
        assert (response.status_code, response.json()["error"]["code"]) == (413, "upload_too_large")

        def chunks() -> Iterator[bytes]:
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
            for _ in range(50):
                yield b"x" * 100_000

        endless = http.post("/v1/assets", content=chunks(), headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert (endless.status_code, endless.json()["error"]["code"]) == (413, "upload_too_large")
        declared = http.post("/v1/assets", content=b"", headers={"Content-Length": str(5 << 30)})
        assert declared.status_code == 413
        assert not list((tmp_path / "data" / "uploads").rglob("*"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "empty_query"),
        ({"text": "x", "legs": ["smell"]}, "unknown_leg"),
        ({"text": "x", "k": 0}, "invalid_request"),
        ({"text": "x", "media": ["smell"]}, "invalid_request"),
        ({"text": "x", "surprise": 1}, "invalid_request"),
        ({"text": "x", "filters": {"min": 1}}, "invalid_request"),
        ({"examples": [{"asset": "0" * 64}]}, "not_found"),
    ],
)
def test_wrong_searches_get_the_envelope(http: TestClient, body: dict[str, Any], code: str) -> None:
    response = http.post("/v1/search", json=body)
    error = response.json()["error"]
    assert response.status_code in (404, 422)
    assert error["code"] == code
    assert error["message"]
    assert error["hint"]


def test_other_failures_get_the_envelope_too(http: TestClient) -> None:
    assert http.post("/v1/search", content=b"{").json()["error"]["code"] == "invalid_request"
    assert http.get("/v1/jobs/none").json()["error"]["code"] == "not_found"
    assert http.get("/nowhere").json()["error"]["code"] == "http_error"
    assert http.put("/v1/search").status_code == 405
    assert http.get("/v1/assets/zzz").status_code == 404
    assert (
        http.post("/v1/assets", json={"path": "/x", "without": ["smell"]}).json()["error"]["code"] == "unknown_enricher"
    )
    assert http.post("/v1/assets", data={"x": "y"}, files=[("other", ("a", b"b"))]).status_code == 422


def test_job_events_stream_until_done(http: TestClient, roots: Path) -> None:
    job = http.post("/v1/assets", json={"path": str(roots)}).json()
    with http.stream("GET", f"/v1/jobs/{job['id']}/events") as stream:
        states = [json.loads(line[6:])["state"] for line in stream.iter_lines() if line.startswith("data: ")]
    assert states[-1] == "done"
    assert http.get("/v1/jobs", params={"state": "done"}).json()["jobs"][0]["id"] == job["id"]


def test_health_metrics_and_description(http: TestClient) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    until = time.monotonic() + 10
    while http.get("/readyz").status_code != 200 and time.monotonic() < until:
        time.sleep(0.02)
    assert http.get("/readyz").json()["profile"] == "toy"
    http.post("/v1/search", json={"text": "red"})
    text = http.get("/metrics").text
    assert 'crossmedia_requests_total{method="POST",route="/v1/search",status="200"} 1.0' in text
    assert "crossmedia_searches_inside 0.0" in text
    description = http.get("/openapi.json").json()
    assert {"/v1/search", "/v1/assets", "/v1/assets/{asset}", "/v1/jobs/{job}/events"} <= description["paths"].keys()
    body = description["paths"]["/v1/search"]["post"]["requestBody"]["content"]
    assert body["application/json"]["schema"]["examples"]
    assert "multipart/form-data" in body


def test_keys_are_asked_for_when_set(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path, api_keys=("secret", "other")))) as http:
        assert http.get("/healthz").status_code == 200
        refused = http.get("/v1/jobs")
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorised")
        assert http.get("/metrics").status_code == 401
        assert http.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert http.get("/v1/jobs", headers={"Authorization": "Bearer other"}).status_code == 200
        assert http.get("/v1/jobs", headers={"X-API-Key": "secret"}).status_code == 200


def test_full_queues_say_when_to_come_back(tmp_path: Path, roots: Path) -> None:
    with TestClient(create_app(settings(tmp_path, max_jobs=1, roots=(str(roots),)))) as http:
        state = http.app.state.crossmedia  # type: ignore[attr-defined]
        state.worker.stop()
        assert http.post("/v1/assets", json={"path": str(roots)}).status_code == 202
        full = http.post("/v1/assets", json={"path": str(roots)})
        assert (full.status_code, full.headers["retry-after"], full.json()["error"]["code"]) == (429, "5", "queue_full")
        state.gate._inside = state.gate._limit
        busy = http.post("/v1/search", json={"text": "red"})
        assert (busy.status_code, busy.headers["retry-after"], busy.json()["error"]["code"]) == (429, "1", "too_busy")
        state.gate._inside = 0
