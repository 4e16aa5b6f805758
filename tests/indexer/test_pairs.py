"""Pairs: what a CSV may say, and the errors that name its lines."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.toy import COLOURS
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.pair_vectors import encode_pairs
from crossmedia.indexer.pairs import MAX_PAIR_BYTES, PairsUnusable, read_pairs
from tests.media_makers import tone, write_video, write_wav


def table(folder: Path, *lines: str, data: bytes | None = None) -> Path:
    path = folder / "pairs.csv"
    path.write_bytes("\n".join(lines).encode() if data is None else data)
    return path


def coloured(folder: Path, name: str, colour: str, size: int = 16) -> str:
    Image.fromarray(np.full((size, size, 3), COLOURS[colour], np.uint8)).save(folder / name)
    return name


def test_pictures_and_texts_become_vectors(tmp_path: Path, toy: Profile, pool: DecodePool) -> None:
    coloured(tmp_path, "a.png", "red")
    coloured(tmp_path, "b.png", "blue")
    (tmp_path / "copy.png").write_bytes((tmp_path / "a.png").read_bytes())
    path = table(
        tmp_path,
        "Picture,TEXT",
        'a.png,"warm, like fire"',
        "b.png,cold",
        "",
        "a.png,also warm",
        'copy.png,"warm, like fire"',
    )
    rows = read_pairs(path)
    assert [row.line for row in rows.rows] == [2, 3, 5, 6]
    counted: list[int] = []
    found = encode_pairs(rows, toy, pool, tick=counted.append)
    assert (found.modality, found.anchor, found.space.name, found.duplicates) == ("picture", "text", "picture", 1)
    assert found.paired.native.shape == (2, 48)
    assert found.paired.pairs.tolist() == [[0, 0], [1, 1], [0, 2]]
    expected = toy.text.encode(["warm, like fire", "cold", "also warm"]).vectors["common"]
    assert np.array_equal(found.paired.anchors, expected)
    assert sum(counted) == 4


def test_the_other_column_and_the_other_space(tmp_path: Path, toy: Profile, pool: DecodePool) -> None:
    write_wav(tmp_path / "low.wav", tone(1.0, 200))
    coloured(tmp_path, "a.png", "red")
    path = table(tmp_path, "file,file", "low.wav,a.png")
    by_sound = encode_pairs(read_pairs(path), toy, pool)
    assert (by_sound.modality, by_sound.anchor, by_sound.space.name) == ("sound", "picture", "sound")
    by_picture = encode_pairs(read_pairs(path), toy, pool, "picture")
    assert (by_picture.modality, by_picture.anchor) == ("picture", "sound")
    (tmp_path / "note.txt").write_text("a red thing")
    path = table(tmp_path, "file,picture", "note.txt,a.png")
    of_text = encode_pairs(read_pairs(path), toy, pool, "text")
    assert (of_text.modality, of_text.anchor) == ("text", "picture")
    with pytest.raises(PairsUnusable, match="no column .* space voice"):
        encode_pairs(read_pairs(path), toy, pool, "voice")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["picture", "a.png"], "line 1: the header is picture"),
        (["name,text", "a.png,x"], "line 1: the header is name, text"),
        (["picture,text", "a.png,x,y"], "line 2: 3 columns"),
        (["picture,text", "a.png,x", "a.png"], "line 3: 1 columns"),
        (["picture,text", "a.png,x", "b.png,y"], "line 3: there is no file b.png"),
        (["picture,text", "a.png,  "], "line 2: the column text is empty"),
        (["picture,text", "../secret.png,x"], "line 2: ../secret.png lies outside"),
        (["picture,text", "/etc/passwd,x"], "line 2: /etc/passwd lies outside"),
        (["picture,text", "link.png,x"], "line 2: link.png lies outside"),
        (["picture,text", 'a.png,"x', "y"], "line 3: unexpected end"),
        (["picture,text"], "no pairs"),
        ([""], "line 1: the header is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, lines: list[str], told: str) -> None:
    folder = tmp_path / "pairs"
    folder.mkdir()
    coloured(folder, "a.png", "red")
    coloured(tmp_path, "secret.png", "red")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(PairsUnusable, match=told):
        read_pairs(table(folder, *lines))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PairsUnusable, match="line 2: this is not UTF-8"):
        read_pairs(table(tmp_path, data="text,picture\nGrüße,a.png\n".encode("latin-1")))
    with pytest.raises(PairsUnusable, match="line 3: this is no text"):
        read_pairs(table(tmp_path, data=b"text,picture\na,b\n\x00\x01"))
    with pytest.raises(PairsUnusable, match="cannot be read"):
        read_pairs(tmp_path)
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(PairsUnusable, match=f"larger than {MAX_PAIR_BYTES >> 20} MiB"):
        read_pairs(tmp_path / "large.csv")
    with pytest.raises(PairsUnusable, match="line 2: field larger"):
        read_pairs(table(tmp_path, "text,picture", "x" * 200_000))
    coloured(tmp_path, "a.png", "red")
    marked = read_pairs(table(tmp_path, data=codecs.BOM_UTF8 + "text,picture\r\nGrüße,a.png\r\n".encode()))
    assert marked.rows[0].cells[0] == "Grüße"


def test_media_that_do_not_fit_are_told_or_left_out(tmp_path: Path, toy: Profile, pool: DecodePool) -> None:
    coloured(tmp_path, "a.png", "red")
    coloured(tmp_path, "b.png", "blue")
    (tmp_path / "broken.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    write_wav(tmp_path / "tone.wav", tone(0.5))
    write_video(tmp_path / "film.mp4", [(1, 1.0)])
    lines = ["file,text", "a.png,x", "broken.png,only here", "film.mp4,z", "b.png,y"]
    with pytest.raises(PairsUnusable, match=r"line 3: broken\.png.*line 4: film\.mp4 is a video"):
        encode_pairs(read_pairs(table(tmp_path, *lines)), toy, pool)
    found = encode_pairs(read_pairs(table(tmp_path, *lines)), toy, pool, skip=True)
    assert len(found.left_out) == 2
    assert found.paired.pairs.tolist() == [[0, 0], [1, 1]]
    assert len(found.paired.anchors) == 2
    with pytest.raises(PairsUnusable, match=r"line 3: tone\.wav is a sound, not a picture"):
        encode_pairs(read_pairs(table(tmp_path, "file,text", "a.png,x", "tone.wav,y")), toy, pool)
    with pytest.raises(PairsUnusable, match=r"line 2: a\.png is a picture, not a sound"):
        encode_pairs(read_pairs(table(tmp_path, "sound,text", "a.png,x")), toy, pool)
    with pytest.raises(PairsUnusable, match="both columns .* picture"):
        encode_pairs(read_pairs(table(tmp_path, "file,picture", "a.png,b.png")), toy, pool)
    with pytest.raises(PairsUnusable, match="no pair that can be read"):
        encode_pairs(read_pairs(table(tmp_path, "file,text", "broken.png,x")), toy, pool, skip=True)
