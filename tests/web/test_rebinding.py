"""A foreign name that leads to this machine: what a page under it sees in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Playwright, sync_playwright

from crossmedia.api.settings import Settings
from tests.conftest import _absent
from tests.web.conftest import CHROMIUM, serve


@pytest.fixture
def playwright() -> Iterator[Playwright]:
    if CHROMIUM is None:
        _absent("no chromium: Debian's package of that name")
    with sync_playwright() as started:
        yield started


def test_a_page_under_a_rebound_name_gets_nothing(playwright: Playwright, tmp_path: Path) -> None:
    url, end = serve(Settings(data=tmp_path / "data", profile="toy"))
    port = urlsplit(url).port
    # The browser resolves the name to this machine, as after the attacker's name server has changed its answer.
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", rules])
    try:
        page = browser.new_page()
        opened = page.goto(f"http://evil.example:{port}/v1/assets")
        assert opened is not None
        assert opened.status == 421
        fetch = "([method, path]) => fetch(path, {method, body: method === 'POST' ? '{}' : null}).then(r => r.status)"
        for method, path in (
            ("GET", "/v1/assets"),
            ("POST", "/v1/search"),
            ("POST", "/v1/assets"),
            ("DELETE", "/v1/assets/0"),
        ):
            assert page.evaluate(fetch, [method, path]) == 421
        own = page.goto(f"{url}/v1/assets")
        assert own is not None
        assert own.status == 200
    finally:
        browser.close()
        end()
