"""Files into the store, with encoders that need no weights."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from crossmedia.embeddings.encoder import Encoding
from crossmedia.embeddings.media import Medium
from crossmedia.embeddings.toy import ToyText, ToyTranscriber, toy_profile
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrich import EnrichPass
from crossmedia.indexer.enrichers.transcript import TranscriptEnricher
from crossmedia.indexer.pipeline import Pipeline
from crossmedia.indexer.report import FileOutcome
from crossmedia.indexer.scan import PathMissing, ScannedFile, scan, shares
from crossmedia.retrieval.documents import Asset, Enrichment, Moment
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Query
from tests.media_makers import tone, write_pdf, write_picture, write_sound, write_video, write_wav


@pytest.fixture
def pipeline(store: LocalStore, pool: DecodePool) -> Pipeline:
    return Pipeline(store, toy_profile(), pool)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "deep").mkdir(parents=True)
    write_picture(folder / "a.png", seed=1)
    write_picture(folder / "deep" / "b.jpg", seed=2)
    write_wav(folder / "tone.wav", tone(2.0))
    (folder / "note.md").write_text("# Harbour\n\nThe red boats come home in the evening.")
    write_pdf(folder / "paper.pdf", [["First page about whales."], ["Second page about otters."]])
    return folder


def run(pipeline: Pipeline, folder: Path) -> dict[str, int]:
    return {k: v for k, v in pipeline.index(list(scan([folder]))).counts.items() if v}


def test_every_medium_goes_in_and_a_second_run_reads_nothing(
    pipeline: Pipeline, store: LocalStore, media: Path
) -> None:
    told: list[FileOutcome] = []
    report = pipeline.index(list(scan([media])), told.append)
    assert report.counts["added"] == 5
    assert {o.path for o in told} == {
        str(media / n) for n in ("a.png", "deep/b.jpg", "tone.wav", "note.md", "paper.pdf")
    }
    assert store.statistics().assets == {"audio": 1, "image": 2, "text": 2}
    assert run(pipeline, media) == {"unchanged": 5}
    assert store.verify() == []


def test_moments_carry_what_a_hit_needs(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    report = pipeline.index(list(scan([media])))
    paper = store.moments(report.assets[str(media / "paper.pdf")])
    assert [(m.kind, m.page) for m in paper] == [("paragraph", 1), ("paragraph", 2)]
    assert "otters" in paper[1].fields["text"]
    [picture] = store.moments(report.assets[str(media / "a.png")])
    assert picture.labels
    assert picture.labels[0].kind == "scene"
    thumbnail = store.thumbnail(picture.id)
    assert thumbnail is not None
    assert thumbnail.startswith(b"\xff\xd8")
    [sound] = store.moments(report.assets[str(media / "tone.wav")])
    assert (sound.kind, sound.start, sound.end) == ("sound", 0.0, 2.0)
    described = store.asset(report.assets[str(media / "note.md")])
    assert described is not None
    assert described.title == "Harbour"
    assert described.captured is not None
    assert described.metadata["date_from"] == "file time"


def test_a_date_in_the_name_is_when_it_was_taken(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    path = write_picture(media / "IMG_20150102_030405.jpg", seed=9)
    described = store.asset(pipeline.index(scan([path])).assets[str(path)])
    assert described is not None
    assert (described.captured, described.metadata["date_from"]) == ("2015-01-02T03:04:05", "name")


def test_same_bytes_are_one_asset_with_two_paths(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    shutil.copy(media / "a.png", media / "z-copy.png")
    assert run(pipeline, media) == {"added": 5, "copied": 1}
    shutil.copy(media / "a.png", media / "later.png")
    assert run(pipeline, media) == {"unchanged": 6, "copied": 1}
    [asset] = {x.asset for x in store.located() if x.source.path.endswith(("a.png", "z-copy.png", "later.png"))}
    assert len(store.sources(asset)) == 3
    assert store.verify() == []


def test_moved_file_keeps_its_asset(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    before = pipeline.index(list(scan([media]))).assets[str(media / "a.png")]
    (media / "a.png").rename(media / "deep" / "moved.png")
    assert run(pipeline, media) == {"moved": 1, "unchanged": 4}
    assert [s.path for s in store.sources(before)] == [str(media / "deep" / "moved.png")]
    assert pipeline.gone([media]) == []


def test_changed_file_is_read_again(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    old = pipeline.index(list(scan([media]))).assets[str(media / "note.md")]
    (media / "note.md").write_text("# Harbour\n\nNow about lighthouses.")
    assert run(pipeline, media) == {"added": 1, "unchanged": 4}
    assert store.asset(old) is None
    assert store.statistics().sources == 5


def test_thousands_of_files_may_be_named(pipeline: Pipeline, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(1500):
        (folder / f"{n}.txt").write_text(f"note {n}")
    named = sorted(folder.iterdir())
    assert pipeline.index(list(scan(named))).counts["added"] == 1500
    assert pipeline.gone(named) == []
    for path in named[:1200]:
        path.unlink()
    assert {source.location for source in pipeline.gone(named)} == {str(path.resolve()) for path in named[:1200]}


def test_gone_file_is_reported_and_pruned(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    asset = pipeline.index(list(scan([media]))).assets[str(media / "tone.wav")]
    (media / "tone.wav").unlink()
    gone = pipeline.gone([media])
    assert [s.path for s in gone] == [str(media / "tone.wav")]
    assert store.asset(asset) is not None
    assert pipeline.prune(gone) == [asset]
    assert store.verify() == []


def test_bad_files_fail_alone(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    (media / "empty.jpg").touch()
    (media / "text.jpg").write_text("I am no picture")
    (media / "cut.png").write_bytes((media / "a.png").read_bytes()[:200])
    (media / "junk.bin").write_bytes(bytes(range(256)) * 20)
    report = pipeline.index(list(scan([media])))
    assert report.counts["added"] == 5
    failed = {Path(o.path).name: o.error for o in report.failed}
    assert set(failed) == {"empty.jpg", "text.jpg", "cut.png", "junk.bin"}
    assert all(error and error.message and error.code for error in failed.values())
    assert store.statistics().sources == 5
    assert store.verify() == []


def test_stopping_keeps_what_was_told(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    stop = threading.Event()
    told: list[FileOutcome] = []

    def tell(outcome: FileOutcome) -> None:
        told.append(outcome)
        stop.set()

    for i in range(150):
        write_picture(media / f"p{i}.png", seed=100 + i, width=16, height=16)
    pipeline.index(list(scan([media])), tell, stop)
    assert 0 < len(told) < 155
    assert {x.source.path for x in store.located()} == {o.path for o in told}
    assert run(pipeline, media)["unchanged"] == len(told)


def test_enrich_pass_is_resumable_and_makes_speech_searchable(
    pipeline: Pipeline, store: LocalStore, pool: DecodePool, media: Path
) -> None:
    pipeline.index(list(scan([media])))
    engine = Engine(store, toy_profile())
    assert engine.search(Query(texts=("tone 440",), legs=("words",))).hits == ()
    enricher = TranscriptEnricher(ToyTranscriber(), toy_profile().text)
    run_ = EnrichPass(store, pool, [enricher])
    assert len(run_.pending()) == 1
    assert run_.run().done == 1
    assert run_.pending() == []
    [hit] = engine.search(Query(texts=("tone 440",), legs=("words",))).hits
    assert (hit.start, hit.end) == (0.0, 2.0)
    assert hit.evidence[0].start is not None


def test_enriching_what_is_gone_fails_softly_and_stays_pending(
    pipeline: Pipeline, store: LocalStore, pool: DecodePool, media: Path
) -> None:
    pipeline.index(list(scan([media])))
    (media / "tone.wav").unlink()
    run_ = EnrichPass(store, pool, [TranscriptEnricher(ToyTranscriber(), toy_profile().text)])
    [failed] = run_.run().failed
    assert failed.error is not None
    assert failed.error.code == "source_gone"
    assert len(run_.pending()) == 1


def test_scan(media: Path, tmp_path: Path) -> None:
    (media / ".hidden").mkdir()
    write_picture(media / ".hidden" / "x.png")
    (media / "loop").symlink_to(media)
    (media / "broken").symlink_to(tmp_path / "nowhere")
    names = {f.path for f in scan([media, media / "a.png"], besides=[media / "deep"])}
    assert names == {str(media / n) for n in ("a.png", "tone.wav", "note.md", "paper.pdf")}
    with pytest.raises(PathMissing):
        list(scan([media / "none"]))


def test_name_that_is_no_text_fails_alone(pipeline: Pipeline, media: Path) -> None:
    (Path(os.fsdecode(os.fsencode(media) + b"/caf\xe9.txt"))).write_text("words")
    report = pipeline.index(list(scan([media])))
    assert report.counts["added"] == 5
    [failed] = report.failed
    assert failed.error is not None
    assert failed.error.code == "bad_file_name"
    failed.path.encode()


def test_file_without_content_is_found_by_its_name(pipeline: Pipeline, store: LocalStore, media: Path) -> None:
    write_pdf(media / "scanned-invoice.pdf", [[]])
    pipeline.index(list(scan([media])))
    [hit] = Engine(store, toy_profile()).search(Query(texts=("scanned invoice",), legs=("words",))).hits
    assert hit.title == "scanned-invoice.pdf"


def test_copy_of_what_is_deleted_meanwhile_is_read_again(
    pipeline: Pipeline, store: LocalStore, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = pipeline.index(list(scan([media]))).assets[str(media / "a.png")]
    shutil.copy(media / "a.png", media / "copy.png")
    known = store.placed

    def vanishing(wanted: Sequence[str]) -> object:
        found = known(wanted)
        store.delete(wanted)
        return found

    monkeypatch.setattr(store, "placed", vanishing)
    report = pipeline.index(list(scan([media / "copy.png"])))
    assert report.counts["added"] == 1
    assert report.assets[str(media / "copy.png")] == asset
    assert store.verify() == []


def test_encoder_that_fails_on_one_file_fails_that_file(store: LocalStore, pool: DecodePool, media: Path) -> None:
    class Fragile(ToyText):
        def encode(self, batch: Sequence[str]) -> Encoding:
            if any("red boats" in text for text in batch):
                raise RuntimeError("no boats")
            return super().encode(batch)

    fragile = Pipeline(store, replace(toy_profile(), text=Fragile()), pool)
    report = fragile.index(list(scan([media])))
    assert report.counts["added"] == 4
    assert [o.error.code for o in report.failed if o.error] == ["encoding_failed"]


def test_enricher_that_raises_fails_one_asset(
    pipeline: Pipeline, store: LocalStore, pool: DecodePool, media: Path
) -> None:
    class Fragile:
        name, model = "fragile", "1"
        accepts: tuple[Medium, ...] = ("image", "audio")
        after: tuple[str, ...] = ()
        hears = False

        def enrich(
            self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
        ) -> Enrichment:
            if asset.title == "a.png":
                raise RuntimeError("no")
            return Enrichment(asset.id, self.name, self.model)

    pipeline.index(list(scan([media])))
    run_ = EnrichPass(store, pool, [Fragile()])
    report = run_.run()
    assert report.done == 2
    assert [e.error.code for e in report.failed if e.error] == ["enricher_failed"]
    assert run_.pending() == []


def test_what_reads_another_enrichers_moments_runs_again_after_it(
    pipeline: Pipeline, store: LocalStore, pool: DecodePool, media: Path
) -> None:
    seen: list[list[str]] = []

    class Counting:
        name, model = "counting", "1"
        accepts: tuple[Medium, ...] = ("audio",)
        after: tuple[str, ...] = ("transcript",)
        hears = True

        def enrich(
            self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
        ) -> Enrichment:
            seen.append([moment.kind for moment in moments])
            return Enrichment(asset.id, self.name, self.model)

    pipeline.index(list(scan([media])))
    EnrichPass(store, pool, [Counting()]).run()
    assert seen == [["sound"]]
    both = EnrichPass(store, pool, [TranscriptEnricher(ToyTranscriber(), toy_profile().text), Counting()])
    assert [[enricher.name for enricher in enrichers] for _, enrichers in both.pending()] == [
        ["transcript", "counting"]
    ]
    both.run()
    assert seen[1:] == [["sound", "speech"]]
    assert both.pending() == []


def test_progress_counts_seconds_of_media(pipeline: Pipeline, store: LocalStore, pool: DecodePool, media: Path) -> None:
    pipeline.index(list(scan([media])))
    planned: list[int] = []
    steps: list[float] = []
    EnrichPass(store, pool, [TranscriptEnricher(ToyTranscriber(), toy_profile().text)]).run(
        plan=planned.append, advance=steps.append
    )
    assert planned == [2]
    assert sum(steps) == 2
    assert all(step > 0 for step in steps)


def test_the_report_tells_which_stretch_was_lost(pipeline: Pipeline, media: Path) -> None:
    path = write_sound(media / "talk.flac", tone(20), "flac")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = b"\x55" * (len(data) // 20)
    path.write_bytes(data)
    report = pipeline.index(list(scan([path])))
    assert report.counts["added"] == 1
    [told] = report.as_dict()["warnings"]
    assert told["path"] == str(path)
    assert re.fullmatch(r"the sound from [\d.]+ to [\d.]+ s is damaged and was left out", told["warnings"][0])


def test_listening_to_a_video_decodes_its_sound_only(pipeline: Pipeline, store: LocalStore, tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    write_video(films / "loud.mp4", [(1, 2), (2, 2)], sound=tone(4))
    write_video(films / "mute.mp4", [(3, 2)])
    report = pipeline.index(list(scan([films])))
    decoded: list[tuple[str, str]] = []

    class Watching:
        accepts: tuple[Medium, ...] = ("video",)
        after: tuple[str, ...] = ()
        model = "1"

        def __init__(self, hears: bool) -> None:
            self.hears = hears
            self.name = "ear" if hears else "eye"

        def enrich(
            self, asset: Asset, decoded_: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
        ) -> Enrichment:
            decoded.append((asset.title, type(decoded_.content).__name__))
            return Enrichment(asset.id, self.name, self.model)

    with DecodePool(1) as pool:
        done = EnrichPass(store, pool, [Watching(True), Watching(False)]).run()
        assert sorted(decoded) == [
            ("loud.mp4", "Clip"),
            ("loud.mp4", "Waveform"),
            ("mute.mp4", "Clip"),
            ("mute.mp4", "Waveform"),
        ]
        assert (done.done, done.failed) == (2, [])
        listening = EnrichPass(store, pool, [TranscriptEnricher(ToyTranscriber(), toy_profile().text)]).run()
        assert (listening.done, listening.failed) == (2, [])
    spoken = {
        title: {m.kind for m in store.moments(report.assets[str(films / title)])} for title in ("loud.mp4", "mute.mp4")
    }
    assert "speech" in spoken["loud.mp4"]
    assert "speech" not in spoken["mute.mp4"]


def test_shares_are_bounded_and_keep_the_order(tmp_path: Path) -> None:
    found = [ScannedFile(tmp_path / str(n), str(n), size, 0) for n, size in enumerate((1, 1, 1, 9, 2, 20, 1))]
    made = shares(found, 3, 10)
    assert [[f.size for f in share] for share in made] == [[1, 1, 1], [9], [2], [20], [1]]
    assert [f for share in made for f in share] == found
    assert shares([], 3, 10) == []
