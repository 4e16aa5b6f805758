"""Names by which the service may be called, and who may listen to what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from crossmedia.api.hosts import HostCheck
from crossmedia.api.server import create_app
from tests.api.helpers import Run, png, settings, upload


async def reached(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def status(bound: str, host: str, names: tuple[str, ...] = ()) -> int:
    return TestClient(HostCheck(reached, bound, names)).get("/", headers={"Host": host}).status_code


LOOPBACK = ["localhost", "LOCALHOST.", "localhost:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000"]
FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.localhost",
    "",
    "localhost@evil.example",
    "[::1].evil.example",
    "localhost:80:90",
    "127.0.0.1:evil",
    "0x7f000001",
    "192.0.2.1",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_always_accepted(host: str) -> None:
    for bound in ("127.0.0.1", "0.0.0.0", "media.example"):
        assert status(bound, host) == 204


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_refused(host: str) -> None:
    assert status("127.0.0.1", host) == 421


def test_what_it_listens_on_is_accepted() -> None:
    assert status("media.example", "Media.example:8000") == 204
    assert status("192.0.2.1", "192.0.2.1") == 204
    assert status("192.0.2.1", "192.0.2.2") == 421
    assert status("2001:db8::1", "[2001:db8::1]:80") == 204


def test_on_all_addresses_numbers_are_accepted_and_names_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "studio")
    for bound in ("0.0.0.0", "::"):
        assert status(bound, "192.0.2.1:8000") == 204
        assert status(bound, "[2001:db8::1]") == 204
        assert status(bound, "studio:8000") == 204
        assert status(bound, "evil.example") == 421
    assert status("127.0.0.1", "studio") == 421


def test_further_names_can_be_set() -> None:
    assert status("127.0.0.1", "media.example", ("media.example",)) == 204
    assert status("127.0.0.1", "other.media.example", ("media.example",)) == 421
    assert status("127.0.0.1", "evil.example", ("*",)) == 204


def test_a_request_of_two_hosts_is_refused() -> None:
    client = TestClient(HostCheck(reached, "127.0.0.1"))
    assert client.get("/", headers=[("Host", "localhost"), ("Host", "evil.example")]).status_code == 421


@pytest.mark.parametrize("keys", [(), ("secret",)])
def test_a_rebound_page_gets_nothing(tmp_path: Path, keys: tuple[str, ...]) -> None:
    """The same name in Host and Origin: to the browser, such a page is the service's own."""
    rebound = {"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}
    with TestClient(create_app(settings(tmp_path, api_keys=keys))) as http:
        for method, path in (
            ("GET", "/"),
            ("GET", "/healthz"),
            ("GET", "/web/js/core/api.js"),
            ("GET", "/v1/assets"),
            ("GET", "/openapi.json"),
            ("POST", "/v1/search"),
            ("POST", "/v1/assets"),
            ("DELETE", "/v1/assets/0"),
            ("POST", "/v1/session"),
        ):
            refused = http.request(method, path, headers=rebound)
            assert (refused.status_code, refused.json()["error"]["code"]) == (421, "foreign_host"), path
        assert http.get("/healthz").status_code == 200


def test_files_are_for_pages_of_this_site_and_named_by_whole_ids(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as http:
        [asset] = upload(http, a_png=png("red"))["report"]["uploaded"]
        for what in ("content", "thumbnail"):
            whole = http.get(f"/v1/assets/{asset}/{what}")
            assert (whole.status_code, whole.headers["cross-origin-resource-policy"]) == (200, "same-origin")
            for beginning in (asset[:12], asset[0], asset[:63], asset.upper()):
                refused = http.get(f"/v1/assets/{beginning}/{what}")
                assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
        assert http.get(f"/v1/assets/{asset[:12]}").json()["asset"] == asset


def test_open_to_the_network_needs_a_key_or_to_be_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, *, host, **options: started.append(host))
    for host in ("0.0.0.0", "::", "192.0.2.1", "media.example"):
        refused = run("serve", "--host", host, code=2)
        assert "open_to_network" in refused.stderr
        assert "CROSSMEDIA_API_KEYS" in refused.stderr
    assert started == []
    for host in ("127.0.0.1", "localhost", "::1"):
        run("serve", "--host", host)
    run("serve", "--host", "0.0.0.0", "--insecure")
    monkeypatch.setenv("CROSSMEDIA_API_KEYS", "secret")
    run("serve", "--host", "192.0.2.1")
    assert started == ["127.0.0.1", "localhost", "::1", "0.0.0.0", "192.0.2.1"]
