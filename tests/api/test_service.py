"""The composition root and the jobs of the service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import crossmedia
from crossmedia.api.examples import MAX_EXAMPLE_SECONDS
from crossmedia.api.ingest import Ingest, files_json
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.embeddings.media import Waveform
from crossmedia.embeddings.toy import ToyTranscriber, toy_profile
from crossmedia.indexer.enrichers.registry import pass_names
from crossmedia.indexer.queue import Job, Queue
from crossmedia.indexer.scan import scan
from crossmedia.indexer.worker import JobProgress, Unfinished
from tests.api.helpers import finished, kept, png, settings, upload
from tests.media_makers import tone, write_wav

ALL_BUT_SPEECH = tuple(name for name in pass_names() if name not in ("transcript", "speakers"))


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.api.runtime.load_profile", lambda *_: toy_profile(ToyTranscriber()))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    opened = Service(settings(tmp_path, without=("ocr",)))
    yield opened
    opened.close()


def next_of(jobs: Queue) -> Job:
    job = jobs.claim()
    assert job is not None
    return job


def test_parts_are_built_once_by_any_number_of_threads(tmp_path: Path) -> None:
    for turn in range(10):
        service = Service(settings(tmp_path / str(turn)))
        start = threading.Barrier(6)
        found: list[int] = []

        def ask(
            name: str, service: Service = service, start: threading.Barrier = start, found: list[int] = found
        ) -> None:
            start.wait()
            getattr(service.runtime, name)
            found.append(id(service.runtime.engine))

        threads = [threading.Thread(target=ask, args=(n,), daemon=True) for n in ("profile", "engine", "store") * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(found) == 6
        assert len(set(found)) == 1
        service.close()


def test_examples_have_a_decoder_of_their_own_and_are_heard_for_a_minute(service: Service, tmp_path: Path) -> None:
    def refuse() -> None:
        raise AssertionError("an example waits behind the ingest")

    service.runtime._parts.get("pool", lambda: type("Busy", (), {"submit": refuse, "close": lambda self: None})())
    example = service.searching.example(write_wav(tmp_path / "long.wav", tone(MAX_EXAMPLE_SECONDS + 5)))
    assert isinstance(example.media, Waveform)
    assert example.media.seconds == MAX_EXAMPLE_SECONDS
    assert example.name == "long.wav (the first 60 s of its sound)"
    assert service.searching.example(write_wav(tmp_path / "short.wav", tone(1.0))).name == "short.wav"


@pytest.mark.usefixtures("listening")
def test_enriching_makes_way_for_indexing(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for i in range(3):
        write_wav(folder / f"{i}.wav", tone(1.0, 300 + 100 * i))
    jobs, ingest, stop = service.runtime.jobs, Ingest(service), threading.Event()
    job = jobs.submit("index", {"paths": [str(folder)], "collection": "default"})

    class Interrupting(JobProgress):
        def start(self, step: str, total: int) -> None:
            super().start(step, total)
            self.step = step

        def advance(self, by: float = 1.0) -> None:
            super().advance(by)
            if self.step == "enriching":
                jobs.submit("index", {"paths": [str(folder)], "collection": "default"})

    first = ingest(next_of(jobs), Interrupting(jobs, job.id), stop)
    assert isinstance(first, Unfinished)
    assert first.report is not None
    assert (first.report["added"], first.report["enriched"]) == (3, 1)
    jobs.release(job.id, first.report)
    another = next_of(jobs)
    assert another.id != job.id
    done = ingest(another, JobProgress(jobs, another.id), stop)
    assert not isinstance(done, Unfinished)
    assert (done["unchanged"], done["enriched"]) == (3, 2)
    jobs.finish(another.id, done)
    resumed = next_of(jobs)
    assert resumed.id == job.id
    rest = ingest(resumed, JobProgress(jobs, job.id), stop)
    assert not isinstance(rest, Unfinished)
    assert (rest["added"], rest["enriched"], rest["enrich_failures"]) == (3, 1, [])
    stop.set()
    assert isinstance(ingest(another, JobProgress(jobs, another.id), stop), Unfinished)


@pytest.mark.usefixtures("listening")
def test_a_job_is_done_when_its_speech_is_searchable(tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "tone.wav", tone(1.0)).read_bytes()
    with TestClient(create_app(settings(tmp_path, without=ALL_BUT_SPEECH))) as http:
        assert upload(http, tone_wav=sound)["report"]["enriched"] == 1
        hits = http.post("/v1/search", json={"text": "tone 440", "legs": ["words"]}).json()["hits"]
        assert [(hit["title"], hit["start"]) for hit in hits] == [("tone.wav", 0.0)]
        without = http.post("/v1/assets", files=[("file", ("a.png", png("red")))], data={"without": ["transcript"]})
        assert finished(http, without)["report"]["enriched"] == 0


def test_parts_stay_within_their_folders(service: Service, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
    (outside / "secret.txt").write_text("a secret")
    (inside / "note.txt").write_text("a note")
    files = files_json(list(scan([inside])))
    (inside / "note.txt").unlink()
    (inside / "note.txt").symlink_to(outside / "secret.txt")
    job = service.runtime.jobs.submit("index", {"files": files, "within": [str(inside)], "collection": "default"})
    report = Ingest(service)(
        next_of(service.runtime.jobs), JobProgress(service.runtime.jobs, job.id), threading.Event()
    )
    assert isinstance(report, dict)
    assert (report["added"], report["failed"]) == (0, 0)


def test_uploaded_files_go_with_their_asset_whoever_removes_it(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as http:
        asset = upload(http, red_png=png("red"))["report"]["assets"]["red.png"]
    with crossmedia.open_library(tmp_path / "data", profile="toy") as library:
        library.delete(asset)
    assert kept(tmp_path) == []
