"""The page as a whole: what it may load, whom it shuts out, how it looks on small and wide screens, keys; a
newcomer's path."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from crossmedia.api.routes.page import FOLDER
from crossmedia.api.settings import Settings
from crossmedia.indexer.enrichers.registry import pass_names
from tests.web.conftest import WITHOUT, Served, serve, shot, until

VIEWS = (
    "/",
    "/?q=a+cat",
    "/?view=ask&q=how+many+photos+are+there",
    "/?view=upload",
    "/?view=jobs",
    "/?view=people",
    "/?view=voices",
    "/?view=lookup",
    "/?view=review",
)


def film(served: Served) -> str:
    answer = httpx.get(f"{served.url}/v1/assets", params={"media": "video", "path": "*film-2.mp4"}).json()
    return str(answer["assets"][0]["asset"])


def settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")


def test_it_loads_nothing_foreign_and_nothing_inline(page: Page, served: Served) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    response = page.goto("/?q=a+cat")
    settled(page)
    assert response is not None
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert [url for url in asked if not url.startswith((served.url, "blob:", "data:"))] == []


def test_its_scripts_make_no_markup_of_text() -> None:
    for path in FOLDER.rglob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()
        ), path
        assert len(path.read_text().splitlines()) <= 300
    assert not re.search(r"<script(?![^>]*src=)|<style| on\w+=|style=", (FOLDER / "index.html").read_text())


def test_everybody_can_use_it_on_any_screen(page: Page, served: Served) -> None:
    """No violation of axe's rules in light and dark, nothing that has to be scrolled sideways."""
    found = {}
    for view in (*VIEWS, f"/?asset={film(served)}&t=4"):
        page.goto(view)
        settled(page)
        for width in (360, 800, 1600, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, view
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            results = Axe().run(page)
            if results.violations_count:
                found[view, scheme] = [(one["id"], one["nodes"][0]["html"]) for one in results.response["violations"]]
    assert found == {}


def test_a_film_plays_from_the_second_and_its_words_follow(page: Page, served: Served) -> None:
    page.goto(f"/?asset={film(served)}&t=5")
    until(page, "document.querySelector('video')?.readyState >= 1 && document.querySelector('video').currentTime > 4.9")
    expect(page.locator(".said li.now")).to_contain_text("cat")
    page.click(".said .at >> nth=2")
    until(page, "document.querySelector('video').currentTime > 7")
    assert page.locator(".track button img").count() == 4
    page.keyboard.press("Escape")
    page.wait_for_selector("#query")
    page.goto(f"/?asset={film(served)}&t=5")
    page.wait_for_selector(".lanes")
    shot(page, "7-playback")


def test_boxes_of_a_film_come_and_go_with_its_time(page: Page, served: Served) -> None:
    page.goto(f"/?asset={film(served)}")
    until(page, "document.querySelector('video')?.readyState >= 1")
    page.click(".tag >> text=/^dog/")
    until(page, "document.querySelector('.stage .box') !== null")
    until(page, "document.querySelector('video').currentTime > 3")
    # Both at one instant: the page still moves while parts of it come.
    sides = (
        "one => "
        "{ const { left, top, right, bottom } = document.querySelector(one).getBoundingClientRect(); "
        "return [left, top, -right, -bottom]; }"
    )
    stage, box = page.evaluate(f"['.stage .frame', '.stage .box'].map({sides})")
    assert all(outer <= inner + 1 for outer, inner in zip(stage, box, strict=True))
    shot(page, "8-boxes")
    page.evaluate("document.querySelector('video').currentTime = 0.5")
    until(page, "document.querySelector('.stage .box') === null")
    page.evaluate("document.querySelector('video').currentTime = 6")
    until(page, "document.querySelector('.stage .box') !== null")


def test_a_voice_gets_its_name(page: Page) -> None:
    page.goto("/?view=voices")
    before = page.locator(".faces strong >> nth=0").inner_text()
    for called in ("Ada", before):
        page.click(".faces >> text=Name >> nth=0")
        page.fill("#named", called)
        page.get_by_role("dialog").get_by_text("Save").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.locator(".faces")).to_contain_text(called)


def test_the_theme_is_kept(page: Page) -> None:
    page.goto("/")
    page.click('button[aria-label="Dark or light"]')
    assert page.get_attribute("html", "data-theme") == "dark"
    page.reload()
    assert page.get_attribute("html", "data-theme") == "dark"


