"""The faces over a collection in an Elasticsearch: one setting changed, everything else as it is."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.settings import read_settings
from crossmedia.api.stores import NoCollection
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.query import Filters, Query
from tests.api.helpers import command, ended, finished, kept, png, settings, upload
from tests.elastic_servers import Node, wipe


@pytest.fixture
def url(elastic_url: str) -> Iterator[str]:
    """The setting for a collection of this test's own."""
    name = f"faces-{uuid.uuid4().hex[:8]}"
    yield f"{elastic_url.replace('http', 'elasticsearch')}/{name}?replicas=0&patience=5"
    wipe(elastic_url, name)


def test_command_line(url: str, environment: dict[str, str], media: Path, tmp_path: Path) -> None:
    environment = {**environment, "CROSSMEDIA_STORE": url, "CROSSMEDIA_DATA": str(tmp_path / "data")}
    nothing = command(environment, "search", "boats", code=1)
    assert "no_collection" in nothing.stderr
    assert "127.0.0.1" in nothing.stderr
    command(environment, "index", str(media), "--without", "ocr", "--without", "transcript")
    assert not (tmp_path / "data" / "store.sqlite").exists()
    found = json.loads(command(environment, "search", "red boats", "--json").stdout)
    assert found["hits"][0]["path"].endswith("note.txt")
    assert {e["leg"] for e in found["hits"][0]["evidence"]} >= {"words"}
    by_example = json.loads(command(environment, "search", "--image", str(media / "a.png"), "--json").stdout)
    assert by_example["hits"][0]["path"].endswith("a.png")
    doctor = command(environment, "doctor")
    assert "store: http://127.0.0.1" in doctor.stdout
    status = json.loads(command(environment, "status", "--json").stdout)
    assert status["assets"] == {"audio": 1, "image": 2, "text": 1}
    command(environment, "rm", found["hits"][0]["asset"])
    assert json.loads(command(environment, "search", "red boats", "--json").stdout)["hits"] == []


def test_http(url: str, tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path, store=url))) as http:
        job = upload(
            http, red_png=png("red"), blue_png=png("blue"), note_txt=b"The red boats come home in the evening."
        )
        assert job["state"] == "done", job
        ready = http.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["store"]["state"] in ("green", "yellow")
        hits = http.post("/v1/search", json={"text": "boats evening"}).json()["hits"]
        assert [hit["title"] for hit in hits] == ["note.txt"]
        picture = http.post("/v1/search", files={"file": ("q.png", png("red"))}).json()["hits"][0]
        assert picture["title"] == "red.png"
        assert http.get(f"/v1/assets/{picture['asset']}/thumbnail").content[:2] == b"\xff\xd8"
        assert http.get(f"/v1/assets/{picture['asset']}/content").content == png("red")
        assert "crossmedia_assets" in http.get("/metrics").text
        assert http.delete(f"/v1/assets/{picture['asset']}").status_code in (200, 204)
        again = finished(http, http.post("/v1/assets", files=[("file", ("red.png", png("red")))]))
        assert ended(http, again["id"])["report"]["added"] == 1


def test_both_stores_answer_alike(url: str, tmp_path: Path, media: Path) -> None:
    here, there = (Service(settings(tmp_path / name, store=store)) for name, store in (("here", ""), ("there", url)))
    for service in (here, there):
        service.indexing.index([media])
    for text in ("red", "boats", "blue sky", "zzz"):
        query = Query(texts=(text,), min_relevance=0.0)
        one, other = here.searching.search(query).hits, there.searching.search(query).hits
        assert [(h.moment, h.relevance, h.path) for h in one] == [(h.moment, h.relevance, h.path) for h in other]
        assert [[(e.leg, e.similarity, e.text) for e in h.evidence] for h in one] == [
            [(e.leg, e.similarity, e.text) for e in h.evidence] for h in other
        ]
    here.close()
    there.close()


