"""Media, a service and an environment for the tests of the faces."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from tests.api.helpers import WEIGHTY, Run, command, settings, write_flags
from tests.media_makers import tone, write_picture, write_wav


@pytest.fixture(scope="session", autouse=True)
def _known_as_testserver() -> Iterator[None]:
    """The test client calls the service by this name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSMEDIA_HOSTS", "testserver")
        yield


@pytest.fixture
def environment() -> dict[str, str]:
    """The toy profile, without the passes that open networks."""
    return {
        **os.environ,
        "CROSSMEDIA_PROFILE": "toy",
        "CROSSMEDIA_WITHOUT": ",".join(WEIGHTY),
        "CROSSMEDIA_DECODE_WORKERS": "1",
    }


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    write_picture(folder / "a.png", seed=1)
    write_picture(folder / "b.png", seed=2)
    write_wav(folder / "tone.wav", tone(1.0))
    (folder / "note.txt").write_text("The red boats come home in the evening.")
    return folder


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    folder = tmp_path / "roots"
    folder.mkdir()
    write_picture(folder / "a.png", seed=1)
    write_wav(folder / "tone.wav", tone(1.0))
    (folder / "note.txt").write_text("The red boats come home.")
    return folder


@pytest.fixture
def http(tmp_path: Path, roots: Path) -> Iterator[TestClient]:
    with TestClient(create_app(settings(tmp_path, roots=(str(roots),)))) as client:
        yield client


@pytest.fixture
def flags(tmp_path: Path) -> Path:
    """48 flags and `flags.csv` that names 40 of them."""
    return write_flags(tmp_path / "flags")


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    """The command line over this test's data directory, in this process."""

    def call(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return command(environment, *words, "--data", str(tmp_path / "data"), code=code)

    return call
