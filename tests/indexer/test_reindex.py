"""Vectors made anew: by heads, by other models; stopped, killed and gone on with."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.align import TO, Head, Residual, apply_heads
from crossmedia.embeddings.encoder import COMMON, UNALIGNED, Encoding, Space, Vector
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.toy import PICTURE, TEXT, ToyPicture, ToyText, ToyTranscriber, ToyVoice, toy_profile
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.enrich import EnrichPass
from crossmedia.indexer.enrichers.object_crops import ObjectCropsEnricher, around
from crossmedia.indexer.enrichers.speakers import SpeakersEnricher
from crossmedia.indexer.enrichers.transcript import TranscriptEnricher
from crossmedia.indexer.pipeline import Pipeline
from crossmedia.indexer.reindex import Reindex, ReindexReport
from crossmedia.indexer.scan import scan
from crossmedia.retrieval.documents import Enrichment, Label, Patch
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import SpaceMismatch
from tests.media_makers import tone, write_picture, write_video, write_wav

TOY = toy_profile(ToyTranscriber())


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    for n in range(3):
        write_picture(folder / f"{n}.png", seed=n)
    write_wav(folder / "tone.wav", tone(2.0))
    write_video(folder / "film.mp4", [(1, 1.5), (2, 1.5)], sound=tone(3.0))
    (folder / "note.txt").write_text("The red boats come home in the evening.")
    return folder


@pytest.fixture
def store(tmp_path: Path, media: Path, pool: DecodePool) -> Iterator[LocalStore]:
    """A collection of six files by the toy models, with transcripts and with writing found in a picture."""
    store = LocalStore(tmp_path / "data")
    store.bind(TOY.spaces.values())
    assert Pipeline(store, TOY, pool).index(list(scan([media]))).counts["added"] == 6
    EnrichPass(store, pool, [TranscriptEnricher(ToyTranscriber(), TOY.text)]).run()
    picture = next(m for m in everything(store) if m.endswith("-picture0"))
    words = TOY.text.encode(["exit"]).vectors["text"][0]
    written = Patch(picture, fields={"ocr": "exit"}, vectors={"text": words})
    store.enrich([Enrichment(picture.split("-")[0], "ocr", "1", patches=(written,), spaces=TOY.text.spaces)])
    yield store
    store.close()


def head(name: str, seed: int = 0) -> Head:
    size, rng = PICTURE.dim + 64, np.random.default_rng(seed)
    matrix = rng.standard_normal((size, 64)).astype(np.float32)
    near = rng.standard_normal((4, PICTURE.dim)).astype(np.float32)
    residual = Residual(np.zeros(size, np.float32), matrix, near, -9.0, -8.0, 1.0)
    return Head(name, "picture", PICTURE, TOY.spaces[COMMON], residual)


def everything(store: LocalStore) -> dict[str, dict[str, Vector]]:
    """Moment → space → vector."""
    found: dict[str, dict[str, Vector]] = {}
    ids = [m.id for asset in store.assets(Filters(), 100) for m in store.moments(asset.id)]
    for space in (COMMON, UNALIGNED, "picture", "sound", "text"):
        for moment, vector in store.vectors(space, ids).items():
            found.setdefault(moment, {})[space] = vector
    return found


def same(one: dict[str, dict[str, Vector]], other: dict[str, dict[str, Vector]]) -> bool:
    return one.keys() == other.keys() and all(
        one[m].keys() == other[m].keys() and all(np.array_equal(one[m][s], other[m][s]) for s in one[m]) for m in one
    )


def run(store: LocalStore, base: Profile, heads: Sequence[Head], pool: DecodePool, **options: object) -> ReindexReport:
    return Reindex(store, base, heads, pool).run(**options)  # type: ignore[arg-type]


def test_a_head_maps_what_is_stored_and_comes_off_again(store: LocalStore, media: Path, pool: DecodePool) -> None:
    before, signs = everything(store), head("signs")
    for path in media.iterdir():
        path.rename(path.with_suffix(".away"))  # nothing may need the files
    told: list[int] = []
    report = run(store, TOY, [signs], pool, plan=told.append, tell=told.append)
    assert (report.assets, report.decoded, report.lost, report.failed) == (6, 0, 0, [])
    assert told == [6, 6]
    assert store.spaces()[COMMON].revision == f"1+align:{signs.id}"
    after = everything(store)
    pictures = {m for m in before if "picture" in before[m]}
    assert report.moments == len(pictures) == 5
    for moment, had in before.items():
        if moment in pictures:
            expected = signs.common_vectors(had["picture"][None], had[COMMON][None])[0]
            assert np.allclose(after[moment][COMMON], expected, atol=1e-6)
            assert np.array_equal(after[moment][UNALIGNED], had[COMMON])
            assert not np.allclose(after[moment][COMMON], had[COMMON])
            if "text" in had:
                assert np.array_equal(after[moment]["text"], had["text"])
        else:
            assert same({moment: had}, {moment: after[moment]})
    assert store.verify() == []
    store.bind(apply_heads(TOY, [signs]).spaces.values())
    with pytest.raises(SpaceMismatch) as refused:
        store.bind(TOY.spaces.values())
    assert refused.value.remedy == "reindex"
    assert run(store, TOY, [signs], pool).assets == 0  # nothing to do

    other = head("other", seed=5)
    run(store, TOY, [other], pool)
    moved = everything(store)
    for moment in pictures:
        expected = other.common_vectors(before[moment]["picture"][None], before[moment][COMMON][None])[0]
        assert np.allclose(
            moved[moment][COMMON], expected, atol=1e-6
        )  # from what was there at first, not from the first head's
    run(store, TOY, [], pool)
    assert same(everything(store), before)
    assert store.verify() == []


def test_what_is_far_from_the_pairs_is_not_written(store: LocalStore, pool: DecodePool) -> None:
    before, signs = everything(store), head("signs")
    closed = replace(signs, residual=replace(signs.residual, low=2.0, high=3.0))
    report = run(store, TOY, [closed], pool)
    assert (report.assets, report.moments) == (6, 0)
    assert same(everything(store), before)
    run(store, TOY, [signs], pool)
    assert not same(everything(store), before)


def test_searches_follow_at_once(store: LocalStore, pool: DecodePool) -> None:
    picture = next(m for m, had in everything(store).items() if "picture" in had)
    store.search_vectors(COMMON, "picture", everything(store)[picture][COMMON], 5, Filters())
    run(store, TOY, [head("signs")], pool)
    near = store.search_vectors(COMMON, "picture", everything(store)[picture][COMMON], 5, Filters())
    assert near[0].moment == picture
    assert near[0].similarity == pytest.approx(1, abs=1e-5)
    assert len(near) == len({n.moment for n in near}) == 5


def test_what_is_indexed_afterwards_goes_through_the_head(store: LocalStore, media: Path, pool: DecodePool) -> None:
    signs = head("signs")
    run(store, TOY, [signs], pool)
    write_picture(media / "new.png", seed=9)
    profile = apply_heads(TOY, [signs])
    assert Pipeline(store, profile, pool).index(list(scan([media]))).counts["added"] == 1
    kept = everything(store)
    run(store, TOY, [], pool)
    back = everything(store)
    [new] = [
        m
        for m in kept
        if UNALIGNED in kept[m] and m.endswith("picture0") and np.array_equal(back[m][COMMON], kept[m][UNALIGNED])
    ][-1:]
    assert not np.allclose(kept[new][COMMON], back[new][COMMON])
    assert UNALIGNED not in back[new]
    stale = Pipeline(store, profile, pool)
    write_picture(media / "late.png", seed=10)
    with pytest.raises(SpaceMismatch):
        stale.index(list(scan([media])))  # an index run that was on its way with the old head


def test_killed_anywhere_it_goes_on(store: LocalStore, pool: DecodePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after every transaction: each asset has old or new vectors, nothing searches, and a second run ends
    as one would."""
    monkeypatch.setattr("crossmedia.indexer.reindex.ASSETS_PER_TRANSACTION", 2)
    before, signs = everything(store), head("signs")
    run(store, TOY, [signs], pool)
    wanted = everything(store)
    run(store, TOY, [], pool)
    genuine = {name: getattr(LocalStore, name) for name in ("rebind", "revise")}
    for nth in range(1, 6):
        for late in (False, True):
            calls = 0

            def dying(name: str, nth: int = nth, late: bool = late):  # type: ignore[no-untyped-def]
                def call(self: LocalStore, values: object) -> None:
                    nonlocal calls
                    calls += 1
                    if calls == nth and not late:
                        raise KeyboardInterrupt
                    genuine[name](self, values)
                    if calls == nth:
                        raise KeyboardInterrupt

                return call

            for name in genuine:
                monkeypatch.setattr(LocalStore, name, dying(name))
            with pytest.raises(KeyboardInterrupt):
                run(store, TOY, [signs], pool)
            for name, method in genuine.items():
                monkeypatch.setattr(LocalStore, name, method)
            now = everything(store)
            for moment in now:
                assert same({moment: now[moment]}, {moment: before[moment]}) or same(
                    {moment: now[moment]}, {moment: wanted[moment]}
                )
            if TO in store.spaces()[COMMON].revision:
                for profile in (TOY, apply_heads(TOY, [signs])):
                    with pytest.raises(SpaceMismatch):
                        store.bind(profile.spaces.values())
            assert run(store, TOY, [signs], pool).finished
            assert same(everything(store), wanted)
            run(store, TOY, [], pool)
            assert same(everything(store), before)