def test_asking_cites_and_citations_jump(page: Page) -> None:
    page.goto("/?view=ask")
    page.fill("#question", "when is honey mentioned?")
    page.press("#question", "Enter")
    expect(page.locator(".answer")).to_contain_text("s (")
    shot(page, "9-ask")
    expect(page.locator(".cited")).to_contain_text("said in it")
    expect(page.locator(".cited")).not_to_contain_text("null")
    page.click(".cited a >> nth=0")
    page.wait_for_selector(".asset")
    page.goto("/?view=ask&q=what+colour+is+the+giraffe")
    expect(page.locator(".answer")).to_have_text("The indexed files do not answer this question.")


def test_an_answer_is_read_aloud(page: Page) -> None:
    page.goto("/?view=ask&q=how+many+photos+are+there")
    page.wait_for_selector("text=Read aloud")
    with page.expect_response("**/v1/speak") as heard:
        page.click("text=Read aloud")
    assert heard.value.ok
    assert heard.value.headers["content-type"] == "audio/wav"
    assert int(heard.value.headers["content-length"]) > 10_000


def test_a_newcomer_s_path(browser: Browser, served: Served, tmp_path: Path) -> None:
    """From nothing: told what to do, adds files, one of them broken, finds them, looks one up, asks, reviews."""
    url, end = serve(Settings(data=tmp_path / "data", without=(*WITHOUT, "transcript", "speakers", "ocr")))
    context = browser.new_context(base_url=url)
    page = context.new_page()
    try:
        page.goto("/")
        expect(page.locator(".empty h2")).to_have_text("Nothing is indexed yet")
        shot(page, "1-empty")
        page.click("text=Add files")
        broken = tmp_path / "broken.jpg"
        broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
        photo = served.media / "photos" / "photo-03.png"
        page.set_input_files("#files", [photo, broken])
        expect(page.locator(".state.done")).to_have_text("searchable", timeout=60_000)
        expect(page.locator(".state.failed")).to_have_count(1, timeout=60_000)
        shot(page, "2-upload")
        page.click("nav >> text=Jobs")
        expect(page.locator("tbody tr")).to_have_count(2)
        page.click("nav >> text=Search")
        page.fill("#query", "a cat")
        page.press("#query", "Enter")
        page.wait_for_selector(".hit")
        page.click("nav >> text=Ask")
        page.fill("#question", "are there any cats?")
        page.press("#question", "Enter")
        expect(page.locator(".answer")).to_contain_text("yes")
        page.click("nav >> text=Look up")
        page.set_input_files("#looked-up", photo)
        expect(page.locator("main")).to_contain_text("It is in no bank")
        shot(page, "10-lookup")
        page.click("nav >> text=Review")
        expect(page.locator(".empty h2")).to_have_text("Nothing to review")
        page.goto("/?q=a+cat")
        page.click(".hit .open >> nth=0")
        page.click("text=Remove")
        page.get_by_role("dialog").get_by_text("Cancel").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.click("text=Remove")
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.locator(".empty h2")).to_have_text("Nothing is indexed yet")
        expect(page.locator(".hit")).to_have_count(0)
    finally:
        context.close()
        end()


