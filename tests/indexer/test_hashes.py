"""Hashes of what is decoded: the numbers of known inputs, nothing for what says nothing, and where an asset keeps
them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Picture, Waveform
from crossmedia.indexer.decode.errors import Corrupt, NoFrames, Unreadable
from crossmedia.indexer.decode.reader import DEFAULT_LIMITS, decode
from crossmedia.indexer.enrichers.hashes import HashesEnricher
from crossmedia.indexer.hashes.chromaprint import ChromaprintHasher
from crossmedia.indexer.hashes.digests import digests
from crossmedia.indexer.hashes.frames import FrameHasher, read_frames
from crossmedia.indexer.hashes.hashers import Hashers
from crossmedia.indexer.hashes.pdq import PdqHasher
from crossmedia.indexer.hashes.tlsh import TlshHasher
from crossmedia.indexer.hashes.views import crop_sides, without_bars
from crossmedia.retrieval.banks.hashes import Hash
from crossmedia.retrieval.documents import Asset, Moment, moment_id
from tests.media_makers import picture, tone, write_picture, write_video, write_wav

ID = "ab" * 32
TEXT = (
    "The red boats come home in the evening, and the harbour is full of light and gulls. " * 2 + "Nobody counts them."
)


def sweep(seconds: float) -> Waveform:
    t = np.arange(round(16_000 * seconds)) / 16_000
    beat = np.sign(np.sin(4 * np.pi * t))
    return Waveform((0.3 * np.sin(2 * np.pi * (300 + 40 * t) * t) + 0.2 * beat * np.sin(1800 * np.pi * t)).astype("f4"))


def chromaprint() -> ChromaprintHasher:
    try:
        return ChromaprintHasher()
    except CrossmediaError as error:
        pytest.skip(f"{error.message}: {error.hint}")


def test_golden_hashes() -> None:
    found = PdqHasher()(Picture(picture(1)))
    assert found == Hash("pdq", "ce75d12b359a2a75cc6c398e91b3c6f8245ed9c5d5232696c98cdb632496259a", 87)
    digest = TlshHasher()(TEXT)
    assert digest is not None
    assert digest.value == "T162C0C9892B4C53B18D011957704DB2CEBF1019EA13A00E024C80442D6E0142F8172BB0"


def test_golden_fingerprint() -> None:
    """What fpcalc prints of the same samples."""
    found = chromaprint()(sweep(6))
    assert found is not None
    assert found.value == (
        "AQAAG0lCKWHCBs-LP0Op7GiYHjsO5Erx5cR-MD8-HK9yHHp6fPiWDy-O4kFy5MeZ_HgaAAqoEMK8KZywQmARBUeCBUZY6BYQAwg"
    )
    as_pcm = Waveform((np.clip(sweep(6).samples * 32_768, -32_768, 32_767)).astype(np.int16))
    assert chromaprint()(as_pcm) == found


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (64, 64), (500, 500)])
def test_pictures_with_nothing_in_them_say_so(shape: tuple[int, int]) -> None:
    found = PdqHasher()(Picture(np.full((*shape, 3), 77, dtype=np.uint8)))
    assert (found.quality, found.comparable) == (0, False)


def test_sounds_with_nothing_in_them_have_none() -> None:
    hasher = chromaprint()
    for seconds in (0.0, 0.01, 1.0, 3.0):
        assert hasher(sweep(seconds)) is None
    assert hasher(Waveform(np.zeros(16_000 * 20, dtype=np.float32))) is None


def test_texts_that_are_too_short_or_uniform_have_none() -> None:
    for text in ("", "A short text.", "a" * 5000):
        assert TlshHasher()(text) is None


def test_digests(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 3_000_000)
    sha256, md5 = digests(path)
    assert sha256.value == hashlib.sha256(path.read_bytes()).hexdigest()
    assert md5.value == hashlib.md5(path.read_bytes()).hexdigest()


def test_frames_are_one_a_second_and_the_same_in_a_copy(tmp_path: Path) -> None:
    scenes = [(3, 2.2), (4, 1.4)]
    one = write_video(tmp_path / "one.mp4", scenes)
    other = write_video(tmp_path / "other.mp4", scenes, codec="mpeg4", fps=20)
    late = write_video(tmp_path / "late.mp4", scenes, start=5.0)
    hasher = FrameHasher()
    try:
        first, again, later = hasher(one), hasher(other), hasher(late)
    finally:
        hasher.close()
    assert [round(time) for time, _ in first] == [0, 1, 2, 3]
    assert [round(time) for time, _ in later] == [0, 1, 2, 3]
    for (_, hashed), (_, copy) in zip(first, again, strict=True):
        apart = int(hashed.value, 16) ^ int(copy.value, 16)
        assert apart.bit_count() <= 31


def test_videos_that_are_damaged_or_none(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mp4", [(1, 3.0)])
    data = bytearray(whole.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    (tmp_path / "b.mp4").write_bytes(data)
    assert read_frames(tmp_path / "b.mp4", DEFAULT_LIMITS).metadata["pdq"]
    (tmp_path / "c.mp4").write_bytes(b"no video at all" * 100)
    with pytest.raises(Corrupt):
        read_frames(tmp_path / "c.mp4", DEFAULT_LIMITS)
    with pytest.raises(NoFrames):
        read_frames(write_wav(tmp_path / "d.wav", tone(1.0)), DEFAULT_LIMITS)
    for limits in (replace(DEFAULT_LIMITS, pixels=100), replace(DEFAULT_LIMITS, seconds=1.0)):
        with pytest.raises(CrossmediaError) as error:
            read_frames(whole, limits)
        assert error.value.code == "too_large"


def asset(media: str) -> Asset:
    return Asset(ID, media, "x/y", 1, "a")  # type: ignore[arg-type]


def test_labels_of_a_picture(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", seed=1)
    enricher = HashesEnricher(Hashers(), lambda name: path)
    moment = Moment(moment_id(ID, "picture", 0), ID, "picture")
    (patch,) = enricher.enrich(asset("image"), decode(path), [moment]).patches
    assert patch.moment == moment.id
    assert [(label.kind, label.value.partition(":")[0], label.score) for label in patch.labels] == [
        ("hash", "md5", 1.0),
        ("hash", "pdq", 0.87),
    ]
    assert enricher.enrich(asset("image"), decode(path), []).patches == ()


def test_labels_of_a_film_stand_where_its_frames_are_shown(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(3, 2.0), (4, 2.0)])
    hashers = Hashers()
    enricher = HashesEnricher(hashers, lambda name: path)
    moments = [
        Moment(moment_id(ID, "shot", 0), ID, "shot", 0.0, 2.0),
        Moment(moment_id(ID, "shot", 1), ID, "shot", 2.0, 4.0),
        Moment(moment_id(ID, "frame", 1), ID, "frame", 2.0, 3.0),
        Moment(moment_id(ID, "frame", 2), ID, "frame", 3.0, 4.0),
        Moment(moment_id(ID, "speech", 0), ID, "speech", 0.0, 4.0),
    ]
    try:
        patches = enricher.enrich(asset("video"), decode(path), moments).patches
    finally:
        hashers.close()
    starts = {
        patch.moment: [label.start for label in patch.labels if label.value.startswith("pdq:")] for patch in patches
    }
    assert set(starts) == {moments[0].id, moments[2].id, moments[3].id}
    assert 0.0 in starts[moments[0].id]
    assert all(time is not None and time < 2.0 for time in starts[moments[0].id])
    assert all(time is not None and 2.0 <= time < 3.0 for time in starts[moments[2].id])
    assert all(time is not None and time >= 3.0 for time in starts[moments[3].id])
    assert any(label.value.startswith("md5:") for label in patches[0].labels)


def test_a_text_and_a_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    hashers = Hashers()
    moment = Moment(moment_id(ID, "paragraph", 0), ID, "paragraph")
    (patch,) = HashesEnricher(hashers, lambda name: path).enrich(asset("text"), decode(path), [moment]).patches
    assert [label.value.partition(":")[0] for label in patch.labels] == ["md5", "tlsh"]
    sound = write_wav(tmp_path / "a.wav", sweep(10).samples)
    heard = [Moment(moment_id(ID, kind, 0), ID, kind, 0.0, 10.0) for kind in ("speech", "sound")]
    (patch,) = HashesEnricher(hashers, lambda name: sound).enrich(asset("audio"), decode(sound), heard).patches
    assert patch.moment == heard[1].id
    kinds = [label.value.partition(":")[0] for label in patch.labels]
    assert kinds == (["md5", "chromaprint"] if hashers.chromaprint else ["md5"])


def test_a_file_that_went_away_is_an_error(tmp_path: Path) -> None:
    decoded = decode(write_picture(tmp_path / "a.png", seed=1))
    moment = Moment(moment_id(ID, "picture", 0), ID, "picture")
    for place in (None, tmp_path / "gone.png"):
        with pytest.raises(Unreadable):
            HashesEnricher(Hashers(), lambda name, place=place: place).enrich(asset("image"), decoded, [moment])  # type: ignore[misc]


def barred(above: int, below: int, colour: int = 255, words: bool = True) -> Picture:
    """The picture of seed 5 with bars, written on in the middle."""
    pixels = np.full((240 + above + below, 320, 3), colour, dtype=np.uint8)
    pixels[above : above + 240] = picture(5)
    for start, height in ((0, above), (above + 240, below)):
        if words and height:
            pixels[start + height // 4 : start + height * 3 // 4, 40:280:3] = 255 - colour
    return Picture(pixels)


@pytest.mark.parametrize("bars", [(40, 0), (0, 40), (30, 60), (12, 12)])
@pytest.mark.parametrize("colour", [0, 255])
def test_bars_are_taken_off(bars: tuple[int, int], colour: int) -> None:
    bare = without_bars(barred(*bars, colour))
    assert bare is not None
    assert np.array_equal(bare.pixels, picture(5))


@pytest.mark.parametrize("seed", range(12))
def test_pictures_without_bars_stay_whole(seed: int) -> None:
    assert without_bars(Picture(picture(seed))) is None


def test_bars_that_are_no_bars() -> None:
    """One colour everywhere, hardly any picture between them, a sky that goes over into land, a few pixels."""
    sky = np.linspace((120, 170, 255), (90, 120, 60), 240).astype(np.uint8)[:, None].repeat(320, axis=1)
    pixels = [np.full((100, 100, 3), 9, np.uint8), sky, np.zeros((1, 1, 3), np.uint8), np.zeros((2, 300, 3), np.uint8)]
    assert [without_bars(Picture(one)) for one in pixels] == [None] * 4
    assert without_bars(barred(400, 400)) is None


def test_a_captioned_copy_has_a_hash_near_the_original(tmp_path: Path) -> None:
    path = tmp_path / "captioned.jpg"
    Image.fromarray(barred(0, 50).pixels).save(path, quality=70)
    found, _ = Hashers().of(decode(path), path)
    own = int(PdqHasher()(Picture(picture(5))).value, 16)
    apart = [(int(hashed.hash.value, 16) ^ own).bit_count() for hashed in found]
    assert len(apart) == 2
    assert apart[0] > 31 >= apart[1]


def test_crops(tmp_path: Path) -> None:
    views = crop_sides(Picture(picture(5)))
    assert [(view.width, view.height) for view in views] == [(304, 228), (288, 216)]
    assert crop_sides(Picture(picture(5)[:9, :9])) == []
    path = write_picture(tmp_path / "a.png", seed=5)
    assert [hashed.hash.kind for hashed in Hashers().crops(decode(path))] == ["pdq", "pdq"]
