"""The teacher's look at pictures: what it replaces, in what order, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.align import apply_heads
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.encoder import COMMON, UNALIGNED, Encoding, Space, Vector
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.sight import with_sight
from crossmedia.embeddings.toy import COLOURS, ToyPicture, ToyTeacher, toy_profile
from crossmedia.indexer.decode import Shot
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.enrich import EnrichPass, EnrichReport
from crossmedia.indexer.enrichers.base import Enricher
from crossmedia.indexer.enrichers.registry import build
from crossmedia.indexer.enrichers.sight import SightEnricher
from crossmedia.indexer.enrichers.vocabularies import VocabulariesEnricher
from crossmedia.indexer.pipeline import Pipeline
from crossmedia.indexer.reindex import Reindex
from crossmedia.indexer.scan import scan
from crossmedia.indexer.structure import frame_moments, pooled_shots
from crossmedia.retrieval.documents import Enrichment, moment_id
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.parts import parts_of
from crossmedia.retrieval.query import Example, Filters, Query
from crossmedia.retrieval.vocabularies.scoring import Scorer
from crossmedia.retrieval.vocabularies.vocabulary import parse
from tests.indexer.test_reindex import head
from tests.media_makers import panned, picture, write_frames, write_picture, write_wav

TOY = toy_profile()
BOTH = with_sight(TOY, ToyTeacher(), "both")
AT_ONCE = with_sight(TOY, ToyTeacher(), "teacher")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures, a film of a shot with several key frames and one with a single one, and what shows nothing."""
    folder = tmp_path_factory.mktemp("media")
    for n in range(3):
        write_picture(folder / f"{n}.png", seed=n)
    frames = [*panned(1, 150, 6), *[picture(2)] * 30]
    write_frames(folder / "film.mp4", [(n / 25, frame) for n, frame in enumerate(frames)])
    write_wav(folder / "silence.wav", np.zeros(8_000, np.float32))
    (folder / "note.txt").write_text("Red boats.")
    return folder


@pytest.fixture
def store(tmp_path: Path, media: Path, pool: DecodePool) -> Iterator[LocalStore]:
    """What the student has seen."""
    yield from indexed(tmp_path / "data", TOY, media, pool)


@pytest.fixture
def better(tmp_path: Path, media: Path, pool: DecodePool) -> Iterator[LocalStore]:
    """The same as the teacher sees it."""
    yield from indexed(tmp_path / "better", AT_ONCE, media, pool)


def indexed(data: Path, profile: Profile, media: Path, pool: DecodePool) -> Iterator[LocalStore]:
    store = LocalStore(data)
    store.bind(profile.spaces.values())
    assert Pipeline(store, profile, pool).index(list(scan([media]))).counts["failed"] == 0
    yield store
    store.close()


def sighted(profile: Profile = BOTH) -> SightEnricher:
    assert profile.sight is not None
    return SightEnricher(profile.sight)


def look(store: LocalStore, pool: DecodePool, *others: Enricher, profile: Profile = BOTH) -> EnrichReport:
    return EnrichPass(store, pool, [sighted(profile), *others]).run()


def vectors(store: LocalStore, *spaces: str) -> dict[tuple[str, str], Vector]:
    ids = [moment.id for asset in store.asset_ids() for moment in store.moments(asset)]
    return {
        (space, moment): vector
        for space in spaces or (COMMON, "picture", "text", "sound")
        for moment, vector in store.vectors(space, ids).items()
    }


def assert_same(one: dict[tuple[str, str], Vector], other: dict[tuple[str, str], Vector]) -> None:
    assert one.keys() == other.keys()
    for key, vector in one.items():
        np.testing.assert_allclose(vector, other[key], atol=1e-6, err_msg=str(key))