def test_a_folder_waits_for_room_in_the_queue(browser: Browser, tmp_path: Path) -> None:
    url, end = serve(Settings(data=tmp_path / "data", profile="toy", without=pass_names(), max_jobs=1))
    context = browser.new_context(base_url=url)
    page = context.new_page()
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "inner/c.txt"):
        (tmp_path / "folder" / name).write_text(f"The boats of {name} come home.")
    (tmp_path / "folder" / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    try:
        page.goto("/?view=upload")
        page.set_input_files("#folder", tmp_path / "folder")
        expect(page.locator("p[role=status]")).to_contain_text("Done, 1 failed", timeout=40_000)
        expect(page.locator(".state.done")).to_have_count(3)
        expect(page.locator("tbody tr >> nth=0")).to_contain_text("folder/bad.jpg")
        listed = httpx.get(f"{url}/v1/assets").json()["assets"]
        assert {one["sources"][0]["path"] for one in listed} >= {"folder/a.txt", "folder/inner/c.txt"}
        page.goto("/?view=jobs")
        page.click('button:has-text("Result") >> nth=0')
        page.wait_for_timeout(3500)
        expect(page.locator("tbody tr >> nth=0")).to_contain_text(re.compile("added 1|no picture|damaged"))
    finally:
        context.close()
        end()


def test_what_waits_is_decided(browser: Browser, served: Served, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", without=(*WITHOUT, "transcript", "speakers", "ocr", "areas"))
    settings = settings.model_copy(update={"policy": tmp_path / "policy.toml"})
    (tmp_path / "policy.toml").write_text('[[rule]]\nlabel = "object:cat"\nleast = 0.3\naction = "review"\n')
    url, end = serve(settings)
    context = browser.new_context(base_url=url)
    page = context.new_page()
    try:
        page.goto("/?view=upload")
        page.set_input_files("#files", served.media / "photos" / "photo-03.png")
        expect(page.locator(".state.done")).to_have_text("searchable", timeout=60_000)
        page.goto("/?view=review")
        page.fill("#who", "Ada")
        shot(page, "11-review")
        page.click("text=Block")
        expect(page.locator(".empty h2")).to_have_text("Nothing to review")
        page.goto("/?q=a+cat")
        expect(page.locator(".empty h2")).to_have_text("Nothing matches")
    finally:
        context.close()
        end()


def test_a_key_is_asked_for_and_kept_from_scripts(browser: Browser, tmp_path: Path) -> None:
    url, end = serve(Settings(data=tmp_path / "data", profile="toy", api_keys=("sesame",)))
    context = browser.new_context(base_url=url)
    page = context.new_page()
    try:
        assert httpx.get(f"{url}/v1/assets").status_code == 401
        assert httpx.post(f"{url}/v1/session", headers={"X-API-Key": "wrong"}).status_code == 401
        assert httpx.get(f"{url}/v1/assets", cookies={"crossmedia": "sesame"}).status_code == 401
        page.goto("/")
        page.fill("#key", "wrong")
        page.click("text=Continue")
        expect(page.locator("dialog")).to_contain_text("not valid")
        page.fill("#key", "sesame")
        page.click("text=Continue")
        expect(page.locator(".empty h2")).to_have_text("Nothing is indexed yet")
        (cookie,) = context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert "sesame" not in cookie["value"]
        assert page.evaluate("document.cookie") == ""
    finally:
        context.close()
        end()


@pytest.mark.network
def test_a_session_changes_nothing_for_a_page_of_another_port(tmp_path: Path) -> None:
    url, end = serve(Settings(data=tmp_path / "data", profile="toy", api_keys=("sesame",)))
    try:
        with httpx.Client(base_url=url) as http:
            assert http.post("/v1/session", headers={"X-API-Key": "sesame"}).status_code == 204
            ask = {"text": "a cat"}
            assert http.get("/v1/assets", headers={"Sec-Fetch-Site": "same-site"}).status_code == 200
            assert http.post("/v1/search", json=ask, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
            assert http.post("/v1/search", json=ask, headers={"Origin": url}).status_code == 200
            assert http.post("/v1/search", json=ask, headers={"Sec-Fetch-Site": "same-site"}).status_code == 401
            assert http.post("/v1/search", json=ask, headers={"Origin": "http://127.0.0.1:1"}).status_code == 401
            foreign = {"Origin": "http://127.0.0.1:1", "X-API-Key": "sesame"}
            assert http.post("/v1/search", json=ask, headers=foreign).status_code == 200
    finally:
        end()


def test_where_words_are_glows_over_the_picture(page: Page, served: Served) -> None:
    [asset] = httpx.get(f"{served.url}/v1/assets", params={"media": "image", "path": "*photo-04.jpg"}).json()["assets"]
    page.goto(f"/?asset={asset['asset']}&q=grass")
    expect(page.locator("#where")).to_have_value("grass")
    answers = [
        {
            "seen": True,
            "words": "grass",
            "place": "left, lower third",
            "box": [0, 0.5, 0.5, 1],
            "heat": [[0, 0], [1, 0]],
        },
        {"seen": False, "words": "grass", "place": None, "box": None, "heat": [[0, 0], [0, 0]]},
    ]
    page.route("**/where?*", lambda route: route.fulfill(json={"chance": 0.8, "moment": "picture", **answers.pop(0)}))
    page.click(".where button")
    expect(page.locator(".where p")).to_have_text("grass: left, lower third (80 %)")
    picture, glow = (page.locator(f".stage .frame > {what}").bounding_box() for what in ("img", "div > canvas"))
    assert picture == glow
    expect(page.locator(".stage .box")).to_have_count(1)
    page.click(".where button")
    expect(page.locator(".where p")).to_have_text("Not seen here: grass")
    expect(page.locator(".stage canvas")).to_have_count(0)
