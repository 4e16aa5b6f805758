"""Searching in the browser: words, pictures, sounds, clips, chips, links, keys, ten thousand hits, nothing,
failures."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
from playwright.sync_api import Page, Route, expect

from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.eval.demo.film import write_film
from tests.web.conftest import HOSTILE, Served, shot, until


def hits(page: Page) -> list[str]:
    """The titles of what is shown once nothing is being searched any more: before that, what was shown earlier
    stands there."""
    until(page, "!document.querySelector('[aria-busy]') && document.querySelector('.hit .open') !== null")
    return [str(title) for title in page.eval_on_selector_all(".hit .open", "all => all.map(one => one.title)")]


def drop(page: Page, path: Path, kind: str) -> None:
    """Drop a file onto the page, as from a desktop."""
    data = base64.b64encode(path.read_bytes()).decode()
    transfer = page.evaluate_handle(
        """([bytes, name, type]) => { const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(bytes), one => one.charCodeAt(0))], name, { type }));
        return transfer; }""",
        [data, path.name, kind],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def test_words_find_and_tell_why(page: Page) -> None:
    page.goto("/")
    page.fill("#query", "a cat")
    page.press("#query", "Enter")
    assert hits(page)[0].endswith(("photo-03.png", "film-2.mp4"))
    assert "q=a+cat" in page.url
    page.click(".hit >> text=Why?")
    expect(page.get_by_role("dialog")).to_contain_text("looks similar")
    page.keyboard.press("Escape")
    shot(page, "3-words")


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


def test_who_comes_back_from_a_hit_finds_it_as_it_was(page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 700})
    page.goto("/?q=a+cat&all=1")
    hits(page)
    page.evaluate("scrollTo(0, 1500)")
    page.wait_for_timeout(200)
    title, top = page.evaluate(
        """(() => { const hits = [...document.querySelectorAll('.hit')];
        const opened = hits.find(one => one.getBoundingClientRect().top > 100);
        const link = opened.querySelector('.open'); link.click(); return [link.title, scrollY]; })()"""
    )
    assert top > 500
    page.wait_for_selector(".asset")
    assert page.evaluate("scrollY") == 0
    page.keyboard.press("Escape")
    hits(page)
    until(page, f"Math.abs(scrollY - {top}) < 5")
    assert page.evaluate("document.activeElement.title") == title


def test_a_dropped_picture_a_sound_and_a_clip(page: Page, served: Served, tmp_path: Path) -> None:
    page.goto("/")
    page.wait_for_selector(".empty")
    drop(page, served.media / "photos" / "photo-04.jpg", "image/jpeg")
    assert any("film-1.mp4" in title or "photo-04" in title for title in hits(page))
    shot(page, "4-picture")
    page.click('.chip button[aria-label^="Remove"]')
    page.wait_for_selector(".empty")
    drop(page, served.media / "recordings" / "recording-2.wav", "audio/wav")
    assert any("recording" in title for title in hits(page))
    shot(page, "5-sound")
    page.click('.chip button[aria-label^="Remove"]')
    page.wait_for_selector(".empty")
    silence = Waveform(np.zeros(SAMPLE_RATE, dtype=np.float32))
    write_film(tmp_path / "clip.mp4", [(served.media / "photos" / "photo-03.png", silence)])
    drop(page, tmp_path / "clip.mp4", "video/mp4")
    assert any("film-2" in title or "photo-03" in title for title in hits(page))
    shot(page, "6-clip")


def test_more_and_less_like_this_are_chips(page: Page) -> None:
    page.goto("/?q=a+cat")
    hits(page)
    page.click(".hit >> text=+ like this")
    page.wait_for_url("**like=*")
    expect(page.locator(".chip")).to_contain_text("like ")
    page.click('.chip button[aria-label^="Remove"]')
    until(page, "!location.search.includes('like=')")


def test_a_chip_is_turned_into_its_opposite(page: Page) -> None:
    page.goto("/?q=a+cat")
    name = hits(page)[0].rpartition("/")[2]
    page.click(".hit >> text=+ like this")
    expect(page.locator(".chip")).to_contain_text(f"like {name}")
    page.click('.chip button[aria-label^="Less like"]')
    page.wait_for_url("**unlike=*")
    expect(page.locator(".chip.minus")).to_contain_text(f"not like {name}")
    page.goto("/?q=a+cat&not=snow&nolabel=object%3Adog")
    expect(page.locator(".chip.minus >> nth=0")).to_contain_text("without snow")
    expect(page.locator(".chip.minus >> nth=1")).to_contain_text("no dog")


def test_a_file_that_is_searched_with_can_push_away(page: Page, served: Served) -> None:
    page.goto("/?q=a+cat&media=image&all=1")
    hits(page)
    with page.expect_response("**/v1/search"):
        drop(page, served.media / "photos" / "photo-03.png", "image/png")
    expect(page.locator(".chip")).to_contain_text("photo-03.png")
    same = page.locator(".hit .open", has_text="photo-03.png")
    expect(same).to_have_attribute("aria-label", re.compile("(9|10)[0-9] % relevant"))
    page.click('.chip button[aria-label="Less like photo-03.png"]')
    expect(page.locator(".chip.minus")).to_contain_text("not like photo-03.png")
    expect(same).not_to_have_attribute("aria-label", re.compile("(9|10)[0-9] % relevant"))


def test_what_is_said_is_shown_by_what_is_seen_then(page: Page, served: Served) -> None:
    page.goto("/?q=honey&media=video")
    hits(page)
    assert "at=8." in str(page.get_attribute(".hit img", "src"))
    asset = str(page.get_attribute(".hit .open", "href")).partition("asset=")[2][:64]
    seen = [page.request.get(f"/v1/assets/{asset}/thumbnail", params={"at": at}).body() for at in (0, 2, 9, 999)]
    assert seen[0] == seen[1] == page.request.get(f"/v1/assets/{asset}/thumbnail").body()
    assert len(set(seen)) == 3
    assert page.request.get(f"/v1/assets/{asset}/thumbnail?at=-1").status == 422


def test_why_has_a_bar_for_each_reason_and_boxes_go_along(page: Page) -> None:
    page.goto("/?q=a+cat&media=image")
    hits(page)
    card = page.locator(".hit", has_text="photo-03.png")
    expect(card.locator(".reasons li >> nth=0")).to_contain_text("looks similar")
    expect(card.locator(".reasons")).to_contain_text("shows cat")
    expect(card.locator(".box")).to_have_count(1)
    card.locator(".open").click()
    expect(page.locator(".stage .box")).to_have_count(1)


def test_before_anything_is_asked_it_shows_what_there_is(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".there li")).to_have_count(12)
    page.click('.tags >> text="cat"')
    assert "label=object%3Acat" in page.url
    assert hits(page)


def test_a_facet_can_be_what_must_not_be_there(page: Page) -> None:
    page.goto("/?q=an+animal&all=1")
    hits(page)
    page.click('.facet-row button[aria-label^="Without"] >> nth=0')
    page.wait_for_url("**nolabel=*")


def test_from_hit_to_hit_while_one_is_open(page: Page) -> None:
    page.goto("/?q=a+cat&all=1&media=image")
    found = hits(page)
    page.click(".hit >> nth=0 >> .open")
    expect(page.locator("h1")).to_have_text(found[0].rpartition("/")[2])
    page.keyboard.press("j")
    expect(page.locator("h1")).to_have_text(found[1].rpartition("/")[2])
    page.click("text=Previous hit")
    expect(page.locator("h1")).to_have_text(found[0].rpartition("/")[2])
    assert page.locator("text=Previous hit").count() == 0


def test_a_video_moves_under_the_pointer_unless_less_of_that_is_wanted(page: Page) -> None:
    page.goto("/?q=a+cat&media=video")
    hits(page)
    with page.expect_response("**/preview"):
        page.hover(".hit .shot >> nth=0")
    expect(page.locator(".hit img >> nth=0")).to_have_attribute("src", re.compile("/preview$"))
    page.hover("#query")
    expect(page.locator(".hit img >> nth=0")).to_have_attribute("src", re.compile("/thumbnail"))
    page.emulate_media(reduced_motion="reduce")
    page.hover(".hit .shot >> nth=0")
    page.wait_for_timeout(300)
    expect(page.locator(".hit img >> nth=0")).to_have_attribute("src", re.compile("/thumbnail"))


def test_facets_filter(page: Page) -> None:
    page.goto("/?q=an+animal&all=1")
    hits(page)
    page.click(".facet >> nth=0")
    page.wait_for_url("**label=*")
    expect(page.locator(".facet[aria-pressed=true]")).to_have_count(1)


def test_a_filter_alone_lists_what_meets_it(page: Page) -> None:
    page.goto("/?label=object%3Acat")
    found = hits(page)
    assert found
    assert "%" not in page.locator(".hit").first.inner_text(), "nothing is more relevant than another"
    assert page.get_by_role("button", name="Why").count() == 0
    assert (
        page.locator(".hit .open").first.get_attribute("aria-label")
        == page.locator(".hit .name span").first.inner_text()
    )


def test_everything_in_an_order_that_the_address_keeps(page: Page) -> None:
    page.goto("/")
    page.click("text=Show everything")
    page.wait_for_url("**sort=date")
    newest = hits(page)
    shot(page, "11-everything")
    page.select_option("select[aria-label=Order]", "name-desc")
    page.wait_for_url("**sort=name-desc")
    named = hits(page)
    assert named != newest
    page.reload()
    assert hits(page) == named
    expect(page.locator("select[aria-label=Order]")).to_have_value("name-desc")
    page.fill("#query", "a cat")  # who looks for something wants the best first
    page.wait_for_url(re.compile(r"\?q=a\+cat$"))
    hits(page)
    expect(page.locator("select[aria-label=Order]")).to_have_value("")
    page.select_option("select[aria-label=Order]", "size")
    page.wait_for_url("**sort=size")
    hits(page)
    shot(page, "12-order")


def test_more_is_loaded_after_what_is_there_and_a_failure_leaves_that(page: Page, wrong: list[str]) -> None:
    asked: list[dict[str, object]] = []

    def shorter(route: Route) -> None:
        body = json.loads(route.request.post_data or "{}")
        asked.append(body)
        if len(asked) == 2:
            route.fulfill(status=503, json={"error": {"code": "busy", "message": "It is busy.", "hint": "Wait."}})
        else:
            route.continue_(post_data=json.dumps({**body, "k": 8}))

    page.route("**/v1/search", shorter)
    page.goto("/?sort=name")
    expect(page.locator(".found")).to_contain_text("It is busy.")
    assert page.locator(".hit").count() == 8
    page.click("text=Try again")
    until(page, "Number(document.querySelector('.hit')?.getAttribute('aria-setsize')) >= 16")
    assert len(asked) >= 3
    assert "cursor" not in asked[0]
    assert all(body["cursor"] and not body["facets"] for body in asked[1:])
    titles = hits(page)
    assert len(titles) == len(set(titles))
    wrong.clear()  # the browser logs every answer of 503


def test_an_example_says_how_alike_a_hit_is_once(page: Page, served: Served) -> None:
    page.goto("/")
    drop(page, served.media / "photos" / "photo-04.jpg", "image/jpeg")
    assert hits(page)[0].endswith("photo-04.jpg")
    reasons = page.locator(".hit").first.locator(".reasons li").all_inner_texts()
    assert [line for line in reasons if "the same picture" in line]
    assert not [line for line in reasons if "perhaps alike" in line]
    assert page.locator(".reasons", has_text="perhaps alike").count()


def test_nothing_matches_and_the_nearest_all_the_same(page: Page) -> None:
    page.goto("/?q=quantum+chromodynamics+lattice&media=audio")
    expect(page.locator(".empty h2")).to_have_text("Nothing matches")
    page.click("text=Show the nearest anyway")
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
        "asset": "0" * 64,
        "moment": "0-paragraph0",
        "path": "a",
        "media": "text",
        "title": "a",
        "start": None,
        "end": None,
        "page": None,
        "relevance": 0.6,
        "evidence": [],
        "more": 0,
        "link": "",
    }

    def answer(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")
        first = int(asked.get("cursor", 0))
        last = min(10_000, first + asked["k"])
        some = [{**hit, "moment": f"0-paragraph{n}", "path": f"file {n}"} for n in range(first, last)]
        going_on = str(last) if last < 10_000 else None
        route.fulfill(json={"hits": some, "took_ms": 1.0, "notes": [], "facets": {}, "next": going_on})

    page.route("**/v1/search", answer)
    page.goto("/?q=anything")
    for _ in range(8):
        hits(page)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(250)
    expect(page.locator(".found")).to_contain_text("10,000 hits in")
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


def test_no_field_of_an_answer_is_markup(page: Page) -> None:
    """Names, captions, writing, transcripts, labels, people: each as hostile as can be, where they are listed and
    where they open."""
    asset = "ab" * 32
    evidence = {
        "leg": "words",
        "similarity": 1,
        "relevance": 0.9,
        "rank": 1,
        "text": HOSTILE,
        "query": HOSTILE,
        "start": 1,
        "end": 2,
        "page": None,
        "moment": f"{asset}-speech0",
        "boxes": [],
        "generated": False,
    }
    hit = {
        "asset": asset,
        "moment": f"{asset}-speech0",
        "path": HOSTILE,
        "media": "audio",
        "title": HOSTILE,
        "start": 1,
        "end": 2,
        "page": None,
        "relevance": 0.9,
        "evidence": [evidence, {**evidence, "leg": "labels"}],
        "more": 0,
        "link": "javascript:window.hurt=1",
    }
    labels = [
        {"kind": kind, "value": HOSTILE, "score": 0.9} for kind in ("object", "speaker", "person", "text", "plate")
    ]
    speech = {"kind": "speech", "transcript": HOSTILE, "words": [[HOSTILE, 1, 2]]}
    moment = {
        "moment": hit["moment"],
        "start": 1,
        "end": 2,
        "page": None,
        "labels": labels,
        "description": HOSTILE,
        **speech,
    }
    whole = {
        "asset": asset,
        "media": "audio",
        "mime": HOSTILE,
        "size": 1,
        "title": HOSTILE,
        "captured": HOSTILE,
        "metadata": {"seconds": 4, HOSTILE: HOSTILE},
        "sources": [{"path": HOSTILE, "collection": HOSTILE}],
        "moments": [moment, {**moment, "kind": "turn"}, {**moment, "kind": "sound"}],
    }
    summary = {"sentences": [{"text": HOSTILE, "start": 1}], "descriptions": [{"text": HOSTILE}], "chapters": []}
    trust = {"facts": [{"kind": HOSTILE, "value": HOSTILE, "by": HOSTILE}], "indications": [], "statement": HOSTILE}
    facets = {"object": [{"value": HOSTILE, "moments": 1, "assets": 1}]}
    page.route(
        "**/v1/search",
        lambda route: route.fulfill(json={"hits": [hit], "took_ms": 1, "notes": [HOSTILE], "facets": facets}),
    )
    page.route(f"**/v1/assets/{asset}", lambda route: route.fulfill(json=whole))
    page.route(f"**/v1/assets/{asset}/summary", lambda route: route.fulfill(json=summary))
    page.route(f"**/v1/assets/{asset}/trust", lambda route: route.fulfill(json=trust))
    page.route(f"**/v1/assets/{asset}/content", lambda route: route.fulfill(content_type="audio/wav", body=b""))
    cues = f"WEBVTT\n\n00:00.000 --> 00:04.000\n{HOSTILE}\n"
    page.route(f"**/v1/assets/{asset}/transcript**", lambda route: route.fulfill(content_type="text/vtt", body=cues))
    page.goto(f"/?q=anything&label=object:{quote(HOSTILE)}")
    hits(page)
    page.click(".hit >> text=Why?")
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
    page.keyboard.press("Escape")
    page.click(".hit .open")
    page.wait_for_selector(".lanes")
    expect(page.locator("main")).to_contain_text(HOSTILE)
    assert page.locator("main img[src='x'], main script, [href^='javascript']").count() == 0


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


def test_what_a_microphone_hears_is_searched_with_and_it_is_let_go(page: Page) -> None:
    page.add_init_script(
        """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async wanted => (window.heard = await ask(wanted));"""
    )
    page.goto("/")
    page.click('button[aria-label="Search by a sound"]')
    expect(page.locator('button[aria-label="Stop recording"]')).to_contain_text("0:01")
    with page.expect_response("**/v1/search") as found:
        page.click('button[aria-label="Stop recording"]')
    assert found.value.ok
    expect(page.locator(".chip")).to_contain_text("microphone.wav")
    until(page, "heard.getTracks().every(one => one.readyState === 'ended')")
    page.click('button[aria-label="Search by a sound"]')
    page.wait_for_selector('button[aria-label="Stop recording"]')
    page.click("nav >> text=Ask")
    until(page, "heard.getTracks().every(one => one.readyState === 'ended')")


def test_the_page_works_without_the_vocabulary(page: Page, wrong: list[str]) -> None:
    page.route("**/v1/labels/kinds", lambda route: route.abort())
    page.goto("/?q=dog")
    expect(page.locator(".hit").first).to_be_visible()
    wrong.clear()


def test_facets_are_called_as_the_vocabulary_says(page: Page) -> None:
    kind = {"kind": "object", "title": "Gadgets", "said": True, "facet": True, "recognised": True, "values": None}
    page.route("**/v1/labels/kinds", lambda route: route.fulfill(json={"kinds": [kind]}))
    page.goto("/?q=dog&all=1")
    expect(page.locator("#filters legend").first).to_have_text("Gadgets")
    expect(page.locator("#filters legend")).to_have_count(2)
