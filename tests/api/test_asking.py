"""Asking over every face: whole, as events, about a picture, by voice; what is refused; summaries; speech."""

from __future__ import annotations

import io
import json
import re
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import crossmedia
from crossmedia.api.espeak import say
from crossmedia.api.server import create_app
from crossmedia.api.settings import Settings
from crossmedia.api.wav import write_wav
from crossmedia.eval.demo.corpus import make
from tests.api.helpers import Run, png, settings, upload

KEPT = ("transcript", "objects", "areas", "descriptions")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asking") / "media"
    make(folder)
    for path in (*(folder / "photos").iterdir(), *(folder / "films").iterdir()):
        if path.name not in ("photo-02.png", "photo-03.png", "film-2.mp4"):
            path.unlink()
    return folder


@pytest.fixture(scope="module")
def library(media: Path, whisper_folder: Path) -> Iterator[crossmedia.Library]:
    from crossmedia.indexer.enrichers.registry import pass_names

    without = [name for name in pass_names() if name not in KEPT]
    with crossmedia.open_library(media.parent / "data", without=without) as library:
        library.index(media)
        yield library


@pytest.fixture(scope="module")
def http(library: crossmedia.Library, media: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(data=media.parent / "data"))) as client:
        yield client


def test_an_answer_cites_the_second(http: TestClient) -> None:
    told = http.post("/v1/ask", json={"question": "what is said about the lighthouse?"}).json()
    assert told["answered"]
    assert "power" in told["answer"]
    first = told["citations"][0]
    assert first["number"] == 1
    assert first["path"].endswith("recording-2.wav")
    assert f"#t={first['start']:.2f}".rstrip("0") in first["link"]
    assert 0.5 <= told["confidence"] <= 1


def test_scopes(http: TestClient, library: crossmedia.Library) -> None:
    film = next(hit for hit in library.search("a cat", media=["video"])["hits"])["asset"]
    assert http.post("/v1/ask", json={"question": "how long is it?", "asset": film}).json()["answer"].startswith("16")
    narrow = {"question": "how many recordings are there?", "filters": {"path": "*recording-1.wav"}}
    assert http.post("/v1/ask", json=narrow).json()["answer"] == "1 recording"
    nothing = http.post("/v1/ask", json={"question": "who is the king of Narnia?", "media": ["image"]}).json()
    assert (nothing["answered"], nothing["answer"]) == (False, "The indexed files do not answer this question.")
    assert all(hit["media"] == "image" for hit in nothing["citations"])


