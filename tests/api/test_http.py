"""The HTTP service over the toy profile: every route."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from crossmedia.api.server import create_app
from tests.api.helpers import finished, kept, png, settings, upload


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
    assert kept(tmp_path) == ["blue.png"]


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
    for asked, status in (("bytes=999999-", 416), ("bytes=20-10", 400), ("lines=1-2", 400)):
        refused = http.get(f"/v1/assets/{asset}/content", headers={"Range": asked})
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, "bad_range")
    assert refused.headers.get("content-range") is None
    head = http.head(f"/v1/assets/{asset}/content")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(content)), b"")


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
    assert "picture" in {evidence["leg"] for evidence in answer["hits"][0]["evidence"]}
    assert answer["hits"][0]["likeness"] == "same"
    by_asset = http.post(
        "/v1/search", json={"examples": [{"asset": answer["hits"][0]["asset"], "weight": 1.0}], "min_relevance": 0}
    ).json()
    assert [hit["title"] for hit in by_asset["hits"]] == ["red.png"]
    broken = http.post("/v1/search", files=[("file", ("x.png", b"no picture at all"))])
    assert broken.status_code in (415, 422)
    assert broken.json()["error"]["hint"]


def test_weights_of_example_files(http: TestClient) -> None:
    upload(http, red_png=png("red"), blue_png=png("blue"))

    def titles(weights: list[float]) -> list[str]:
        query = {"k": 1, "text": "blue", "min_relevance": 0, "files": [{"weight": w} for w in weights]}
        parts = [("file", ("mine.png", png("red", 32)))]
        answer = http.post("/v1/search", data={"query": json.dumps(query)}, files=parts).json()
        return [answer["error"]["code"]] if "error" in answer else [hit["title"] for hit in answer["hits"]]

    assert titles([5.0]) == ["red.png"]
    assert titles([-5.0]) == ["blue.png"]
    assert titles([1.0, 1.0]) == ["invalid_request"]
    assert http.post("/v1/search", json={"text": "x", "files": [{"weight": 1}]}).status_code == 422


def test_same_upload_twice_is_one_asset_and_one_file(http: TestClient, tmp_path: Path) -> None:
    upload(http, red_png=png("red"))
    again = upload(http, red_png=png("red"))
    assert again["report"]["unchanged"] == 1
    assert len(http.get("/v1/assets").json()["assets"]) == 1
    assert kept(tmp_path) == ["red.png"]


def test_job_events_stream_until_done(http: TestClient, roots: Path) -> None:
    job = http.post("/v1/assets", json={"path": str(roots)}).json()
    with http.stream("GET", f"/v1/jobs/{job['id']}/events") as stream:
        states = [json.loads(line[6:])["state"] for line in stream.iter_lines() if line.startswith("data: ")]
    assert states[-1] == "done"
    [listed] = http.get("/v1/jobs", params={"state": "done"}).json()["jobs"]
    assert (listed["id"], listed["report"]) == (job["id"], None)
    assert http.get(f"/v1/jobs/{job['id']}").json()["report"]["added"] == 3


def _unbounded(description: dict[str, Any], part: Any, where: str) -> Iterator[str]:
    """Where a request may hold a whole number of any length."""
    if isinstance(part, list):
        for each in part:
            yield from _unbounded(description, each, where)
    if not isinstance(part, dict):
        return
    if part.get("type") == "integer" and not {"maximum", "exclusiveMaximum"} & part.keys():
        yield where
    if "$ref" in part:
        yield from _unbounded(description, description["components"]["schemas"][part["$ref"].split("/")[-1]], where)
    for each in part.values():
        yield from _unbounded(description, each, where)


def test_no_number_in_a_request_is_too_long_for_a_database(http: TestClient) -> None:
    description = http.get("/openapi.json").json()
    asked = [
        (f"{method} {path}", part)
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
        for part in (operation.get("parameters", []), operation.get("requestBody"))
    ]
    assert [name for where, part in asked for name in _unbounded(description, part, where)] == []
    assert http.get("/v1/review", params={"before": 2**64}).status_code == 422
    assert http.get("/v1/review", params={"before": 2**63 - 1}).status_code == 200


def test_health_metrics_and_description(http: TestClient) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    until = time.monotonic() + 10
    while http.get("/readyz").status_code != 200 and time.monotonic() < until:
        time.sleep(0.02)
    assert http.get("/readyz").json()["profile"] == "toy"
    http.post("/v1/search", json={"text": "red"})
    http.request("SMELL", "/v1/search")
    text = http.get("/metrics").text
    assert 'crossmedia_requests_total{method="POST",route="/v1/search",status="200"} 1.0' in text
    assert "crossmedia_searches_inside 0.0" in text
    assert "SMELL" not in text
    description = http.get("/openapi.json").json()
    assert {"/v1/search", "/v1/assets", "/v1/assets/{asset}", "/v1/jobs/{job}/events"} <= description["paths"].keys()
    body = description["paths"]["/v1/search"]["post"]["requestBody"]["content"]
    assert body["application/json"]["schema"]["examples"]
    assert "multipart/form-data" in body
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(description)))
    assert references <= description["components"]["schemas"].keys()
    for path, requests in description["paths"].items():
        for method, request in requests.items():
            if path.startswith("/v1/") and (path, method) != ("/v1/session", "delete"):
                assert {"400", "401", "421", "422", "429"} <= request["responses"].keys(), (method, path)
    state = http.app.state.crossmedia  # type: ignore[attr-defined]
    state.worker.stop()
    stopped = http.get("/readyz")
    assert (stopped.status_code, stopped.json()["error"]["code"]) == (503, "worker_stopped")


def test_models_that_break_make_it_not_ready(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    state = http.app.state.crossmedia  # type: ignore[attr-defined]

    def fault() -> None:
        raise ValueError("a fault")

    monkeypatch.setattr(state.service.searching, "warm", fault)
    state.warm()
    broken = http.get("/readyz")
    assert (broken.status_code, broken.json()["error"]["code"]) == (503, "internal")


def test_description_page_asks_no_foreign_host(http: TestClient) -> None:
    page = http.get("/docs").text
    found = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert found
    assert all(url.startswith("/") for url in found), found
    for url in found:
        assert http.get(url).status_code == 200


def test_a_page_of_another_site_changes_nothing(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as http:
        files = [("file", ("red.png", png("red")))]
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://elsewhere.example"},
        ):
            refused = http.post("/v1/assets", files=files, headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "foreign_page")
        assert http.get("/v1/assets", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
        own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}
        assert http.post("/v1/assets", files=files, headers=own).status_code == 202
