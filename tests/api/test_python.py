"""The public Python API: a library here and a client there give the same."""

from __future__ import annotations

import hashlib
import inspect
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

import crossmedia
from crossmedia.api.server import create_app
from crossmedia.api.settings import read_settings
from crossmedia.indexer.enrichers.registry import pass_names
from crossmedia.library import Library, Maintenance
from tests.media_makers import write_picture

WITHOUT = ("ocr", "transcript")


def test_library(tmp_path: Path, media: Path) -> None:
    with crossmedia.open_library(tmp_path / "data", profile="toy", decode_workers=1) as library:
        report = library.index(media, without=WITHOUT)
        assert (report["added"], report["failed"]) == (4, 0)
        answer = library.search("red boats", k=1)
        assert answer["hits"][0]["path"] == str(media / "note.txt")
        asset = answer["hits"][0]["asset"]
        assert library.get(asset[:10])["title"] == "note.txt"
        assert library.search(files=[media / "a.png"], media=["image"])["hits"][0]["title"] == "a.png"
        red: dict[str, Any] = {
            "media": ["image"],
            "min_relevance": 0,
            "k": 1,
            "files": [media / "a.png", media / "b.png"],
        }
        for weights, title in (((1.0, -1.0), "a.png"), ((-1.0, 1.0), "b.png")):
            assert library.search(weights=weights, **red)["hits"][0]["title"] == title
        for wrong in ({"k": 0}, {"weights": [1.0]}, {"smell": "x"}):
            with pytest.raises(crossmedia.CrossmediaError) as error:
                library.search("x", **wrong)
            assert error.value.code == "invalid_request"
        library.delete(asset)
        with pytest.raises(crossmedia.CrossmediaError) as error:
            library.get(asset)
        assert error.value.code == "not_found"


def test_wrong_settings(tmp_path: Path) -> None:
    for wrong in ({"profile": "foo"}, {"threads": 0}):
        with pytest.raises(crossmedia.CrossmediaError) as error:
            crossmedia.open_library(tmp_path, **wrong)
        assert error.value.code == "invalid_setting"


def test_a_library_and_a_client_have_the_same_methods() -> None:
    """But for what needs the data directory itself."""

    def methods(kind: type) -> dict[str, list[tuple[str, object, object]]]:
        return {
            name: [(p.name, p.kind, p.default) for p in inspect.signature(method).parameters.values()]
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    local = {name: signature for name, signature in methods(Library).items() if name not in methods(Maintenance)}
    assert methods(crossmedia.Client) == local


def test_a_client_banks_reviews_and_finds_plates(tmp_path: Path, media: Path) -> None:
    (tmp_path / "a.txt").write_text("red boats come home")
    settings = read_settings(data=tmp_path / "data", profile="toy", without=pass_names())
    with TestClient(create_app(settings)) as http, crossmedia.Client("http://testserver") as client:
        client._http = http
        report = client.index(tmp_path / "a.txt", without=pass_names())
        (asset,) = report["assets"].values()
        assert client.create_bank("known", "block")["hashes"] == {}
        digest = f"md5:{hashlib.md5(b'elsewhere').hexdigest()}"
        done = client.add_to_bank("known", media / "note.txt", digest, tags="first")
        assert (done["bank"], done["added"], digest in done["hashes"]) == ("known", 3, True)
        assert [match["tags"] for match in client.lookup(file=media / "note.txt")["matches"]] == ["first", "first"]
        (tmp_path / "table.csv").write_text(f"md5 {hashlib.md5(b'more').hexdigest()}\nmd5 broken\n")
        with pytest.raises(crossmedia.CrossmediaError):
            client.import_bank("known", tmp_path / "table.csv")
        assert client.import_bank("known", tmp_path / "table.csv", skip_bad=True)["added"] == 1
        assert client.decide(asset, "block", "Ada", "seen")["by"] == "Ada"
        assert [one["asset"] for one in client.review("block")] == [asset]
        assert client.search("red boats", min_relevance=0)["hits"] == []
        assert client.plate("AB 123") == []
        # A word that names a file of the server is no file to a caller elsewhere.
        with pytest.raises(crossmedia.CrossmediaError) as refused:
            client._json("POST", "/v1/banks/known/hashes", json={"what": [str(media / "note.txt")]})
        assert refused.value.code == "not_found"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(502)
        self.end_headers()
        self.wfile.write(b"<html>Bad gateway</html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.network
def test_client_without_a_service() -> None:
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(crossmedia.CrossmediaError) as something_else:
            crossmedia.Client(url).get("x")
        thread.join()
    with pytest.raises(crossmedia.CrossmediaError) as nothing:
        crossmedia.Client(url).search("x")
    assert (something_else.value.code, nothing.value.code) == ("unreachable", "unreachable")
    assert "502" in something_else.value.message


@pytest.fixture
def url(tmp_path: Path, environment: dict[str, str]) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "crossmedia.api.cli",
        "serve",
        "--data",
        str(tmp_path / "served"),
        "--port",
        str(port),
    ]
    server = subprocess.Popen(command, env={**environment, "CROSSMEDIA_WITHOUT": ""})
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    yield url
    server.terminate()
    assert server.wait(20) in (0, -15)


@pytest.mark.process
def test_client_over_a_real_socket(url: str, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.client.BATCH_FILES", 2)
    (media / "more").mkdir()
    write_picture(media / "more" / "a.png", seed=7)
    with crossmedia.Client(url) as client:
        report = client.index(media, without=[name for name in pass_names() if name not in ("transcript", "speakers")])
        assert (report["added"], report["failed"], report["enriched"]) == (5, 0, 1)
        assert "no speech recogniser" in report["notes"][0]
        assert {str(Path(path).relative_to(media)) for path in report["assets"]} == {
            "a.png",
            "b.png",
            "note.txt",
            "tone.wav",
            "more/a.png",
        }
        jobs = httpx.get(f"{url}/v1/jobs").json()["jobs"]
        assert [job["kind"] for job in jobs].count("index") == 3
        answer = client.search("red boats", k=1)
        asset = answer["hits"][0]["asset"]
        assert answer["hits"][0]["path"] == str(media / "note.txt")
        assert client.get(asset)["title"] == "note.txt"
        assert client.search(files=[media / "a.png"], media=["image"])["hits"][0]["title"] == "a.png"
        client.delete(asset)
        with pytest.raises(crossmedia.CrossmediaError) as error:
            client.get(asset)
        assert (error.value.code, error.value.status) == ("not_found", 404)