def test_what_it_has_seen_is_as_if_it_had_seen_it_at_once(
    store: LocalStore, better: LocalStore, pool: DecodePool
) -> None:
    before = vectors(store)
    shots = {moment.rsplit("-", 1)[1][:4] for _, moment in before}
    assert {"pict", "shot", "fram", "para", "soun"} <= shots, "a shot has several key frames"
    assert look(store, pool).done == 4
    after = vectors(store)
    assert_same(after, vectors(better))
    changed = {moment for (space, moment), vector in after.items() if not np.array_equal(vector, before[space, moment])}
    assert {moment.rsplit("-", 1)[1].rstrip("0123456789") for moment in changed} == {"picture", "shot", "frame"}
    assert look(store, pool).done == 0, "once is enough"
    assert store.verify(deep=True) == []


def test_the_newest_is_seen_first_and_the_rest_goes_on_later(store: LocalStore, pool: DecodePool) -> None:
    pictures = store.pending("sight", sighted().model, ["image"])
    work = EnrichPass(store, pool, [sighted()])
    assert [asset for asset, _ in work.pending()][1:] == pictures[::-1]
    store.enrich([Enrichment(pictures[-1], "sight", sighted().model)])
    assert [asset for asset, _ in work.pending()][1:] == pictures[-2::-1]


class Blind(ToyTeacher):
    """Fails on what is broad."""

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        if any(shown.width > 400 for shown in batch):
            raise ValueError("too broad")
        return super().encode(batch)


