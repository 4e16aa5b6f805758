"""What hostile or clumsy callers of the HTTP service get."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from tests.api.helpers import finished, kept, png, settings, upload


def test_bad_uploads_are_reported_and_kept(http: TestClient, tmp_path: Path) -> None:
    job = upload(http, empty_png=b"", text_jpg=b"only words", junk_bin=bytes(range(256)) * 9, good_png=png("red"))
    assert (job["report"]["added"], job["report"]["failed"]) == (1, 3)
    for failure in job["report"]["failures"]:
        assert failure["error"].keys() == {"code", "message", "hint"}
        assert failure["error"]["code"] in ("empty_file", "type_mismatch", "unknown_type")
    assert kept(tmp_path) == ["empty.png", "good.png", "junk.bin", "text.jpg"]


@pytest.mark.parametrize("name", ["../../evil.png", "a/b.png", "..", "x" * 300 + ".png"])
def test_names_that_are_no_file_names_are_refused(http: TestClient, tmp_path: Path, name: str) -> None:
    response = http.post("/v1/assets", files=[("file", (name, png("red")))])
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "bad_name"
    assert not (tmp_path / "evil.png").exists()
    after_a_good_one = http.post("/v1/assets", files=[("file", ("a.png", png("red"))), ("file", (name, png("blue")))])
    assert after_a_good_one.status_code == 422
    assert kept(tmp_path) == []


def test_two_uploads_of_one_name(http: TestClient, tmp_path: Path) -> None:
    parts = [("file", ("a.png", png("red"))), ("file", ("a.png", b"no picture")), ("file", ("a.png", png("blue")))]
    report = finished(http, http.post("/v1/assets", files=parts))["report"]
    assert (report["added"], report["failed"]) == (2, 1)
    red, junk, blue = report["uploaded"]
    assert junk is None
    assert http.get(f"/v1/assets/{red}/content").content == png("red")
    assert http.get(f"/v1/assets/{blue}/content").content == png("blue")
    assert kept(tmp_path) == ["a.png", "a.png", "a.png"]


def test_uploads_are_called_what_the_caller_says(http: TestClient) -> None:
    parts = [("file", ("a.png", png("red"))), ("file", ("a.png", png("blue")))]
    paths = ["trip/a.png", "home/a.png"]
    report = finished(http, http.post("/v1/assets", files=parts, data={"path": paths}))["report"]
    assert list(report["assets"]) == paths
    assert [hit["path"] for hit in http.post("/v1/search", json={"text": "blue"}).json()["hits"]] == ["home/a.png"]
    for wrong in (["one"], ["a", "b\n"], ["", "b"], ["x" * 2000, "b"]):
        assert http.post("/v1/assets", files=parts, data={"path": wrong}).status_code == 422


def test_uploads_nobody_names_stay(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as http:
        upload(http, indexed_png=png("red"))
        http.app.state.crossmedia.worker.stop()  # type: ignore[attr-defined]
        waiting = http.post("/v1/assets", files=[("file", ("waiting.png", png("blue")))])
    lost = tmp_path / "data" / "uploads" / ("0" * 64) / "lost.png"
    lost.parent.mkdir()
    lost.write_bytes(png("green"))
    with TestClient(create_app(settings(tmp_path))) as http:
        assert kept(tmp_path) == ["indexed.png", "lost.png", "waiting.png"]
        assert finished(http, waiting)["report"]["added"] == 1


def test_links_out_of_a_root_are_not_followed(http: TestClient, roots: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("The treasure lies under the oak.")
    (roots / "link.txt").symlink_to(tmp_path / "secret.txt")
    report = finished(http, http.post("/v1/assets", json={"path": str(roots)}))["report"]
    assert sorted(Path(path).name for path in report["assets"]) == ["a.png", "note.txt", "tone.wav"]
    note = report["assets"][str(roots / "note.txt")]
    size = (roots / "note.txt").stat().st_size
    (roots / "note.txt").unlink()
    (tmp_path / "other.txt").write_text("x" * size)
    (roots / "note.txt").symlink_to(tmp_path / "other.txt")
    refused = http.get(f"/v1/assets/{note}/content")
    assert (refused.status_code, refused.json()["error"]["code"]) == (410, "source_gone")


def test_a_file_is_served_only_as_it_was_read(http: TestClient, roots: Path, tmp_path: Path) -> None:
    report = finished(http, http.post("/v1/assets", json={"path": str(roots)}))["report"]
    note = report["assets"][str(roots / "note.txt")]
    content = (roots / "note.txt").read_bytes()
    os.utime(roots / "note.txt", ns=(1, 1))
    assert http.get(f"/v1/assets/{note}/content").content == content
    (roots / "note.txt").write_bytes(b"x" * len(content))
    assert http.get(f"/v1/assets/{note}/content").status_code == 410
    # What an imported archive says of places need not be true.
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"s" * len(content))
    store = http.app.state.crossmedia.service.runtime.store  # type: ignore[attr-defined]
    [held] = store.stored_assets([note])
    lies = replace(held.sources[0], location=str(secret), mtime_ns=5)
    store.restore([replace(held, sources=(lies,))])
    assert http.get(f"/v1/assets/{note}/content").status_code == 410


def test_paths_that_are_none_are_refused(http: TestClient, roots: Path) -> None:
    (roots / "round").symlink_to(roots / "round")
    for path, status in (("a\x00b", 422), ("round/x", 422), ("y" * 5000, 422), ("absent", 404)):
        assert http.post("/v1/assets", json={"path": f"{roots}/{path}"}).status_code == status


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
        ({"negative": ["x"]}, "empty_query"),
        ({"sort": "colour"}, "invalid_request"),
        ({"sort": ["name", "date"]}, "invalid_request"),
        ({"offset": -1}, "invalid_request"),
        ({"k": 10**9}, "invalid_request"),
        ({"k": float("nan")}, "invalid_request"),
        ({"cursor": "x" * 200_000}, "invalid_request"),
        ({"cursor": "AAAA"}, "bad_cursor"),
        ({"text": "x", "cursor": "AAAA"}, "bad_cursor"),
        ({"text": "x", "legs": ["smell"]}, "unknown_leg"),
        ({"text": "x", "k": 0}, "invalid_request"),
        ({"text": "x", "media": ["smell"]}, "invalid_request"),
        ({"text": "x", "surprise": 1}, "invalid_request"),
        ({"text": "x", "filters": {"min": 1}}, "invalid_request"),
        ({"text": "x", "filters": {"after": "yesterday"}}, "invalid_request"),
        ({"text": "x", "filters": {"before": "2024-13-01"}}, "invalid_request"),
        ({"text": "x", "filters": {"labels": [{"kind": "k"}] * 1100}}, "invalid_request"),
        ({"text": "x", "filters": {"path": "*" * 60_000}}, "invalid_request"),
        ({"text": "x", "filters": {"start": float("nan")}}, "invalid_request"),
        ({"text": "x", "legs": []}, "invalid_request"),
        ({"text": "x" * 10_001}, "invalid_request"),
        ({"text": ["x"] * 101}, "invalid_request"),
        ({"examples": [{"asset": "0" * 64, "weight": float("inf")}]}, "invalid_request"),
        ({"examples": [{"asset": "0" * 64}]}, "not_found"),
    ],
)
def test_wrong_searches_get_the_envelope(http: TestClient, body: dict[str, Any], code: str) -> None:
    response = http.post("/v1/search", content=json.dumps(body))
    error = response.json()["error"]
    assert response.status_code in (400, 404, 422)
    assert error["code"] == code
    assert error["message"]
    assert error["hint"]


def test_other_failures_get_the_envelope_too(http: TestClient) -> None:
    assert http.post("/v1/search", content=b"{").json()["error"]["code"] == "invalid_request"
    assert http.get("/v1/jobs/none").json()["error"]["code"] == "not_found"
    assert http.get("/nowhere").json()["error"]["code"] == "http_error"
    wrong_method = http.put("/v1/search")
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "POST")
    assert http.get("/v1/assets", params={"offset": 2**63}).status_code == 422
    large = http.post("/v1/search", content=b" " * 1_100_000, headers={"Content-Type": "application/json"})
    assert (large.status_code, large.json()["error"]["code"]) == (413, "upload_too_large")
    assert http.get("/v1/assets/zzz").status_code == 404
    assert (
        http.post("/v1/assets", json={"path": "/x", "without": ["smell"]}).json()["error"]["code"] == "unknown_enricher"
    )
    assert http.post("/v1/assets", data={"x": "y"}, files=[("other", ("a", b"b"))]).status_code == 422


def test_keys_are_asked_for_when_set(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path, api_keys=("secret", "other")))) as http:
        assert http.get("/healthz").status_code == 200
        refused = http.get("/v1/jobs")
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorised")
        assert http.get("/metrics").status_code == 401
        assert http.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert http.get("/v1/jobs", headers={"Authorization": "Bearer other"}).status_code == 200
        assert http.get("/v1/jobs", headers={"Authorization": "bearer other"}).status_code == 200
        assert http.get("/v1/jobs", headers={"Authorization": "other"}).status_code == 401
        assert http.get("/v1/jobs", headers={"X-API-Key": "secret"}).status_code == 200


def test_full_queues_say_when_to_come_back(tmp_path: Path, roots: Path) -> None:
    with TestClient(create_app(settings(tmp_path, max_jobs=1, roots=(str(roots),)))) as http:
        state = http.app.state.crossmedia  # type: ignore[attr-defined]
        state.worker.stop()
        assert http.post("/v1/assets", json={"path": str(roots)}).status_code == 202
        full = http.post("/v1/assets", json={"path": str(roots)})
        assert (full.status_code, full.headers["retry-after"], full.json()["error"]["code"]) == (429, "5", "queue_full")
        refused = http.post("/v1/assets", files=[("file", ("a.png", png("red")))])
        assert refused.status_code == 429
        assert kept(tmp_path) == []
        state.gate._inside = state.gate._limit
        busy = http.post("/v1/search", json={"text": "red"})
        assert (busy.status_code, busy.headers["retry-after"], busy.json()["error"]["code"]) == (429, "1", "too_busy")
        state.gate._inside = 0
