"""The public Python API: a library here and a client there give the same."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import crossmedia
from tests.api.test_cli import environment, media  # noqa: F401

WITHOUT = ("ocr", "transcript")


def test_library(tmp_path: Path, media: Path) -> None:  # noqa: F811
    with crossmedia.open_library(tmp_path / "data", profile="toy", decode_workers=1) as library:
        report = library.index(media, without=WITHOUT)
        assert (report["added"], report["failed"]) == (4, 0)
        answer = library.search("red boats", k=1)
        assert answer["hits"][0]["path"] == str(media / "note.txt")
        asset = answer["hits"][0]["asset"]
        assert library.get(asset[:10])["title"] == "note.txt"
        assert library.search(files=[media / "a.png"], media=["image"])["hits"][0]["title"] == "a.png"
        library.delete(asset)
        with pytest.raises(crossmedia.CrossmediaError) as error:
            library.get(asset)
        assert error.value.code == "not_found"


@pytest.fixture
def url(tmp_path: Path, environment: dict[str, str]) -> Iterator[str]:  # noqa: F811
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "api.cli", "serve", "--data", str(tmp_path / "served"), "--port", str(port)]
    server = subprocess.Popen(command, env=environment)
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


def test_client_over_a_real_socket(url: str, media: Path) -> None:  # noqa: F811
    with crossmedia.Client(url) as client:
        report = client.index(media, without=WITHOUT)
        assert (report["added"], report["failed"]) == (4, 0)
        answer = client.search("red boats", k=1)
        asset = answer["hits"][0]["asset"]
        assert answer["hits"][0]["path"] == "note.txt"
        assert client.get(asset)["title"] == "note.txt"
        assert client.search(files=[media / "a.png"], media=["image"])["hits"][0]["title"] == "a.png"
        client.delete(asset)
        with pytest.raises(crossmedia.CrossmediaError) as error:
            client.get(asset)
        assert (error.value.code, error.value.status) == ("not_found", 404)