def test_stopped_half_way_another_way_may_be_taken(
    store: LocalStore, pool: DecodePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.indexer.reindex.ASSETS_PER_TRANSACTION", 2)
    before, stop = everything(store), threading.Event()
    report = run(store, TOY, [head("signs")], pool, stop=stop, tell=lambda count: stop.set())
    assert (report.finished, report.assets) == (False, 2)
    again = run(store, TOY, [head("signs")], pool)
    assert (again.finished, again.assets) == (True, 4)
    stop.clear()
    run(store, TOY, [head("other", 3)], pool, stop=stop, tell=lambda count: stop.set())
    assert run(store, TOY, [], pool).finished
    assert same(everything(store), before)


class NextPicture(ToyPicture):
    """The toy picture encoder of a later version, of another dimension, whose vectors are others."""

    spaces = (replace(ToyPicture.spaces[0], revision="2"), Space("picture", 20, "toy", "2", "new"))
    turn = np.random.default_rng(0).standard_normal((48, 20))

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        found = super().encode(batch)
        native = found.vectors["picture"] @ self.turn
        native = (native / np.maximum(np.linalg.norm(native, axis=1, keepdims=True), 1e-9)).astype(np.float32)
        return replace(found, vectors={COMMON: -found.vectors[COMMON], "picture": native})


class NextText(ToyText):
    """Texts of the later version: the same vectors under its name, and other ones in `text`."""

    spaces = (replace(TEXT, revision="2"), replace(ToyText.spaces[1], revision="2"))

    def encode(self, batch: Sequence[str]) -> Encoding:
        found = super().encode(batch)
        return replace(found, vectors={**found.vectors, "text": -found.vectors["text"]})


def later() -> Profile:
    sound = TOY.sound
    assert sound is not None

    class NextSound(type(sound)):  # type: ignore[misc]
        spaces = (replace(sound.spaces[0], revision="2"), *sound.spaces[1:])

    return replace(TOY, text=NextText(), picture=NextPicture(), sound=NextSound())


def test_other_models_read_files_again_and_words_from_the_store(
    store: LocalStore, media: Path, pool: DecodePool
) -> None:
    before, profile = everything(store), later()
    store.search_vectors(
        "picture", "picture", np.zeros(48, np.float32), 3, Filters()
    )  # an index of the old dimension is open
    with pytest.raises(SpaceMismatch):
        store.bind(profile.spaces.values())
    (media / "1.png").unlink()
    said = {m.id: m for asset in store.assets(Filters(), 100) for m in store.moments(asset.id)}
    report = run(store, profile, [], pool)
    assert report.finished
    assert [error.code for _, error in report.failed] == ["source_gone"]
    assert (report.lost, report.decoded) == (1, 4)  # two pictures, a sound, a film
    store.bind(profile.spaces.values())
    after = everything(store)
    lost = next(m for m in before if m not in after)
    assert lost.endswith("-picture0")
    for moment, had in after.items():
        if "picture" in had:
            assert had["picture"].shape == (20,)
            assert np.allclose(had[COMMON], -before[moment][COMMON])
        if "text" in had:
            assert np.allclose(had["text"], -before[moment]["text"])
    now = {m.id: m for asset in store.assets(Filters(), 100) for m in store.moments(asset.id)}
    assert {m: (x.fields, x.words, x.labels) for m, x in now.items()} == {
        m: (x.fields, x.words, x.labels) for m, x in said.items()
    }
    assert store.verify() == []
    some = next(had["picture"] for had in after.values() if "picture" in had)
    assert store.search_vectors("picture", "picture", some, 1, Filters())[0].similarity == pytest.approx(1, abs=1e-5)
    write_picture(media / "1.png", seed=1)
    [source] = [s.source for s in store.located() if s.source.location.endswith("1.png")]
    os.utime(media / "1.png", ns=(source.mtime_ns, source.mtime_ns))
    report = run(store, profile, [], pool, again=True)
    assert (report.failed, report.decoded, report.moments) == ([], 1, 1)
    assert "picture" in everything(store)[lost]


def test_half_way_to_other_models_and_back_nothing_is_mixed(
    store: LocalStore, pool: DecodePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.indexer.reindex.ASSETS_PER_TRANSACTION", 2)
    before, stop = everything(store), threading.Event()
    run(store, later(), [], pool, stop=stop, tell=lambda count: stop.set())
    assert not same(everything(store), before)
    assert run(store, TOY, [], pool).finished
    back = everything(store)
    assert back.keys() == before.keys()
    assert all(np.allclose(back[m][s], before[m][s], atol=1e-5) for m in before for s in before[m])
    assert store.verify() == []


def test_a_file_that_is_cut_differently_now_is_taken_in_anew(
    store: LocalStore, media: Path, pool: DecodePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.indexer.hearing.events", lambda windows, kinds, longest: [(0.0, 0.5), (0.5, 1.0)])
    film = next(a for a in store.assets(Filters(), 100) if a.media == "audio")
    assert len([m for m in store.moments(film.id) if m.kind == "sound"]) == 1
    assert run(store, later(), [], pool).finished
    assert len([m for m in store.moments(film.id) if m.kind == "sound"]) == 2
    assert film.id in store.pending("transcript", TranscriptEnricher(ToyTranscriber(), TOY.text).model, ["audio"])
    assert store.verify() == []


def test_voices_of_another_model_are_forgotten_and_found_again(
    store: LocalStore, media: Path, pool: DecodePool
) -> None:
    def listen(profile: Profile) -> EnrichPass:
        assert profile.voice is not None
        return EnrichPass(store, pool, [SpeakersEnricher(profile.voice, lambda vector: None, profile.detector)])

    listen(TOY).run()
    turns = [m.id for a in store.assets(Filters(), 100) for m in store.moments(a.id) if m.kind == "turn"]
    assert turns
    assert set(store.vectors("voice", turns)) == set(turns)
    assert run(store, later(), [], pool).finished
    assert set(store.vectors("voice", turns)) == set(turns), "the voices' model is the same"

    class Other(ToyVoice):
        spaces = (replace(ToyVoice.spaces[0], revision="2"),)
        model = "other"

    other = replace(later(), voice=Other())
    assert run(store, other, [], pool).finished
    assert store.spaces()["voice"].revision == "2"
    assert store.vectors("voice", turns) == {}
    assert listen(other).pending()
    listen(other).run()
    assert set(store.vectors("voice", turns)) == set(turns)
    assert store.verify() == []


def test_a_pass_built_before_a_reindex_mixes_no_vectors_in(store: LocalStore, media: Path, pool: DecodePool) -> None:
    """A service runs on while another gives the collection a head."""
    box, pictures = (0.1, 0.1, 0.6, 0.6), [a.id for a in store.assets(Filters(media=("image",)), 10)]

    def see(asset: str) -> None:
        label = Label("object", "boat", 0.9, "o@1", box)
        store.enrich([Enrichment(asset, "objects", "o@1", patches=(Patch(f"{asset}-picture0", labels=(label,)),))])

    for asset in pictures:
        see(asset)
    stale, signs = ObjectCropsEnricher(TOY.picture), head("signs")
    assert EnrichPass(store, pool, [stale], pictures[:2]).run().done == 2
    run(store, TOY, [signs], pool)
    with pytest.raises(SpaceMismatch):
        EnrichPass(store, pool, [stale]).run()
    assert store.pending("regions", stale.model, ["image"]) == pictures[2:], "it did not fail, and is not done"
    fresh = ObjectCropsEnricher(apply_heads(TOY, [signs]).picture)
    assert store.pending("regions", fresh.model, ["image"]) == pictures, "those of before are not of the head"
    assert EnrichPass(store, pool, [fresh]).run().failed == []
    for asset in pictures:
        source = store.sources(asset)[0]
        picture = pool.submit(Path(source.location)).result().content
        assert isinstance(picture, Picture)
        [expected] = apply_heads(TOY, [signs]).picture.encode([around(picture, box)]).vectors[COMMON]
        [stored] = store.vectors(COMMON, [f"{asset}-picture0.region0"]).values()
        np.testing.assert_allclose(stored, expected, atol=1e-6)
    assert store.verify() == []


def test_what_was_said_is_not_listened_to_again_for_a_head(store: LocalStore, pool: DecodePool) -> None:
    """Its vectors are made anew from the words that are stored."""
    signs = head("signs")
    run(store, TOY, [signs], pool)
    again = TranscriptEnricher(ToyTranscriber(), apply_heads(TOY, [signs]).text)
    assert EnrichPass(store, pool, [again]).pending() == []
