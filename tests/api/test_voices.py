"""Voices and transcripts through every face, with toy voices: a person is a pitch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import crossmedia
from crossmedia.api.cli import app
from crossmedia.api.server import create_app
from crossmedia.embeddings.toy import ToyTranscriber, toy_profile
from tests.api.helpers import settings
from tests.media_makers import tone, write_picture, write_video, write_wav

LOW, HIGH = 220.0, 900.0


def said(*parts: tuple[float, float]) -> np.ndarray:
    """(pitch, seconds) one after the other with a pause of half a second."""
    pause = np.zeros(8_000, dtype=np.float32)
    return np.concatenate([piece for hertz, seconds in parts for piece in (tone(seconds, hertz), pause)])


@pytest.fixture(autouse=True)
def _listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.embeddings.toy.toy_profile", lambda: toy_profile(ToyTranscriber()))


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    folder = tmp_path / "talks"
    folder.mkdir()
    write_wav(folder / "both.wav", said((LOW, 4), (HIGH, 3), (LOW, 2)))
    write_wav(folder / "high.wav", said((HIGH, 4)))
    write_picture(folder / "a.png", seed=1)
    return folder


@pytest.fixture
def library(tmp_path: Path, talks: Path) -> Iterator[crossmedia.Library]:
    with crossmedia.open_library(tmp_path / "data", profile="toy", decode_workers=1) as opened:
        opened.index(talks, without=["ocr"])
        yield opened


def test_one_voice_in_two_recordings_has_one_name(library: crossmedia.Library) -> None:
    first, second = library.voices()
    assert sorted((v["turns"], v["assets"]) for v in (first, second)) == [(2, 1), (2, 2)]
    assert sum(v["seconds"] for v in (first, second)) == pytest.approx(13, abs=1)
    assert first["link"] == f"/v1/assets/{first['asset']}/content#t=0,4"
    high = next(v for v in (first, second) if v["assets"] == 2)
    library.name_voice(high["name"], "Ada")
    hits = library.search("tone 900", fold=False, filters={"labels": [{"kind": "speaker", "value": "ada"}]})["hits"]
    assert {hit["title"] for hit in hits} == {"both.wav", "high.wav"}
    with pytest.raises(crossmedia.CrossmediaError) as error:
        library.name_voice("nobody", "x")
    assert error.value.code == "not_found"


def test_a_name_is_kept_for_recordings_that_come_later(library: crossmedia.Library, tmp_path: Path) -> None:
    high = next(v for v in library.voices() if v["assets"] == 2)
    library.name_voice(high["name"], "Ada")
    more = write_wav(tmp_path / "more.wav", said((HIGH + 10, 3)))
    library.index(more, without=["ocr"])
    assert {v["name"]: v["assets"] for v in library.voices()}["Ada"] == 3


def test_voices_are_merged(library: crossmedia.Library) -> None:
    names = [voice["name"] for voice in library.voices()]
    library.merge_voices(names, "Everybody")
    [voice] = library.voices()
    assert (voice["name"], voice["turns"], voice["assets"]) == ("Everybody", 4, 2)
    with pytest.raises(crossmedia.CrossmediaError) as error:
        library.name_voice("Everybody", "  ")
    assert error.value.code == "bad_name"


def test_query_by_voice_finds_every_turn_of_it(library: crossmedia.Library, tmp_path: Path) -> None:
    asked = write_wav(tmp_path / "who.wav", said((HIGH, 2)))
    hits = library.search(files=[asked], legs=["voice"])["hits"]
    assert {(hit["title"], round(hit["start"])) for hit in hits} == {("both.wav", 4), ("high.wav", 0)}
    assert all(evidence["leg"] == "voice" for hit in hits for evidence in hit["evidence"])
    # What is said and how it sounds is asked for otherwise; a voice has no part in it.
    legs = {e["leg"] for hit in library.search(files=[asked], min_relevance=0)["hits"] for e in hit["evidence"]}
    assert legs
    assert "voice" not in legs
    silent = write_wav(tmp_path / "silence.wav", np.zeros(16_000, dtype=np.float32))
    answer = library.search(files=[silent], legs=["voice"])
    assert (list(answer["hits"]), list(answer["notes"])) == ([], ["silence.wav: no speech in it"])


def test_two_recordings_are_compared(library: crossmedia.Library, talks: Path, tmp_path: Path) -> None:
    low = write_wav(tmp_path / "low.wav", said((LOW, 3)))
    same = library.verify_voices(talks / "high.wav", talks / "high.wav")
    other = library.verify_voices(talks / "high.wav", low)
    assert (same["same"], other["same"]) == (True, False)
    assert same["probability"] > 0.9 > 0.1 > other["probability"]
    with pytest.raises(crossmedia.CrossmediaError) as error:
        library.verify_voices(talks / "a.png", low)
    assert error.value.code == "nobody_speaks"


def test_transcripts_name_who_speaks(library: crossmedia.Library) -> None:
    asset = next(v for v in library.voices() if v["assets"] == 1)["asset"]
    told = library.transcript(asset)
    assert isinstance(told, dict)
    assert [s["text"] for s in told["sentences"]] == ["tone 220", "tone 900", "tone 220"]
    who = [s["speaker"] for s in told["sentences"]]
    assert who[0] == who[2] != who[1]
    vtt = library.transcript(asset, "vtt")
    assert isinstance(vtt, str)
    assert f"<v {who[0]}>tone 220" in vtt


def test_over_http(tmp_path: Path, talks: Path) -> None:
    with TestClient(create_app(settings(tmp_path, without=("ocr",), roots=(str(talks),)))) as http:
        from tests.api.helpers import finished

        finished(http, http.post("/v1/assets", json={"path": str(talks)}))
        voices = http.get("/v1/voices").json()["voices"]
        assert len(voices) == 2
        name = voices[0]["name"]
        assert http.put(f"/v1/voices/{name}", json={"name": "Ada / Bo"}).json()["name"] == "Ada / Bo"
        taken = http.put(f"/v1/voices/{voices[1]['name']}", json={"name": "ada / bo"})
        assert (taken.status_code, taken.json()["error"]["code"]) == (409, "name_taken")
        assert http.put("/v1/voices/Ada%20%2F%20Bo", json={"name": "Ada"}).status_code == 200
        merged = http.post("/v1/voices/merge", json={"voices": ["Ada", voices[1]["name"]]})
        assert merged.json()["name"] == "Ada"
        parts = [("file", (name, (talks / name).read_bytes())) for name in ("both.wav", "high.wav")]
        assert set(http.post("/v1/voices/verify", files=parts).json()) == {"probability", "similarity", "same", "model"}
        assert http.post("/v1/voices/verify", files=parts[:1]).status_code == 422
        content = f"/v1/assets/{voices[0]['asset']}"
        shown = http.get(f"{content}/transcript", params={"format": "srt"})
        assert shown.headers["content-type"].startswith("application/x-subrip")
        assert shown.text.startswith("1\n00:00:00,000 --> ")
        assert http.get(f"{content}/transcript").json()["sentences"][0]["speaker"] == "Ada"
        assert http.get(f"{content}/transcript", params={"format": "doc"}).status_code == 422
        picture = next(a for a in http.get("/v1/assets").json()["assets"] if a["media"] == "image")["asset"]
        assert http.get(f"/v1/assets/{picture}/transcript").json()["error"]["code"] == "no_transcript"
        for missing in ("preview", "motion"):
            assert http.get(f"/v1/assets/{picture}/{missing}").status_code == 404


def test_on_the_command_line(tmp_path: Path, talks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSMEDIA_PROFILE", "toy")
    monkeypatch.setenv("CROSSMEDIA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CROSSMEDIA_DECODE_WORKERS", "1")

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, result.output
        return result.output

    run("index", str(talks), "--without", "ocr")
    voices: list[dict[str, Any]] = json.loads(run("voices", "list", "--json"))["voices"]
    assert len(voices) == 2
    run("voices", "name", voices[0]["name"], "Ada")
    assert "Ada" in run("voices", "list")
    found = json.loads(run("search", "--voice", str(talks / "high.wav"), "--json"))["hits"]
    assert {hit["title"] for hit in found} == {"both.wav", "high.wav"}
    run("search", "words", "--voice", str(talks / "high.wav"), code=2)
    assert "the same voice" in run("voices", "verify", str(talks / "high.wav"), str(talks / "high.wav"))
    assert run("transcript", voices[0]["asset"][:12], "--format", "vtt").startswith("WEBVTT\n")
    run("voices", "merge", "Ada", voices[1]["name"], "--into", "All")
    assert [v["name"] for v in json.loads(run("voices", "list", "--json"))["voices"]] == ["All"]
    run("voices", "name", "Ada", "x", code=1)


def test_a_video_has_a_preview_a_motion_curve_and_a_link_to_the_second(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    write_video(folder / "film.mp4", [(1, 3), (2, 4)], sound=said((LOW, 3), (HIGH, 3)))
    with TestClient(create_app(settings(tmp_path, without=("ocr",), roots=(str(folder),)))) as http:
        from tests.api.helpers import finished

        finished(http, http.post("/v1/assets", json={"path": str(folder)}))
        [film] = http.get("/v1/assets").json()["assets"]
        preview = http.get(f"/v1/assets/{film['asset']}/preview")
        assert (preview.headers["content-type"], preview.content[:4]) == ("image/webp", b"RIFF")
        curve = http.get(f"/v1/assets/{film['asset']}/motion").json()
        assert len(curve["times"]) == len(curve["energy"]) > 1
        assert all(0 <= energy <= 1 for energy in curve["energy"])
        [hit, *_] = http.post("/v1/search", json={"text": "tone 900", "legs": ["words"]}).json()["hits"]
        assert hit["link"].startswith(f"/v1/assets/{film['asset']}/content#t=3.5,")
        assert hit["evidence"][0]["moment"].endswith("-speech1")
        filtered = {"text": "tone", "filters": {"labels": [{"kind": "motion", "value": "low"}]}, "min_relevance": 0}
        found = http.post("/v1/search", json=filtered).json()["hits"]
        assert found
        assert all("-shot" in hit["moment"] or "-frame" in hit["moment"] for hit in found)
