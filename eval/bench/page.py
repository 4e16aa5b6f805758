"""The web page: from its load to the first hits, beside the API's own answer in the same run; and checks like
Lighthouse's.

python -m crossmedia.eval.bench.page [SEARCHES]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.embeddings.label_kinds import known_kinds
from crossmedia.eval.bench.common import SHARED, BenchRow, measure_seconds, percentiles, serve, show
from crossmedia.eval.datasets import flickr8k

FIRST_PAGE_HITS = 60
"""Hits that the page asks for at first."""
WATCH = """
window.seen = {hits: null, picture: null, lcp: 0, cls: 0, blocked: 0};
const watch = (type, hear) => new PerformanceObserver(list => list.getEntries().forEach(hear)).observe({type, buffered:
true}); watch('largest-contentful-paint', one => { seen.lcp = one.startTime; });
watch('layout-shift', one => { if (!one.hadRecentInput) seen.cls += one.value; });
watch('longtask', one => { seen.blocked += Math.max(0, one.duration - 50); });
const look = () => {
  if (seen.hits === null && document.querySelector('.hit')) seen.hits = performance.now();
  const picture = document.querySelector('.hit img');
  if (picture && picture.complete && picture.naturalWidth) seen.picture = performance.now();
  if (seen.picture === null) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Runs before the page: when a hit is in a frame that is drawn, when its picture is, and what the browser measures of
it."""
TIMING_SCRIPT = """() => {
  const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  const own = all.filter(one => !one.name.includes('/v1/'));
  const sum = some => some.reduce((so, one) => so + one.transferSize, 0);
  const meta = name => document.querySelector(`meta[name=${name}]`)?.content ?? '';
  return {
    ...seen, fcp: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
    requests: all.length, bytes: sum(all), own: sum(own),
    blocking: all.filter(one => one.renderBlockingStatus === 'blocking').map(one => one.name.split('/').pop()),
    foreign: all.filter(one => !one.name.startsWith(location.origin)).length,
    nodes: document.querySelectorAll('*').length, wide: document.documentElement.scrollWidth - innerWidth,
    lang: document.documentElement.lang, title: document.title, viewport: meta('viewport'), told: meta('description'),
  };
}"""


@dataclass(frozen=True)
class Check:
    """Something a page should meet: what was found, and what is wanted."""

    what: str
    found: str
    wanted: str
    passed: bool


def most(what: str, found: float, limit: float, unit: str, digits: int = 0) -> Check:
    return Check(what, f"{found:,.{digits}f} {unit}".strip(), f"≤ {limit:g} {unit}".strip(), found <= limit)


def main(searches: int) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium: apt-get install chromium")
    captioned = flickr8k(SHARED / "data" / "flickr8k", "dev").captions
    words = [captions[0] for captions in captioned.values()][:searches]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        (room / "photos").mkdir()
        for path in captioned:
            (room / "photos" / path.name).symlink_to(path)
        service = Service(Settings(data=room / "data"))
        service.indexing.index([room / "photos"])
        service.close()
        server, url = serve(room / "data")
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                loads = [load_page(browser, url, text) for text in [words[0], *words]][1:]
                checks = [*timings(loads), *rules(browser, url, loads[-1], words[0])]
                browser.close()
            alone = answers(url, words)
        finally:
            server.terminate()
            server.wait(20)
    report(len(captioned), loads, alone, checks)


def load_page(browser: Browser, url: str, text: str) -> dict[str, Any]:
    """One visit with nothing in the browser's cache: what the page and the browser told of it."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.add_init_script(WATCH)
    response = page.goto("/?" + urlencode({"q": text, "all": 1}))
    page.wait_for_selector(".hit img")
    page.wait_for_load_state("networkidle")
    timing: dict[str, Any] = page.evaluate(TIMING_SCRIPT)
    timing |= {"wrong": wrong, "headers": response.headers if response else {}}
    context.close()
    return timing


def answers(url: str, words: Sequence[str]) -> list[float]:
    """Seconds of the same searches without a page, one after the other."""
    took_all = []
    facets = [kind.name for kind in known_kinds().values() if kind.facet]
    with httpx.Client(base_url=url, timeout=60) as http:
        for text in words:
            with measure_seconds() as took:
                asked = {"text": [text], "k": FIRST_PAGE_HITS, "min_relevance": 0, "facets": facets}
                http.post("/v1/search", json=asked).raise_for_status()
            took_all.append(took[0])
    return took_all


def timings(loads: Sequence[dict[str, Any]]) -> list[Check]:
    """Lighthouse's limits for a good page; the median over all loads."""

    def middle(name: str) -> float:
        return float(np.median([one[name] for one in loads]))

    return [
        most("first hits", middle("hits"), 1000, "ms"),
        most("first contentful paint", middle("fcp"), 1800, "ms"),
        most("largest contentful paint", middle("lcp"), 2500, "ms"),
        most("cumulative layout shift", middle("cls"), 0.1, "", 3),
        most("total blocking time", middle("blocked"), 200, "ms"),
        most("bytes of the page itself", middle("own") / 1e3, 200, "kB"),
        most("bytes with hits and thumbnails", middle("bytes") / 1e3, 1600, "kB"),
        most("requests", middle("requests"), 100, ""),
        most("elements in the document", middle("nodes"), 1400, ""),
    ]


def rules(browser: Browser, url: str, last: dict[str, Any], text: str) -> list[Check]:
    """What holds or does not: what is loaded, what is told, and axe's rules for each view in both themes."""
    headers, viewport = last["headers"], last["viewport"]
    scripts = [name for name in last["blocking"] if name.endswith(".js")]
    policy = headers.get("content-security-policy", "")
    strict = "default-src 'none'" in policy and "unsafe" not in policy
    quiet = headers.get("referrer-policy") == "no-referrer" and headers.get("x-content-type-options") == "nosniff"
    zoomed = "width=device-width" in viewport and "scalable" not in viewport and "maximum" not in viewport
    checks = [
        most("scripts that hold up the first paint", len(scripts), 1, ""),
        most("requests to other hosts", last["foreign"], 0, ""),
        most("errors in the console", len(last["wrong"]), 0, ""),
        Check("content-security-policy", policy[:40], "nothing unsafe", strict),
        Check("nosniff, no-referrer", headers.get("referrer-policy", ""), "both", quiet),
        Check("language, title, description", last["lang"], "all", all((last["lang"], last["title"], last["told"]))),
        Check("may be zoomed on phones", viewport, "no limit", zoomed),
        most("scrolled sideways", max(0, last["wide"]), 0, "px"),
    ]
    asset = httpx.get(f"{url}/v1/assets", params={"limit": 1}).json()["assets"][0]["asset"]
    views = {
        "start": "/",
        "hits": "/?" + urlencode({"q": text}),
        "file": f"/?asset={asset}",
        "ask": "/?view=ask&q=how+many+photos+are+there",
    }
    views |= {name: f"/?view={name}" for name in ("upload", "jobs", "people", "voices", "lookup", "review")}
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        context = browser.new_context(base_url=url, color_scheme=scheme)
        page = context.new_page()
        for name, view in views.items():
            checks.append(axe(page, view, f"axe: {name}, {scheme}"))
        context.close()
    return checks


def axe(page: Page, view: str, what: str) -> Check:
    page.goto(view)
    page.wait_for_load_state("networkidle")
    violations = Axe().run(page).response["violations"]
    return Check(what, ", ".join(one["id"] for one in violations) or "none", "no violation", not violations)


def report(photos: int, loads: Sequence[dict[str, Any]], alone: Sequence[float], checks: Sequence[Check]) -> None:
    answer50, answer95 = percentiles(alone)
    rows = []
    for what, name, budget in (("first hits", "hits", "1,000 ms"), ("the first one's picture", "picture", "")):
        p50, p95 = percentiles([one[name] / 1000 for one in loads])
        beside = f"the API's answer {answer50:.0f} / {answer95:.0f} ms"
        rows.append(BenchRow(f"load to {what}, p50 / p95", f"{p50:.0f} / {p95:.0f} ms", beside, p50 / answer50, budget))
    show(f"The page over {photos} photos, {len(loads)} loads with an empty cache", rows)
    passed = sum(check.passed for check in checks)
    share = passed / len(checks)
    show(
        f"{passed} of {len(checks)} checks pass: {100 * share:.0f} %",
        [BenchRow(check.what, check.found, check.wanted, None, "pass" if check.passed else "FAIL") for check in checks],
    )
    sys.exit(share < 0.95)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