def test_events_come_in_order(http: TestClient) -> None:
    with http.stream(
        "POST", "/v1/ask", json={"question": "are there any cats?"}, headers={"Accept": "text/event-stream"}
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event")]
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data")]
    assert names == ["hits", "delta", "answer"]
    assert data[1]["text"] == data[2]["answer"]
    assert data[0]["citations"] == data[2]["citations"]
    with http.stream(
        "POST", "/v1/ask", json={"question": "is it?", "asset": "0" * 64}, headers={"Accept": "text/event-stream"}
    ) as response:
        told = list(response.iter_lines())
    assert told[0] == "event: error"
    assert json.loads(told[1].removeprefix("data: "))["error"]["code"] == "not_found"


def test_a_picture_is_asked_about_and_kept_nowhere(http: TestClient, media: Path, library: crossmedia.Library) -> None:
    before = http.get("/v1/assets").json()
    photo = media / "photos" / "photo-03.png"
    sent = {"query": (None, json.dumps({"question": "what animal is this?"})), "image": ("p.png", photo.read_bytes())}
    told = http.post("/v1/ask", files=sent).json()
    assert told["answer"] == "cat"
    assert http.get("/v1/assets").json() == before
    assert library.ask("what animal is this?", image=photo)["answer"] == "cat"
    refused = http.post("/v1/ask", files={**sent, "image": ("a.txt", b"no picture, only words")})
    assert refused.status_code == 422
    assert "is not a picture" in refused.json()["error"]["message"]


def test_a_spoken_question(http: TestClient, tmp_path: Path) -> None:
    write_wav(tmp_path / "q.wav", say("Which recording is about a lighthouse?", voice="en-us"))
    told = http.post("/v1/ask", files={"voice": ("q.wav", (tmp_path / "q.wav").read_bytes())}).json()
    assert "lighthouse" in told["question"].lower().replace(" ", "")  # what is said is one word or two
    assert told["answer"].endswith("recording-2.wav")
    write_wav(tmp_path / "silent.wav", say(" "))
    silent = http.post("/v1/ask", files={"voice": ("s.wav", (tmp_path / "silent.wav").read_bytes())})
    assert silent.status_code in (415, 422)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"question": 3}',
        b'{"question": " "}',
        b'{"question": "a", "so": 1}',
        b'{"question": "' + b"a" * 3000 + b'"}',
    ],
)
def test_what_is_no_question_is_refused(http: TestClient, body: bytes) -> None:
    response = http.post("/v1/ask", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "invalid_request"


def test_summaries(http: TestClient, library: crossmedia.Library) -> None:
    film = next(hit for hit in library.search("a cat", media=["video"])["hits"])["asset"]
    told = http.get(f"/v1/assets/{film}/summary").json()
    assert told == library.summary(film)
    assert [chapter["number"] for chapter in told["chapters"]] == [1, 2, 3, 4]
    assert [s["start"] for s in told["sentences"]] == sorted(s["start"] for s in told["sentences"])
    assert http.get(f"/v1/assets/{film}/summary", params={"sentences": 0}).status_code == 422
    photo = next(hit for hit in library.search("a cat", media=["image"])["hits"])["asset"]
    assert any(d["generated"] and "cat" in d["text"] for d in library.summary(photo)["descriptions"])


def test_a_text_is_spoken(http: TestClient) -> None:
    response = http.post("/v1/speak", json={"text": "-v two dogs"})
    assert response.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(response.content)) as wav:
        assert wav.getnframes() / wav.getframerate() > 0.5
    assert http.post("/v1/speak", json={"text": ""}).status_code == 422


def test_what_is_blocked_is_neither_told_nor_cited(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as client:
        (asset,) = upload(client, red_png=png("red"))["report"]["assets"].values()
        assert client.post("/v1/ask", json={"question": "how many photos are there?"}).json()["answer"] == "1 picture"
        client.post(f"/v1/review/{asset}", json={"action": "block", "by": "Ada"})
        assert client.post("/v1/ask", json={"question": "how many photos are there?"}).json()["answer"] == "0 pictures"
        assert client.post("/v1/ask", json={"question": "what is it?", "asset": asset}).status_code == 403
        assert client.get(f"/v1/assets/{asset}/summary").status_code == 403


def test_from_the_command_line(
    run: Run, environment: dict[str, str], library: crossmedia.Library, media: Path, tmp_path: Path
) -> None:
    environment["CROSSMEDIA_PROFILE"] = "builtin"
    shutil.copytree(media.parent / "data", tmp_path / "data")
    told = json.loads(run("ask", "are there any cats?", "--json").stdout)
    assert told["answer"] == "yes"
    assert (
        "recording-2.wav" in run("ask", "what is said about the lighthouse?", "--speak", str(tmp_path / "a.wav")).stdout
    )
    assert (tmp_path / "a.wav").read_bytes()[:4] == b"RIFF"
    lines = run("summary", str(media / "recordings" / "recording-3.wav")).stdout.splitlines()
    assert len(lines) >= 2
    assert all(re.match(r"0:\d\d \w", line) for line in lines)
    assert any(word in lines[0] for word in ("wheel", "tube", "patch"))
    assert "no question" in run("ask", code=2).stderr


def test_the_client_asks_too(http: TestClient, media: Path) -> None:
    client = crossmedia.Client("http://testserver")
    client._http = http  # type: ignore[assignment]
    assert client.ask("are there any cats?")["answer"] == "yes"
    assert client.ask("what animal is this?", image=media / "photos" / "photo-03.png")["answer"] == "cat"
