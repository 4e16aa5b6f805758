"""Cuts, gradual transitions, key frames and movement, told apart on drawn pictures."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.embeddings.media import Picture
from crossmedia.indexer.decode.album import Album
from crossmedia.indexer.decode.likeness import change, change_but_for_shift, tiny
from crossmedia.indexer.decode.losses import Losses
from crossmedia.indexer.decode.motion import Curve, MotionMeter, Movement, camera, mean_energy
from crossmedia.indexer.decode.shots import Cut, ShotCutter
from tests.media_makers import Pixels, mixed, panned, picture, zoomed

FPS = 25


def cut(frames: Iterable[Pixels], fps: float = FPS) -> list[Cut[int]]:
    """The shots of a video of these frames."""
    cutter: ShotCutter[int] = ShotCutter()
    found: list[Cut[int]] = []
    number = 0
    for number, frame in enumerate(frames, 1):
        small = cv2.resize(frame, (128, 96), interpolation=cv2.INTER_AREA)

        def full(index: int = number - 1, shown: Pixels = frame) -> tuple[int, Pixels]:
            return index, cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY)

        found += cutter.look(small, (number - 1) / fps, full)
    return found + cutter.finish(number / fps)


def still(seed: int, seconds: float) -> list[Pixels]:
    return [picture(seed)] * round(seconds * FPS)


@pytest.mark.parametrize("fps", [12, 24, 30, 60, 120])
def test_a_cut_is_at_its_frame(fps: int) -> None:
    shots = cut([picture(1)] * 2 * fps + [picture(2)] * 2 * fps, fps)
    assert [shot.start for shot in shots] == pytest.approx([0, 2], abs=1e-5)
    assert {shot.transition for shot in shots} == {"cut"}


def test_a_jolt_of_the_camera_on_fine_detail_is_no_cut() -> None:
    detail = np.random.default_rng(3).integers(0, 256, (110, 150, 3)).astype(np.uint8)
    detail = cv2.GaussianBlur(detail, (0, 0), 1.5)
    detail = cv2.normalize(detail, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    here, there = detail[4:100, 4:132], detail[7:103, 9:137]
    assert change(tiny(here), tiny(there)) > 0.5
    assert change_but_for_shift(here, there) == pytest.approx(0, abs=1e-6)
    assert [shot.start for shot in cut([here] * 40 + [there] * 40)] == [0]


@given(st.integers(0, 50), st.integers(51, 99))
@settings(deadline=None, max_examples=20)
def test_no_shift_makes_one_picture_of_two(one: int, other: int) -> None:
    first, second = (cv2.resize(picture(seed), (128, 96), interpolation=cv2.INTER_AREA) for seed in (one, other))
    assert change_but_for_shift(first, second) > 0.5 * change(tiny(first), tiny(second))


@pytest.mark.parametrize("frames", [10, 20, 40])
def test_a_dissolve_is_cut_in_its_middle(frames: int) -> None:
    shots = cut([*still(1, 3), *mixed(picture(1), picture(2), frames), *still(2, 3)])
    assert [shot.transition for shot in shots] == ["cut", "fade"]
    assert shots[1].start == pytest.approx(3 + frames / FPS / 2, abs=0.12)
    for shot, seed in zip(shots, (1, 2), strict=True):
        assert [abs(key.frame / FPS - shot.start) > 0.2 for key in shot.keys] == [True], seed


@pytest.mark.parametrize("level", [0, 255])
def test_a_fade_out_and_in_is_one_cut(level: int) -> None:
    plain = np.full_like(picture(1), level)
    fading = [*mixed(picture(1), plain, 15), *[plain] * 10, *mixed(plain, picture(2), 15)]
    shots = cut([*still(1, 3), *fading, *still(2, 3)])
    assert [shot.transition for shot in shots] == ["cut", "fade"]
    assert shots[1].start == pytest.approx(3 + 20 / FPS, abs=0.2)


def test_a_fade_at_the_beginning_or_the_end_is_no_cut() -> None:
    black = np.zeros_like(picture(1))
    shots = cut(
        [*[black] * 10, *mixed(black, picture(1), 20), *still(1, 3), *mixed(picture(1), black, 20), *[black] * 10]
    )
    assert len(shots) == 1
    assert 1 < shots[0].keys[0].time < 4.5


def test_black_between_hard_cuts_is_cut_hard() -> None:
    shots = cut([*still(1, 2), *[np.zeros_like(picture(1))] * FPS, *still(2, 2)])
    assert [shot.start for shot in shots] == pytest.approx([0, 2, 3], abs=1e-5)
    assert {shot.transition for shot in shots} == {"cut"}


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_flash_is_no_cut(frames: int) -> None:
    white = np.asarray(picture(1) // 4 + 190, dtype=np.uint8)
    assert len(cut([*still(1, 2), *[white] * frames, *still(1, 2)])) == 1


@pytest.mark.parametrize("pixels", [0.5, 3, 12, 40])
def test_a_pan_is_no_cut_however_fast(pixels: float) -> None:
    frames = panned(1, round(min(75, 2_400 / pixels)), pixels)
    shots = cut([*[frames[0]] * FPS, *frames, *[frames[-1]] * FPS])
    assert len(shots) == 1


def test_what_passes_before_the_camera_is_no_cut() -> None:
    frames = still(1, 4)
    for step in range(12):
        covered = picture(1).copy()
        covered[40:, max(0, step * 40 - 160) : step * 40 + 10] = (30, 60, 90)
        frames[40 + step] = covered
    assert len(cut(frames)) == 1


def test_another_light_is_no_cut() -> None:
    dark = np.asarray(picture(1) * 0.5 + 20, dtype=np.uint8)
    assert len(cut([*still(1, 2), *mixed(picture(1), dark, 20), *[dark] * 50])) == 1


def test_further_key_frames_only_where_the_picture_becomes_another() -> None:
    assert [len(shot.keys) for shot in cut(still(1, 8))] == [1]
    shots = cut(panned(1, 200, 4))
    assert [len(shot.keys) for shot in shots] == [3]
    assert sorted(key.time for key in shots[0].keys) == [key.time for key in shots[0].keys]


def test_the_sharpest_frame_stands_for_a_shot() -> None:
    blurred = cv2.GaussianBlur(picture(1), (0, 0), 6)
    (shot,) = cut([*[blurred] * 40, *[picture(1)] * 20, *[blurred] * 40])
    assert 40 <= shot.keys[0].frame < 60


def test_movements_of_the_camera() -> None:
    assert cut(still(1, 3))[0].camera == "still"
    assert cut(panned(1, 75, 2))[0].camera == "pan"
    assert cut([np.rot90(frame) for frame in panned(1, 75, 2, 240, 320)])[0].camera == "tilt"
    assert cut(zoomed(1, 75, 0.004))[0].camera == "zoom"
    jolts = np.random.default_rng(1).integers(0, 24, 75)
    wide = picture(1, 344, 240)
    assert cut([wide[:, jolt : jolt + 320] for jolt in np.repeat(jolts, 2)])[0].camera == "shake"


def test_energy_is_of_what_moves_not_of_the_camera() -> None:
    def crossing(frames: list[Pixels]) -> list[Pixels]:
        out = [frame.copy() for frame in frames]
        for number, frame in enumerate(out):
            frame[80:160, number * 3 % 260 :][:, :60] = picture(9, 60, 80)
        return out

    nothing, pan = cut(still(1, 3))[0].motion, cut(panned(1, 75, 2))[0].motion
    thing, both = cut(crossing(still(1, 3)))[0].motion, cut(crossing(panned(1, 75, 2)))[0].motion
    assert max(nothing, pan) < 0.03
    assert min(thing, both) > 0.15


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.01, 3.0)), min_size=1, max_size=60), st.floats(0.01, 2.0))
def test_shots_tile_the_video(frames: list[tuple[int, float]], rest: float) -> None:
    pictures = [cv2.resize(picture(seed), (128, 96)) for seed in range(6)]
    cutter: ShotCutter[int] = ShotCutter()
    shots: list[Cut[int]] = []
    time = 0.0
    for number, (seed, gap) in enumerate(frames):
        small = pictures[seed]
        shots += cutter.look(small, time, lambda number=number, small=small: (number, small[..., 0]))  # type: ignore[misc]
        last, time = time, time + gap
    end = last + rest
    shots += cutter.finish(end)
    assert shots[0].start == 0
    assert shots[-1].end == end
    assert all(before.end == after.start for before, after in pairwise(shots))
    for shot in shots:
        assert 0 < shot.end - shot.start <= 45
        assert 1 <= len(shot.keys) <= 3
        assert all(key.time < shot.end for key in shot.keys)
        assert all(one.time < other.time for one, other in pairwise(shot.keys))
        assert 0 <= shot.motion <= 1
    assert all(0 <= energy <= 1 for _, energy in cutter.motion.points())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 5.0))
def test_energy_is_a_share(seed: int, gap: float) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (2, 72, 128), dtype=np.uint8)
    meter = MotionMeter()
    assert meter.look(noise[0], 0.0) is None
    movement = meter.look(noise[1], gap)
    assert movement is not None
    assert 0 <= movement.energy <= 1
    assert np.isfinite([movement.across, movement.down, movement.closer]).all()


def test_nothing_measured_is_nothing_moved() -> None:
    assert (mean_energy([]), camera([])) == (0.0, "still")


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 3.0))
def test_the_curve_stays_short(step: float) -> None:
    curve = Curve()
    for number in range(5_000):
        curve.add(Movement(number * step, (number + 1) * step, 0.5, 0, 0, 0))
    points = curve.points()
    assert len(points) <= 2_000
    assert all(before[0] < after[0] for before, after in pairwise(points))
    assert {energy for _, energy in points} == {0.5}


def test_an_album_stays_small() -> None:
    album = Album(640, most=4_000_000)
    for seed in range(20):
        width, height = (album.side, album.side * 3 // 4) if seed % 2 else (album.side * 3 // 4, album.side)
        album.add(Picture(picture(seed, width, height)))
    assert sum(kept.pixels.nbytes for kept in album.pictures) <= 4_000_000
    assert len(album.pictures) == 20
    assert {max(kept.width, kept.height) for kept in album.pictures} == {album.side}
    assert 160 < album.side < 320


def test_losses_near_one_another_are_one() -> None:
    losses = Losses()
    for start, end in ((-0.5, 0.2), (5.0, 5.1), (5.5, 6.0), (9.0, 9.5)):
        losses.add(start, end)
    assert losses.describe("the pictures") == [
        "the pictures from 0.0 to 0.2 s are damaged and were left out",
        "the pictures from 5.0 to 6.0 s are damaged and were left out",
        "the pictures from 9.0 to 9.5 s are damaged and were left out",
    ]
