"""The measures of trust, and a measurement of a few faces and voices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.faces import FaceDetector
from crossmedia.embeddings.forgery import ForgeryDetector
from crossmedia.embeddings.spoof import SpoofDetector
from crossmedia.eval import trust
from crossmedia.eval.objects import open_photo
from crossmedia.indexer.provenance.reader import ProvenanceReader
from tests.media_makers import picture, write_picture


def test_equal_error_rate_and_area_of_known_scores() -> None:
    assert trust.equal_error_rate([0.1, 0.2], [0.8, 0.7]) == 0
    assert trust.equal_error_rate([0.8, 0.7], [0.1, 0.2]) == 1
    assert trust.area([0.1, 0.2], [0.8]) == 1
    rng = np.random.default_rng(0)
    real, made = rng.normal(0, 1, 2000).tolist(), rng.normal(2, 1, 2000).tolist()
    # Two normal distributions two deviations apart: Φ(−1), and Φ(√2).
    assert trust.equal_error_rate(real, made) == pytest.approx(0.159, abs=0.02)
    assert trust.area(real, made) == pytest.approx(0.921, abs=0.02)


def test_a_face_forged_here_is_changed_in_its_middle_only() -> None:
    square = picture(1, 256, 256)
    made = trust.forge(square)
    assert np.array_equal(made[:8], square[:8])
    assert not np.array_equal(made[100:150, 100:150], square[100:150, 100:150])


def test_photos_that_say_something_are_counted(tmp_path: Path) -> None:
    reader = ProvenanceReader()
    section = trust.provenance(reader, [write_picture(tmp_path / "a.jpg")])
    reader.close()
    assert section.figures[0].value == 0


@pytest.mark.shared
def test_a_small_measurement(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    portraits = [trust._pad(open_photo(path)) for path in sorted((shared / "data" / "faces").glob("*/*1.png"))[:6]]
    section = trust.faces(ForgeryDetector(threads=2), FaceDetector(threads=2), {"some": portraits})
    assert {figure.what for figure in section.figures} >= {"some: real faces: score ≥ 0.5"}
    monkeypatch.setattr(trust, "SECONDS", (2.0,))
    monkeypatch.setattr(trust, "MAX_STRETCHES", 2)
    real = trust.speech_stretches(sorted((shared / "data" / "speakers").glob("*/*.flac"))[:2])
    made = trust.synthesise(["Two dogs run over the wet sand of a beach in the evening."] * 2)
    sections = trust.voices(SpoofDetector(threads=2), [sound.cut(0, 4) for sound in real], made, made)
    assert [one.title for one in sections] == ["Speech", "Speech by length"]
    assert sections[1].figures[0].of == 2
