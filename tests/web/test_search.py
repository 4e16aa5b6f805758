"""Searching in the browser: words, pictures, sounds, clips, chips, links, keys, ten thousand hits, nothing, failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.web.conftest import HOSTILE, Served, until

Shot = Callable[[str], None]


def hits(page: Page) -> list[str]:
    page.wait_for_selector(".hit")
    return [str(title) for title in page.eval_on_selector_all(".hit .open", "all => all.map(one => one.title)")]


def drop(page: Page, path: Path, kind: str) -> None:
    """Drop a file onto the page, as from a desktop."""
    data = list(path.read_bytes())
    transfer = page.evaluate_handle(
        """([bytes, name, type]) => { const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], name, { type })); return transfer; }""",
        [data, path.name, kind],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def test_words_find_and_tell_why(page: Page, shot: Shot) -> None:
    page.goto("/")
    page.fill("#query", "a cat")
    page.press("#query", "Enter")
    assert hits(page)[0].endswith(("photo-03.png", "film-2.mp4"))
    assert "q=a+cat" in page.url
    page.click(".hit >> text=Why?")
    expect(page.get_by_role("dialog")).to_contain_text("looks like what you asked")
    page.keyboard.press("Escape")
    shot("search")


def test_a_link_keeps_the_state_and_back_goes_back(page: Page) -> None:
    page.goto("/?q=a+cat&media=image")
    first = hits(page)
    page.reload()
    assert hits(page) == first
    assert all("photo" in title for title in first)
    page.click(".hit >> nth=0 >> .open")
    page.wait_for_selector(".asset")
    page.go_back()
    assert hits(page) == first


def test_a_dropped_picture_a_sound_and_a_clip(page: Page, served: Served) -> None:
    page.goto("/")
    page.wait_for_selector(".empty")
    drop(page, served.media / "photos" / "photo-04.jpg", "image/jpeg")
    assert any("film-1.mp4" in title or "photo-04" in title for title in hits(page))
    page.click(".chip button")
    page.wait_for_selector(".empty")
    drop(page, served.media / "recordings" / "recording-2.wav", "audio/wav")
    assert any("recording" in title for title in hits(page))
    page.click(".chip button")
    page.wait_for_selector(".empty")
    drop(page, served.media / "films" / "film-2.mp4", "video/mp4")
    assert any("film-2" in title or "photo-03" in title for title in hits(page))


def test_more_and_less_like_this_are_chips(page: Page) -> None:
    page.goto("/?q=a+cat")
    hits(page)
    page.click(".hit >> text=+ like this")
    page.wait_for_url("**like=*")
    expect(page.locator(".chip")).to_contain_text("like this")
    page.click(".chip button")
    until(page, "!location.search.includes('like=')")


def test_facets_filter(page: Page) -> None:
    page.goto("/?q=an+animal&all=1")
    hits(page)
    page.click(".facet >> nth=0")
    page.wait_for_url("**label=*")
    expect(page.locator(".facet[aria-pressed=true]")).to_have_count(1)


def test_nothing_matches_and_the_nearest_all_the_same(page: Page) -> None:
    page.goto("/?q=quantum+chromodynamics+lattice&media=audio")
    expect(page.locator(".empty h2")).to_have_text("Nothing matches")
    page.click("text=Show the nearest all the same")
    assert hits(page)


def test_keys_walk_through_what_was_found(page: Page) -> None:
    page.goto("/?q=a+cat&all=1")
    hits(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('.hit').dataset.number") == "1"
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.closest('.hit').dataset.number") == "0"
    page.keyboard.press("Enter")
    page.wait_for_selector(".asset")
    page.keyboard.press("Escape")
    hits(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "query"


def test_ten_thousand_hits_stay_few_nodes(page: Page) -> None:
    hit = {
        "asset": "0" * 64, "moment": "0-paragraph0", "path": "a", "media": "text", "title": "a", "start": None, "end": None, "page": None,
        "relevance": 0.6, "evidence": [], "more": 0, "link": "",
    }  # fmt: skip

    def answer(route: Route) -> None:
        k = json.loads(route.request.post_data or "{}")["k"]
        some = [{**hit, "moment": f"0-paragraph{n}", "path": f"file {n}"} for n in range(k)]
        route.fulfill(json={"hits": some, "took_ms": 1.0, "notes": [], "facets": {}})

    page.route("**/v1/search", answer)
    page.goto("/?q=anything")
    for _ in range(8):
        hits(page)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(250)
    expect(page.locator(".found")).to_contain_text("10,000 hits")
    assert page.locator(".hit").count() < 60
    assert page.locator('.hit[aria-posinset="10000"]').count() == 1


def test_names_and_words_of_files_are_never_run(page: Page) -> None:
    page.goto("/?q=crocodile")
    assert HOSTILE in hits(page)[0]
    page.click(".hit .open")
    page.wait_for_selector(".paper")
    assert HOSTILE in page.inner_text(".paper")
    page.goto("/?view=ask&q=what+is+said+about+the+crocodile")
    expect(page.locator(".answer")).to_contain_text("Beware of the crocodile")


def test_a_failure_says_what_to_do(page: Page, wrong: list[str]) -> None:
    page.route(
        "**/v1/search",
        lambda route: route.fulfill(
            status=503,
            json={"error": {"code": "store_unusable", "message": "It is locked.", "hint": "Stop the other one."}},
        ),
    )
    page.goto("/?q=a+cat")
    expect(page.get_by_role("alert").filter(has_text="It is locked.")).to_contain_text("Stop the other one.")
    page.unroute("**/v1/search")
    page.click("text=Try again")
    assert hits(page)
    wrong.clear()  # the browser logs every answer of 503
