"""Keys with scopes: what each allows, that they are kept as hashes, expire, and leave a line for each change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.keys.audit import FILE, Audit
from crossmedia.api.keys.scopes import SCOPES, Holder, scope_of
from crossmedia.api.keys.stored import InvalidKey, KeyTaken, StoredKeys
from crossmedia.api.server import create_app
from crossmedia.retrieval.store import NotFound
from tests.api.helpers import Run, png, settings

ADA = Holder("ada", frozenset({"read", "write"}))
MORE_THAN_READ = {
    ("POST", "/v1/assets"): "write",
    ("DELETE", "/v1/assets/{asset}"): "write",
    ("POST", "/v1/people/merge"): "write",
    ("POST", "/v1/people/split"): "write",
    ("POST", "/v1/people/regroup"): "write",
    ("PUT", "/v1/people/{person}"): "write",
    ("POST", "/v1/voices/merge"): "write",
    ("PUT", "/v1/voices/{voice}"): "write",
    ("GET", "/v1/review"): "review",
    ("GET", "/v1/review/{asset}"): "review",
    ("POST", "/v1/review/{asset}"): "review",
    ("DELETE", "/v1/people/{person}"): "admin",
    ("POST", "/v1/banks"): "admin",
    ("POST", "/v1/banks/{name}/hashes"): "admin",
    ("POST", "/v1/banks/{name}/table"): "admin",
    ("GET", "/metrics"): "admin",
}


class Clock:
    seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stored(tmp_path: Path, clock: Clock) -> Iterator[StoredKeys]:
    keys = StoredKeys(tmp_path / "data", clock)
    yield keys
    keys.close()


def audited(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_every_request_needs_what_it_should(tmp_path: Path) -> None:
    needed = {
        (method.upper(), path): scope_of(method.upper(), path)
        for path, requests in create_app(settings(tmp_path)).openapi()["paths"].items()
        for method in requests
        if path not in ("/healthz", "/readyz", "/v1/session")
    }
    assert ("GET", "/v1/assets/{asset}/content") in needed
    assert {request: scope for request, scope in needed.items() if scope != "read"} == MORE_THAN_READ


@pytest.mark.parametrize("path", ["/v1/unknown", "/v1/assetsx", "/v1/search/", "//v1/search", "/v1/peoplex"])
def test_what_is_not_known_needs_admin(path: str) -> None:
    assert scope_of("POST", path) == "admin"
    assert scope_of("PATCH", "/v1/assets") == "admin"


def test_admin_may_do_everything_and_the_others_their_own() -> None:
    assert all(Holder("root", frozenset({"admin"})).may(scope) for scope in SCOPES)
    assert [scope for scope in SCOPES if ADA.may(scope)] == ["read", "write"]


def test_keys_and_sessions_are_kept_as_hashes(tmp_path: Path, stored: StoredKeys) -> None:
    key = stored.add("ada", ["write", "read"])
    token = stored.begin_session(ADA, 60)
    assert stored.holder(key) == stored.session_holder(token) == ADA
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("keys.sqlite*"))
    assert b"ada" in kept
    assert key.encode() not in kept
    assert token.encode() not in kept
    for wrong in (key[:-1], key + "x", "", "ada", token, "\ud800"):
        assert stored.holder(wrong) is None
    assert stored.session_holder(key) is None
    assert (tmp_path / "data" / "keys.sqlite").stat().st_mode & 0o077 == 0


def test_keys_expire_with_their_sessions(stored: StoredKeys, clock: Clock) -> None:
    key = stored.add("ada", ["read", "write"], clock() + 100)
    token = stored.begin_session(ADA, 1000)
    clock.seconds += 99
    assert stored.holder(key) == stored.session_holder(token) == ADA
    clock.seconds += 2
    assert (stored.holder(key), stored.session_holder(token)) == (None, None)
    assert [one.name for one in stored.list_keys()] == ["ada"]


def test_sessions_end(stored: StoredKeys, clock: Clock) -> None:
    stored.add("ada", ["read", "write"])
    short, long = stored.begin_session(ADA, 10), stored.begin_session(ADA, 100)
    clock.seconds += 11
    assert (stored.session_holder(short), stored.session_holder(long)) == (None, ADA)
    stored.end_session(long)
    assert stored.session_holder(long) is None


def test_what_is_removed_is_not_valid_anywhere(tmp_path: Path, stored: StoredKeys, clock: Clock) -> None:
    key = stored.add("ada", ["read", "write"])
    token = stored.begin_session(ADA, 1000)
    another = StoredKeys(tmp_path / "data", clock)
    another.remove("Ada")
    assert (stored.holder(key), stored.session_holder(token)) == (None, None)
    assert stored.exist, "requests need a key still"
    with pytest.raises(NotFound):
        another.remove("ada")
    another.close()


def test_names_and_scopes_that_are_none(stored: StoredKeys) -> None:
    for name, scopes in (("", ["read"]), ("a b", ["read"]), ("x" * 65, ["read"]), ("ada", []), ("ada", ["root"])):
        with pytest.raises(InvalidKey):
            stored.add(name, scopes)
    assert not stored.exist
    stored.add("ada", ["read"])
    with pytest.raises(KeyTaken):
        stored.add("ADA", ["read"])


def test_over_http(tmp_path: Path) -> None:
    keys = StoredKeys(tmp_path / "data")
    reader, writer, reviewer, admin = (
        {"X-API-Key": keys.add(name, scopes)}
        for name, scopes in (("r", ["read"]), ("w", ["read", "write"]), ("v", ["review"]), ("a", ["admin"]))
    )
    files = [("file", ("a.png", png("red")))]
    with TestClient(create_app(settings(tmp_path))) as http:
        assert http.get("/v1/assets").status_code == 401
        assert http.get("/v1/assets", headers=reader).status_code == 200
        assert http.post("/v1/search", json={"text": "red"}, headers=reader).status_code == 200
        refused = http.post("/v1/assets", files=files, headers=reader)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "scope_missing")
        assert refused.json()["error"]["hint"] == "it needs the scope write"
        assert http.get("/v1/review", headers=reader).status_code == 403
        assert http.get("/v1/review", headers=writer).status_code == 403
        assert http.get("/v1/review", headers=reviewer).status_code == 200
        assert http.get("/v1/assets", headers=reviewer).status_code == 403
        assert http.get("/metrics", headers=writer).status_code == 403
        assert http.get("/metrics", headers=admin).status_code == 200
        assert http.post("/v1/assets", files=files, headers=writer).status_code == 202
        noted = [(line["key"], line["action"], line["path"], line["status"]) for line in audited(tmp_path / "data")]
        assert noted == [
            ("r", "POST", "/v1/assets", 403),
            ("r", "GET", "/v1/review", 403),
            ("w", "GET", "/v1/review", 403),
            ("v", "GET", "/v1/review", 200),
            ("v", "GET", "/v1/assets", 403),
            ("w", "GET", "/metrics", 403),
            ("a", "GET", "/metrics", 200),
            ("w", "POST", "/v1/assets", 202),
        ]
        assert reader["X-API-Key"] not in (tmp_path / "data" / FILE).read_text()


def test_a_session_has_the_scopes_of_its_key(tmp_path: Path) -> None:
    keys = StoredKeys(tmp_path / "data")
    key = keys.add("ada", ["read"])
    with TestClient(create_app(settings(tmp_path))) as http:
        assert http.post("/v1/session", headers={"X-API-Key": key}).status_code == 204
        cookie = http.cookies["crossmedia"]
        assert http.get("/v1/assets").status_code == 200
        own = {"Sec-Fetch-Site": "same-origin"}
        assert http.delete(f"/v1/assets/{'0' * 64}", headers=own).status_code == 403
        keys.remove("ada")
        assert http.get("/v1/assets").status_code == 401
        http.cookies.clear()
        key = keys.add("ada", ["read"])
        assert http.post("/v1/session", headers={"X-API-Key": key}).status_code == 204
        cookie = http.cookies["crossmedia"]
        assert http.delete("/v1/session").status_code == 204
        http.cookies.clear()
        assert http.get("/v1/assets", headers={"Cookie": f"crossmedia={cookie}"}).status_code == 401


def test_lines_of_several_writers_do_not_mix(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: Audit(tmp_path, 1 << 20, 1).note("ada", "POST", path=f"/\x1b{n}" * 50), range(200)))
    lines = audited(tmp_path)
    assert {line["path"] for line in lines} == {f"/\x1b{n}" * 50 for n in range(200)}
    assert b"\x1b" not in (tmp_path / FILE).read_bytes()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_from_the_command_line(run: Run, tmp_path: Path) -> None:
    assert "There are no keys" in run("key", "list").stdout
    made = run("key", "add", "ada", "--scope", "read", "--scope", "review", "--days", "30")
    key = made.stdout.strip()
    assert StoredKeys(tmp_path / "data").holder(key) == Holder("ada", frozenset({"read", "review"}))
    assert "read, review" in made.stderr
    [listed] = json.loads(run("key", "list", "--json").stdout)["keys"]
    assert (listed["name"], listed["scopes"]) == ("ada", ["read", "review"])
    assert listed["expires"] - listed["created"] == pytest.approx(30 * 86_400, abs=60)
    assert key not in run("key", "list").stdout
    assert "bad_key" in run("key", "add", "bob", "--scope", "root", code=2).stderr
    assert "key_taken" in run("key", "add", "ada", code=1).stderr
    assert "Removed" in run("key", "rm", "ada").stdout
    assert "not_found" in run("key", "rm", "ada", code=1).stderr
    assert [(line["action"], line["name"]) for line in audited(tmp_path / "data")] == [
        ("add key", "ada"),
        ("remove key", "ada"),
    ]
