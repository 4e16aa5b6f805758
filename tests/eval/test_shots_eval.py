"""Made videos are what their truth says, and boundaries are counted as defined."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from crossmedia.embeddings.media import SAMPLE_RATE, Clip
from crossmedia.eval import planted, reel, shots
from crossmedia.eval.bench.common import SHARED
from crossmedia.indexer.decode.reader import decode


def test_each_boundary_counts_once_within_its_tolerance() -> None:
    cuts, fades = [1.0, 5.0], [(8.0, 9.0)]
    hard, gradual = shots.compare(cuts, fades, [1.05, 1.08, 5.2, 7.85, 9.6])
    assert hard == shots.Counts(hit=1, true=2, false=2)
    assert gradual == shots.Counts(hit=1, true=1, false=1)
    assert hard.scores()["precision"] == pytest.approx(1 / 3)
    assert (hard + gradual).true == 3


def test_close_cuts_are_matched_as_well_as_possible() -> None:
    hard, _ = shots.compare([1.0, 1.15], [], [1.08, 0.95])
    assert (hard.hit, hard.false) == (2, 0)


def test_a_reel_is_as_long_as_its_takes_and_cut_where_it_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    takes = [
        reel.Take(reel.draw_scene(rng), 2.0, "pan", flashes=(1.0,)),
        reel.Take(reel.draw_scene(rng), 3.0, "whip", "dissolve", 1.0),
        reel.Take(reel.draw_scene(rng, "THE END"), 3.0, "still", "black", 1.0),
        reel.Take(reel.draw_scene(rng), 2.0, "shake"),
    ]
    form = reel.VideoFormat(size=(320, 180))
    truth = reel.write(tmp_path / "a.mp4", takes, form, rng, np.zeros(10 * SAMPLE_RATE, np.float32))
    assert truth.cuts == (2.0,)
    assert truth.fades == ((4.5, 5.5), (7.5, 8.5))
    with av.open(str(tmp_path / "a.mp4")) as file:
        levels = [float(frame.to_ndarray(format="gray").mean()) for frame in file.decode(video=0)]
    assert len(levels) == 250
    assert levels[200] < 20 < min(levels[180], levels[220])
    assert levels[25] > levels[24] + 30
    hard, gradual = shots.compare(truth.cuts, truth.fades, shots.boundaries(tmp_path / "a.mp4"))
    assert (hard.hit, hard.false, gradual.hit, gradual.false) == (1, 0, 2, 0)


@pytest.mark.shared
@pytest.mark.slow
def test_what_is_planted_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted, "_PHOTOS", 16)  # films of the report have thirty
    made = planted.make(tmp_path, SHARED / "data", seed=4)
    decoded = decode(made.path)
    content = decoded.content
    assert isinstance(content, Clip)
    assert content.waveform is not None
    assert len(made.moments) >= 30
    assert {kind for *_, kind in made.moments} == {"picture", "writing", "speech", "sound"}
    assert len({query for query, *_ in made.moments}) == len(made.moments)
    for _, start, end, kind in made.moments:
        assert 0 <= start < end <= content.seconds
        assert end - start >= 1.0, kind
    loud = float(np.abs(content.waveform.samples).max())
    for text, start, end in made.words:
        inside, before = (
            content.waveform.cut(start, end).samples,
            content.waveform.cut(start - 0.5, start - 0.1).samples,
        )
        assert np.abs(inside).max() > 0.1 * loud, text
        assert np.abs(before).max() < 0.05 * loud, text
    hard, gradual = shots.compare(made.cuts, made.fades, shots.boundaries(made.path))
    assert hard.scores()["f1"] >= 0.97
    assert gradual.scores()["f1"] >= 0.8