def test_made_anew_while_it_is_searched(url: str, environment: dict[str, str], flags: Path, tmp_path: Path) -> None:
    """A head is taught, and the collection reindexed with it, while another service goes on searching."""
    environment = {**environment, "CROSSMEDIA_STORE": url, "CROSSMEDIA_DATA": str(tmp_path / "data")}
    command(environment, "index", str(flags), "--without", "ocr")
    command(environment, "align", "train", str(flags / "flags.csv"))
    searcher = Service(settings(tmp_path, store=url))
    query = Query(texts=("southland",), filters=Filters(media=("image",)), k=30, fold=False)
    assert searcher.searching.search(query).hits == ()
    stop, failures, counts = threading.Event(), [], []  # type: ignore[var-annotated]

    def search() -> None:
        while not stop.is_set():
            try:
                counts.append(len(searcher.searching.search(query).hits))
            except Exception as error:
                failures.append(error)

    thread = threading.Thread(target=search)
    thread.start()
    done = json.loads(command(environment, "reindex", "--head", "flags", "--json").stdout)
    time.sleep(2.5)
    stop.set()
    thread.join()
    assert (done["assets"], done["moments"], done["finished"]) == (49, 48, True)
    assert not failures
    assert set(counts) == {0, 12}, "as it was, then as it is; never a mixture"
    assert counts == sorted(counts)
    unchanged = json.loads(command(environment, "reindex", "--json").stdout)
    assert unchanged["assets"] == 0
    assert searcher.runtime.store.verify() == []
    searcher.close()


@pytest.mark.network
def test_a_server_that_is_away(tmp_path: Path, environment: dict[str, str]) -> None:
    away = "elasticsearch://somebody:topsecret@127.0.0.1:9/x?patience=0.2"
    with pytest.raises(CrossmediaError, match="cannot be reached"):
        Service(settings(tmp_path, store=away)).runtime.require_collection()
    environment = {**environment, "CROSSMEDIA_STORE": away, "CROSSMEDIA_DATA": str(tmp_path)}
    for words in (("search", "x"), ("status",), ("doctor",)):
        done = command(environment, *words, code=1)
        assert "cannot be reached" in done.stdout + done.stderr
        assert "topsecret" not in done.stdout + done.stderr


def test_settings_that_name_no_store(tmp_path: Path) -> None:
    service = Service(settings(tmp_path, store="mysql://localhost"))
    with pytest.raises(CrossmediaError, match="begins with elasticsearch://") as failure:
        service.runtime.require_collection()
    assert failure.value.code == "invalid_setting"


def test_secrets_of_the_store_are_not_shown() -> None:
    given = read_settings(store="elasticsearch://a:hidden@h", store_api_key="hidden", store_password="hidden")
    assert "hidden" not in repr(given) + str(given) + given.model_dump_json()


def test_readyz_and_searches_follow_the_server(elastic_programs: Path, tmp_path: Path) -> None:
    node = Node(elastic_programs, tmp_path / "node")
    try:
        url = node.start().replace("http", "elasticsearch") + "/x?replicas=0&patience=1"
        with TestClient(create_app(settings(tmp_path, store=url))) as http:
            upload(http, red_png=png("red"))
            assert http.get("/readyz").status_code == 200
            node.stop(kill=True)
            away = http.get("/readyz")
            assert (away.status_code, away.json()["error"]["code"]) == (503, "store_unusable")
            failed = http.post("/v1/search", json={"text": "red"})
            assert failed.status_code == 503
            assert failed.json()["error"]["hint"]
            node.start()
            assert any(http.get("/readyz").status_code == 200 for _ in range(50))
            assert http.post("/v1/search", files={"file": ("q.png", png("red"))}).json()["hits"]
    finally:
        node.stop(kill=True)


def test_nothing_is_made_by_looking(url: str, elastic_url: str, tmp_path: Path) -> None:
    service = Service(settings(tmp_path, store=url))
    with pytest.raises(NoCollection):
        service.runtime.require_collection()
    assert not service.runtime.has_collection
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    service.close()


def test_uploads_follow_a_moved_data_directory(url: str, tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path / "here", store=url))) as http:
        assets = upload(http, red_png=png("red"), blue_png=png("blue"))["report"]["assets"]
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "data").rename(tmp_path / "there" / "data")
    with TestClient(create_app(settings(tmp_path / "there", store=url))) as http:
        for name, colour in (("red.png", "red"), ("blue.png", "blue")):
            assert http.get(f"/v1/assets/{assets[name]}/content").content == png(colour)
        http.delete(f"/v1/assets/{assets['red.png']}")
    assert kept(tmp_path / "there") == ["blue.png"]
    service = Service(settings(tmp_path / "there", store=url))
    assert service.runtime.store.verify(deep=True) == []
    service.close()
