"""Heads: what they do to vectors, how they are learned and measured, how they are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.embeddings.align import Head, HeadUnfit, Residual, applied_heads, apply_heads, strip_heads
from crossmedia.embeddings.alignment import measure
from crossmedia.embeddings.alignment.fit import fit
from crossmedia.embeddings.alignment.learn import TooFewPairs, learn, work
from crossmedia.embeddings.alignment.paired import Paired, parts
from crossmedia.embeddings.encoder import COMMON, UNALIGNED, Calibration, Space, Vectors, normalise
from crossmedia.embeddings.errors import ModelCorrupt
from crossmedia.embeddings.heads import BadHeadName, Heads, NoHead
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.toy import PICTURE as TOY_PICTURE

NATIVE = Space("picture", 12, "m", "1", "p")
PLAIN = Space(COMMON, 8, "m", "1", "p")
FRAMED = Space(COMMON, 10, "m", "1", "p", 2)
"""With the two dimensions of query-bank normalisation."""


def random_unit(seed: int, count: int, dim: int) -> Vectors:
    return normalise(np.random.default_rng(seed).standard_normal((count, dim)))


def text_side(content: Vectors) -> Vectors:
    count = len(content)
    return np.hstack([content, np.ones((count, 1)), np.zeros((count, 1))]).astype(np.float32) * np.float32(0.5**0.5)


def picture_side(content: Vectors, offset: float) -> Vectors:
    rest = np.tile([-offset, (1 - offset**2) ** 0.5], (len(content), 1))
    return np.hstack([content, rest]).astype(np.float32) * np.float32(0.5**0.5)


def pairs(space: Space, count: int = 60, common: bool = True, seed: int = 0) -> Paired:
    """Natives that tell everything of their texts, common vectors that tell nothing."""
    native = random_unit(seed, count, NATIVE.dim)
    rule = np.random.default_rng(seed + 1).standard_normal((NATIVE.dim, space.dim - space.extra))
    texts = normalise(native @ rule)
    blind = random_unit(seed + 2, count, space.dim - space.extra)
    anchors = text_side(texts) if space.extra else texts
    seen = picture_side(blind, 0.1) if space.extra else blind
    both = np.stack([np.arange(count), np.arange(count)], axis=1)
    return Paired(native, seen if common else None, anchors, both, space)


def head(space: Space, strength: float = 1.0, gate: tuple[float, float] = (-2.0, -1.0), seed: int = 0) -> Head:
    rng = np.random.default_rng(seed)
    size = space.dim - space.extra
    residual = Residual(
        rng.standard_normal(NATIVE.dim + size).astype(np.float32) / 10,
        rng.standard_normal((NATIVE.dim + size, size)).astype(np.float32),
        random_unit(seed + 9, 5, NATIVE.dim),
        *gate,
        strength,
    )
    return Head("test", "picture", NATIVE, space, residual)


@given(
    st.integers(0, 10_000), st.sampled_from([PLAIN, FRAMED]), st.floats(0, 2), st.floats(-0.9, 0.9), st.integers(0, 6)
)
@settings(max_examples=40, deadline=None)
def test_vectors_stay_unit_and_what_is_no_content_stays(
    seed: int, space: Space, strength: float, offset: float, count: int
) -> None:
    content = random_unit(seed, count, 8)
    common = picture_side(content, offset) if space.extra else content
    one = head(space, strength, seed=seed)
    moved = one.common_vectors(random_unit(seed + 1, count, NATIVE.dim), common)
    assert moved.shape == common.shape
    assert moved.dtype == np.float32
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    assert np.array_equal(moved[:, 8:], common[:, 8:])
    if space.extra:
        higher = replace(one, residual=replace(one.residual, lift=0.05))
        lifted = higher.common_vectors(random_unit(seed + 1, count, NATIVE.dim), common)
        assert np.allclose(np.linalg.norm(lifted, axis=1), 1, atol=1e-5)
        text = text_side(random_unit(seed + 2, 1, 8))[0]
        assert np.allclose(lifted @ text - moved @ text, 0.025, atol=1e-5)


@given(st.integers(0, 10_000), st.sampled_from([PLAIN, FRAMED]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_without_strength_or_far_from_the_pairs_nothing_moves(seed: int, space: Space, closed: bool) -> None:
    content = random_unit(seed, 7, 8)
    common = picture_side(content, 0.2) if space.extra else content
    still = head(space, 1.0, (1.5, 2.0)) if closed else head(space, 0.0)
    assert np.array_equal(still.common_vectors(random_unit(seed + 1, 7, NATIVE.dim), common), common)


def test_a_vector_does_not_depend_on_its_batch() -> None:
    one = head(FRAMED)
    native, common = random_unit(1, 20, NATIVE.dim), picture_side(random_unit(2, 20, 8), 0.1)
    together = one.common_vectors(native, common)
    alone = np.vstack([one.common_vectors(native[n : n + 1], common[n : n + 1]) for n in range(20)])
    assert np.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("space", [PLAIN, FRAMED])
@pytest.mark.parametrize("common", [True, False])
def test_what_the_pairs_tell_is_learned_and_found_on_those_held_out(space: Space, common: bool) -> None:
    given = pairs(space, 150, common)
    ticks: list[int] = []
    learnt = learn(given, passes=200, tick=lambda: ticks.append(1))
    before, after = (learnt.figures[when]["anchor_to_source"] for when in ("before", "after"))
    assert learnt.better
    assert learnt.figures["held_out"] == 150  # too few for one division: each once
    assert after["recall@10"] > 0.6 > 0.2 > before["recall@10"]
    low, high = after["recall@10 interval"]
    assert low <= after["recall@10"] <= high
    assert after["median rank"] < before["median rank"]
    assert len(ticks) == work(given, 0.2, 200)
    assert learnt.calibration.bias > learnt.calibration.mean
    json.dumps(learnt.figures)


def test_pairs_without_a_rule_are_no_gain() -> None:
    given = pairs(PLAIN, 80)
    shuffled = replace(given, pairs=np.stack([np.arange(80), np.random.default_rng(3).permutation(80)], axis=1))
    assert not learn(shuffled).better


def test_the_same_pairs_give_the_same_head_and_another_seed_another() -> None:
    given = pairs(FRAMED)
    rows = np.arange(60)
    one, same, other = (fit(given, rows, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.matrix, same.matrix)
    assert not np.array_equal(one.matrix, other.matrix)


def test_texts_of_several_sources_are_no_negatives_of_each_other() -> None:
    """Ten sources a text, as labels have it: all are right, so they end nearer to it than to the others."""
    labels = random_unit(5, 4, 8)
    native = normalise(np.repeat(random_unit(6, 4, NATIVE.dim), 10, axis=0) + 0.2 * random_unit(7, 40, NATIVE.dim))
    given = Paired(native, None, labels, np.stack([np.arange(40), np.repeat(np.arange(4), 10)], axis=1), PLAIN)
    learnt = learn(given)
    assert learnt.figures["after"]["source_to_anchor"]["recall@1"] > 0.9
    assert learnt.figures["held_out_pairs_of_new_anchors"] == 0
    placed = given.placed(learnt.residual.contents(native, None))
    assert (np.argmax(placed @ labels.T, axis=1) == np.repeat(np.arange(4), 10)).mean() > 0.9


@pytest.mark.parametrize(("sources", "anchors"), [(3, 3), (20, 1)])
def test_too_few_are_refused(sources: int, anchors: int) -> None:
    which = np.arange(sources) % anchors
    given = Paired(
        random_unit(0, sources, 12),
        None,
        random_unit(1, anchors, 8),
        np.stack([np.arange(sources), which], axis=1),
        PLAIN,
    )
    with pytest.raises(TooFewPairs, match=f"{sources} different .* {anchors} on the other side"):
        learn(given)


@given(st.integers(5, 400), st.floats(0.05, 0.5), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_parts_keep_apart_and_few_are_each_held_out_once(count: int, share: float, seed: int) -> None:
    found = list(parts(count, share, 100, seed))
    for learned, kept in found:
        assert not set(learned) & set(kept)
        assert len(learned) + len(kept) == count
    held = np.concatenate([kept for _, kept in found])
    assert len(held) == len(set(held.tolist()))
    assert len(found) == 1 or len(held) == count


def test_ranks_leave_out_what_is_right_too_and_share_ties() -> None:
    anchors = np.eye(3, dtype=np.float32)
    native = np.zeros((4, 2), np.float32)
    vectors = normalise(np.array([[1, 0.1, 0], [0.9, 0, 0], [0, 1, 0], [0, 1, 0]], np.float32))
    given = Paired(native, None, anchors, np.array([[0, 0], [1, 0], [2, 1], [3, 2]]), Space(COMMON, 3, "m", "1", "p"))
    found = measure.ranks(given, vectors, np.arange(4))
    # Of source 1 for anchor 0, source 0 is right too; of source 2 for anchor 1, source 3 ties;
    # source 3 lies across anchor 2.
    assert found.forward.tolist() == [0, 0, 0.5, 1.5]
    assert found.backward.tolist() == [0, 0, 0, 1.5]


def test_intervals_hold_the_mean_and_shrink() -> None:
    values = np.random.default_rng(0).random(400)
    low, high = measure.interval(values, np.arange(400))
    fewer_low, fewer_high = measure.interval(values[:40], np.arange(40))
    assert low < values.mean() < high
    assert high - low < fewer_high - fewer_low


def test_saved_heads_come_back_the_same(tmp_path: Path) -> None:
    heads = Heads(tmp_path / "heads")
    assert heads.cards() == []
    one = replace(head(FRAMED), calibration=Calibration(0.1, 0.2, 0.3, 4.0))
    bare_sound = Residual(**{**vars(head(PLAIN).residual), "absent": random_unit(3, 1, 8)[0]})
    two = replace(head(PLAIN), name="other", residual=bare_sound)
    assert heads.save(one, {"made": "2024-01-01"}).id == one.id
    heads.save(two, {"made": "2024-01-02"})
    assert [card.id for card in heads.cards()] == [one.id, two.id]
    for each in (one, two):
        back = heads.load(each.name)
        assert (back.id, back.native, back.common.extra, back.calibration) == (
            each.id,
            each.native,
            each.common.extra,
            each.calibration,
        )
        native = random_unit(8, 3, NATIVE.dim)
        common = picture_side(random_unit(9, 3, 8), 0.1) if each is one else None
        assert np.array_equal(back.common_vectors(native, common), each.common_vectors(native, common))
    assert heads.remove("other").id == two.id
    with pytest.raises(NoHead, match="other"):
        heads.load("other")


def test_damaged_heads_and_odd_names_are_refused(tmp_path: Path) -> None:
    heads = Heads(tmp_path)
    card = heads.save(head(FRAMED), {"made": "2024-01-01"})
    with pytest.raises(BadHeadName):
        heads.save(replace(head(FRAMED), name="../x"), {"made": "2024"})
    path = next(tmp_path.glob("*.npz"))
    whole = path.read_bytes()
    heads.save(replace(head(FRAMED, seed=4), name="more"), {"made": "2024-01-02"})
    path.write_bytes(next(tmp_path.glob("more*.npz")).read_bytes())
    with pytest.raises(ModelCorrupt, match="is not the head"):
        heads.load(card.id)
    path.write_bytes(whole[:100])
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        heads.load(card.id)
    path.with_suffix(".json").write_text("[]")
    with pytest.raises(ModelCorrupt, match="card"):
        heads.cards()


def test_a_head_for_texts_moves_queries_and_documents_alike(toy: Profile) -> None:
    common = toy.spaces[COMMON]
    rng = np.random.default_rng(0)
    residual = Residual(
        np.zeros(128, np.float32),
        rng.standard_normal((128, 64)).astype(np.float32),
        random_unit(1, 4, 64),
        -2.0,
        -1.0,
        1.0,
    )
    profile = apply_heads(toy, [Head("jargon", "text", toy.spaces["text"], common, residual)])
    before, after = (each.text.encode(["red boats"]).vectors for each in (toy, profile))
    assert not np.allclose(before[COMMON], after[COMMON])
    assert np.array_equal(before["text"], after["text"])
    assert np.array_equal(after[UNALIGNED], before[COMMON])


def test_an_aligned_profile_moves_one_encoder_and_renames_the_space_of_all(toy: Profile) -> None:
    common = toy.spaces[COMMON]
    size = TOY_PICTURE.dim + common.dim
    rng = np.random.default_rng(0)
    residual = Residual(
        np.zeros(size, np.float32),
        rng.standard_normal((size, common.dim)).astype(np.float32),
        random_unit(1, 4, TOY_PICTURE.dim),
        -2.0,
        -1.0,
        1.0,
    )
    one = Head("signs", "picture", TOY_PICTURE, common, residual)
    profile = apply_heads(toy, [one])
    assert {space.revision for name, space in profile.spaces.items() if name == COMMON} == {f"1+align:{one.id}"}
    assert applied_heads(profile.spaces[COMMON].revision) == (one.id,)
    assert applied_heads(f"1 → {profile.spaces[COMMON].revision}") == (one.id,)
    assert strip_heads(profile.spaces[COMMON].revision) == "1"
    pictures = [Picture(np.full((8, 8, 3), shade, np.uint8)) for shade in (0, 200)]
    before, after = toy.picture.encode(pictures).vectors, profile.picture.encode(pictures).vectors
    assert np.array_equal(after[UNALIGNED], before[COMMON])
    assert np.array_equal(after["picture"], before["picture"])
    assert not np.allclose(after[COMMON], before[COMMON])
    said = profile.text.encode(["red boats"]).vectors
    assert np.array_equal(said[COMMON], toy.text.encode(["red boats"]).vectors[COMMON])
    assert UNALIGNED not in said
    assert len(profile.picture.encode([]).vectors[COMMON]) == 0
    with pytest.raises(HeadUnfit, match="trained on vectors of"):
        apply_heads(toy, [replace(one, native=replace(TOY_PICTURE, revision="2"))])
    with pytest.raises(HeadUnfit, match="together"):
        apply_heads(toy, [one, replace(one, name="again")])
