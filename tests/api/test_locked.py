"""A store that another process has locked: one clear error that says to come back, over every face."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from tests.api.helpers import Run, settings, upload


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A service over a store that somebody has locked: readers wait too, as on file systems without shared memory."""
    with TestClient(create_app(settings(tmp_path))) as http:
        upload(http, note_txt=b"The red boats come home in the evening.")
        monkeypatch.setattr("crossmedia.retrieval.local.database.BUSY_SECONDS", 0.01)
        store = http.app.state.crossmedia.service.runtime.store  # type: ignore[attr-defined]
        store._database.close()
        with closing(sqlite3.connect(tmp_path / "data" / "store.sqlite")) as other:
            other.execute("PRAGMA journal_mode=DELETE")
            other.execute("BEGIN EXCLUSIVE")
            yield http


def test_over_http(locked: TestClient) -> None:
    for method, path, body in (
        ("POST", "/v1/search", {"text": "boats"}),
        ("GET", "/v1/assets", None),
        ("GET", f"/v1/assets/{'0' * 64}", None),
        ("DELETE", f"/v1/assets/{'0' * 64}", None),
    ):
        refused = locked.request(method, path, json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_busy"), path
        assert int(refused.headers["retry-after"]) > 0
        assert "try again" in refused.json()["error"]["hint"]


def test_the_wait_is_declared(tmp_path: Path) -> None:
    answers = create_app(settings(tmp_path)).openapi()["paths"]["/v1/search"]["post"]["responses"]
    assert [status for status, answer in answers.items() if "Retry-After" in answer.get("headers", {})] == [
        "429",
        "503",
    ]


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("words", [("search", "boats"), ("status",), ("rm", "0" * 64)])
def test_from_the_command_line(run: Run, words: tuple[str, ...]) -> None:
    told = run(*words, code=1).stderr
    assert "store_busy" in told
    assert "try again" in told
    assert "Traceback" not in told
