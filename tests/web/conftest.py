"""A real server over a small indexed corpus, and a real browser that fails a test on any error in its console."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.eval.demo.corpus import make
from crossmedia.indexer.enrichers.registry import pass_names
from tests.conftest import _absent

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
KEPT = ("transcript", "objects", "areas", "descriptions", "speakers")
WITHOUT = tuple(name for name in pass_names() if name not in KEPT)
HOSTILE = "<img src=x onerror=window.hurt=1>"
SCREENSHOTS = "CROSSMEDIA_TEST_SCREENSHOTS"
"""Names a folder into which each view is drawn, to be looked at."""


@dataclass
class Served:
    """A running service: its address, its data directory, the files that were indexed."""

    url: str
    media: Path


def serve(settings: Settings) -> tuple[str, Callable[[], None]]:
    """The address of a server on a free port of loopback once it is ready, and what ends it."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.05)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    while httpx.get(f"{url}/readyz", headers={"X-API-Key": next(iter(settings.api_keys), "")}).status_code == 503:
        assert time.monotonic() < until, "the server did not become ready"
        time.sleep(0.1)

    def end() -> None:
        server.should_exit = True
        thread.join()

    return url, end


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, whisper_folder: Path) -> Iterator[Served]:
    """The demo corpus, and files whose names and words are markup."""
    folder = tmp_path_factory.mktemp("web")
    make(folder / "media")
    (folder / "media" / f"{HOSTILE.replace('/', '')}.txt").write_text(
        f"{HOSTILE} Beware of the crocodile. <script>window.hurt=1</script>"
    )
    settings = Settings(data=folder / "data", without=WITHOUT)
    service = Service(settings)
    service.indexing.index([folder / "media"])
    service.indexing.enrich()
    service.close()
    url, end = serve(settings)
    yield Served(url, folder / "media")
    end()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        _absent("no chromium: Debian's package of that name")
    with sync_playwright() as playwright:
        # A microphone that the browser makes up, and lets every page hear.
        heard = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *heard])
        yield browser
        browser.close()


@pytest.fixture
def wrong() -> list[str]:
    """What the page complained of; a test that means it to complain empties this."""
    return []


@pytest.fixture
def page(browser: Browser, served: Served, wrong: list[str]) -> Iterator[Page]:
    """A page of its own, 1280 wide, at the address of the server; whatever it complains of fails the test."""
    context = browser.new_context(base_url=served.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    hurt = page.evaluate("window.hurt")
    context.close()
    assert hurt is None, "words of a file were run"
    assert wrong == []


def until(page: Page, truth: str) -> None:
    """Waits for an expression to be true. The page's policy lets nothing be evaluated inside of it, so it is asked
    from outside."""
    ends = time.monotonic() + 60
    while not page.evaluate(truth):
        assert time.monotonic() < ends, truth
        page.wait_for_timeout(50)


def shot(page: Page, name: str) -> None:
    """Draws what the page shows at three widths where somebody wants to look at it."""
    folder = os.environ.get(SCREENSHOTS)
    if folder is None:
        return
    before = page.viewport_size
    for width in (360, 800, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"))
    if before:
        page.set_viewport_size(before)
