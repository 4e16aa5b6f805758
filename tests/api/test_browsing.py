"""Listing and going on, alike on the command line, over HTTP and in Python."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import crossmedia
from crossmedia.api.server import create_app
from tests.api.helpers import WEIGHTY, Run, settings

Search = Callable[..., dict[str, Any]]
BY_NAME = ["a.png", "b.png", "note.txt", "tone.wav"]


def titles(search: Search, text: str | list[str] = (), **query: Any) -> list[str]:  # type: ignore[assignment]
    """Of every page."""
    answer = search(text, **query)
    found = [hit["title"] for hit in answer["hits"]]
    while answer["next"]:
        answer = search(text, **query, cursor=answer["next"])
        found += [hit["title"] for hit in answer["hits"]]
    return found


def check(search: Search) -> None:
    assert titles(search, sort="name", k=1) == BY_NAME
    assert titles(search, sort="name-desc", k=3) == BY_NAME[::-1]
    assert titles(search, sort="length", k=2)[0] == "tone.wav"
    assert titles(search, media=["image"], sort="name", k=1) == ["a.png", "b.png"]
    assert sorted(titles(search, k=2)) == BY_NAME
    asked: dict[str, Any] = {"text": "red boats", "min_relevance": 0, "group": True}
    best = search(**asked)
    assert best["hits"][0]["title"] == "note.txt"
    assert titles(search, **asked, k=1) == [hit["title"] for hit in best["hits"]]
    assert titles(search, **asked, k=1, sort="name") == sorted(hit["title"] for hit in best["hits"])
    cursor = search(sort="name", k=1)["next"]
    for other in ({"sort": "size"}, {"sort": "name", "media": ["image"]}, {"text": "red"}):
        with pytest.raises(crossmedia.CrossmediaError) as error:
            search(**other, cursor=cursor)
        assert (error.value.code, error.value.status) == ("bad_cursor", 400)


def test_in_python_and_over_http(tmp_path: Path, media: Path) -> None:
    with crossmedia.open_library(tmp_path / "data", profile="toy", decode_workers=1, without=WEIGHTY) as library:
        library.index(media)
        check(library.search)
    with TestClient(create_app(settings(tmp_path))) as http, crossmedia.Client("http://testserver") as client:
        client._http = http
        check(client.search)
        schema = http.get("/openapi.json").json()
        assert "next" in schema["components"]["schemas"]["SearchAnswer"]["properties"]
        body = schema["paths"]["/v1/search"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert {"sort", "cursor"} <= set(body["properties"])
        assert "date-asc" in json.dumps(body["properties"]["sort"])


def test_on_the_command_line(run: Run, media: Path) -> None:
    run("index", str(media), "--json")
    page = json.loads(run("search", "--sort", "name", "--limit", "2", "--json").stdout)
    assert [hit["title"] for hit in page["hits"]] == BY_NAME[:2]
    shown = run("search", "--sort", "name", "--limit", "2").stdout
    again = re.search(r"--cursor=\S+", shown)
    assert again, shown
    rest = run("search", "--sort", "name", again[0]).stdout
    assert "note.txt" in rest
    assert "tone.wav" in rest
    assert "a.png" not in rest
    assert "--cursor" not in rest
    assert "another search" in run("search", "red", again[0], code=2).stderr
    assert "is broken" in run("search", "--sort", "name", "--cursor", "x", code=2).stderr
    assert "date-asc" in run("search", "--sort", "colour", code=2).stderr
    for wrong in ("0", "-1", "nan", "999999999999"):
        run("search", "--limit", wrong, code=2)