def test_a_file_that_the_teacher_fails_on_keeps_its_vectors(
    store: LocalStore, pool: DecodePool, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    write_picture(tmp_path / "more" / "broad.png", seed=9, width=480)
    Pipeline(store, TOY, pool).index(list(scan([tmp_path / "more"])))
    before = vectors(store)
    blind = with_sight(TOY, Blind(), "both")
    report = look(store, pool, profile=blind)
    [failure] = report.failed
    assert report.done == 4
    assert failure.title == "broad.png"
    assert failure.error is not None
    assert "too broad" in failure.error.message
    key = COMMON, f"{failure.asset}-picture0"
    np.testing.assert_array_equal(vectors(store)[key], before[key])
    assert look(store, pool, profile=blind).failed == [], "it is not tried again"
    assert store.verify(deep=True) == []


def test_names_follow_from_what_the_teacher_sees(store: LocalStore, better: LocalStore, pool: DecodePool) -> None:
    paints = parse("paints", "".join(f"{name}\n" for name in COLOURS))

    def names(one: LocalStore) -> VocabulariesEnricher:
        return VocabulariesEnricher(
            [paints], TOY.spaces[COMMON], one.vectors, lambda vocabulary: Scorer.of(vocabulary, TOY, one), "1"
        )

    def given(one: LocalStore) -> list[tuple[str, str, float]]:
        moments = [moment for asset in one.asset_ids() for moment in one.moments(asset)]
        return [(m.id, b.value, round(b.score, 4)) for m in moments for b in m.labels if b.kind == "paints"]

    EnrichPass(store, pool, [names(store)]).run()
    EnrichPass(better, pool, [names(better)]).run()
    assert given(store) != given(better)
    look(store, pool, names(store))
    assert given(store) == given(better), "again when the teacher has looked, at what is not written yet"


def test_a_moment_that_is_not_there_any_more_is_left_out(store: LocalStore, pool: DecodePool) -> None:
    """A film that is cut into more shots now than when it was indexed."""
    film = next(asset for asset in store.asset_ids() if any(m.kind == "shot" for m in store.moments(asset)))
    asset = store.asset(film)
    source = store.sources(film)[0]
    assert asset is not None
    decoded = pool.submit(Path(source.location)).result()
    said = sighted().enrich(asset, decoded, store.moments(film)[:1])
    assert [patch.moment for patch in said.patches] == [moment_id(film, "shot", 0)]
    assert said.replaces == (COMMON,)
    assert sighted().enrich(asset, decoded, []).patches == ()


@given(st.lists(st.integers(1, 3), max_size=6))
def test_every_key_frame_is_of_one_shot(counts: list[int]) -> None:
    shots, frame = [], 0
    for number, count in enumerate(counts):
        shots.append(Shot(float(number), number + 1.0, tuple(range(frame, frame + count))))
        frame += count
    alone = [moment for moment in frame_moments("a", shots) if moment.startswith("a-shot")]
    pooled = pooled_shots("a", shots)
    assert sorted([*alone, *pooled]) == sorted(moment_id("a", "shot", n) for n in range(len(shots)))
    assert sorted([*alone, *(f for own in pooled.values() for f in own)]) == sorted(frame_moments("a", shots))


def test_a_head_moves_what_the_teacher_sees(store: LocalStore, pool: DecodePool, tmp_path: Path, media: Path) -> None:
    """Whether the head comes first or the teacher, and with a head taken off again."""
    moved = apply_heads(BOTH, [head("clip-art")])
    other = LocalStore(tmp_path / "other")
    other.bind(moved.spaces.values())
    Pipeline(other, moved, pool).index(list(scan([media])))
    assert look(other, pool, profile=moved).done == 4
    look(store, pool)
    seen = vectors(store)
    assert Reindex(store, BOTH, [head("clip-art")], pool).run().finished
    kept = [moment for _, moment in seen]
    stills = [m for m in kept if m.rsplit("-", 1)[1].startswith(("picture", "frame"))]
    for space in (COMMON, UNALIGNED):
        one, two = store.vectors(space, stills), other.vectors(space, stills)
        assert one.keys() == two.keys() == set(stills)
        for moment in stills:
            np.testing.assert_allclose(one[moment], two[moment], atol=1e-5)
    assert look(store, pool, profile=moved).done == 0, "what it has seen stays seen"
    assert Reindex(store, BOTH, [], pool).run().finished
    assert_same(vectors(store), seen)
    other.close()


def test_what_a_reindex_reads_again_is_seen_again(store: LocalStore, better: LocalStore, pool: DecodePool) -> None:
    look(store, pool)

    class Newer(ToyPicture):
        spaces = tuple(replace(space, revision="2") for space in ToyPicture.spaces)

    class NewerTeacher(ToyTeacher):
        spaces = Newer.spaces[:1]

    text, sound = (
        type("Newer", (type(encoder),), {"spaces": tuple(_newer(space) for space in encoder.spaces)})()
        for encoder in (TOY.text, TOY.sound)
        if encoder is not None
    )
    newer = with_sight(replace(TOY, text=text, picture=Newer(), sound=sound), NewerTeacher(), "both")
    report = Reindex(store, newer, [], pool).run()
    assert report.finished
    assert report.decoded >= 4
    assert len(store.pending("sight", sighted(newer).model, ["image", "video"])) == 4
    look(store, pool, profile=newer)
    assert_same(vectors(store, COMMON), vectors(better, COMMON))


def _newer(space: Space) -> Space:
    return replace(space, revision="2") if space.name == COMMON else space


def test_without_a_teacher_it_cannot_be_built(store: LocalStore) -> None:
    class Context:
        catalog = Catalog()
        profile = TOY

    with pytest.raises(ModelMissing, match="no teacher") as raised:
        build("sight", Context())  # type: ignore[arg-type]
    assert "crossmedia models pull clip-b16" in raised.value.hint
    Context.profile = BOTH
    assert build("sight", Context()).name == "sight"  # type: ignore[arg-type]


def test_a_picture_to_search_with_is_seen_by_the_teacher(store: LocalStore, pool: DecodePool) -> None:
    look(store, pool)
    query = Query(examples=(Example(media=Picture(picture(1))),))
    [part], [plain] = parts_of(query, store, BOTH, []), parts_of(query, store, TOY, [])
    assert part.vectors.keys() == plain.vectors.keys() == {(COMMON, "picture"), ("picture", "picture")}
    np.testing.assert_array_equal(part.vectors["picture", "picture"], plain.vectors["picture", "picture"])
    [best] = store.search_vectors(COMMON, "picture", part.vectors[COMMON, "picture"][0], 1, Filters())
    assert best.similarity == pytest.approx(1, abs=1e-5)
    assert float(part.vectors[COMMON, "picture"][0] @ plain.vectors[COMMON, "picture"][0]) < 0.999
    assert Engine(store, BOTH).search(query).hits
