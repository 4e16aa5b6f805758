"""SampledFrames: small frames at even times, upright, across processes as a file; only where they are asked for."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings import media
from crossmedia.embeddings.media import Picture
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.sampled_frames import SIDE, FrameSampler
from crossmedia.indexer.decode.types import Limits
from tests.media_makers import picture, write_video


def test_they_are_evenly_in_time_and_small(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", [(1, 2.0), (2, 2.0)], size=(1280, 720))
    seen = decode(path, Limits(sample_rate=4.0)).sampled
    assert seen is not None
    assert len(seen.times) == 15  # 25 frames a second: every seventh
    assert np.diff(seen.times) == pytest.approx(0.28)
    shown = list(seen.within(0.0, 4.0))
    assert {(one.width, one.height) for _, one in shown} == {(SIDE, 234)}
    assert [time for time, _ in seen.within(2.0, 3.0)] == [time for time in seen.times if 2.0 <= time < 3.0]
    first, last = (one.pixels.astype(float) for _, one in (shown[0], shown[-1]))
    assert np.abs(first - last).mean() > 10
    assert list(seen.within(9.0, 10.0)) == []


def test_nobody_gets_them_unasked(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", [(1, 1.0)])
    assert decode(path).sampled is None


@pytest.mark.parametrize("handed_over", [0, 1 << 30])
def test_they_cross_between_processes_and_leave_no_file(
    tmp_path: Path, handed_over: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.indexer.decode.sampled_frames.HANDED_OVER", handed_over)
    monkeypatch.setattr(media.tempfile, "tempdir", str(tmp_path))
    track = FrameSampler(2.0)
    pixels = [Picture(picture(seed, SIDE, 300)) for seed in range(3)]
    for number, one in enumerate(pixels):
        assert track.wants(number / 2)
        track.add(one, number / 2)
        assert not track.wants(number / 2 + 0.3)
    seen = track.finish()
    there = pickle.loads(pickle.dumps(seen))
    for (time, one), (same, other), original in zip(seen.within(0, 9), there.within(0, 9), pixels, strict=True):
        assert time == same
        assert (one.pixels == other.pixels).all()
        assert np.abs(one.pixels.astype(float) - original.pixels).mean() < 6
    assert list(tmp_path.iterdir()) == []


def test_of_no_frame_there_are_none() -> None:
    seen = pickle.loads(pickle.dumps(FrameSampler(4.0).finish()))
    assert list(seen.within(0.0, 100.0)) == []


def test_the_pool_hands_them_over(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", [(1, 1.0)])
    with DecodePool(1) as pool:
        seen = pool.submit(path, sample_rate=4.0).result(60).sampled
        assert seen is not None
        assert len(seen.times) == 4
        assert pool.submit(path).result(60).sampled is None
