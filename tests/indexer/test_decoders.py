"""Which decoder reads a file: ours before a foreign one's suffix, a foreign one's claim before ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossmedia.embeddings.extensions import Extension, ExtensionBroken
from crossmedia.embeddings.media import Picture
from crossmedia.indexer.decode import decoders
from crossmedia.indexer.decode.decoders import DecoderSpec
from crossmedia.indexer.decode.errors import Corrupt, TooLarge, UnknownType
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.types import Decoded, Limits
from tests.media_makers import write_picture

Install = Callable[[DecoderSpec], None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    def install(spec: DecoderSpec) -> None:
        monkeypatch.setattr(decoders, "decoders", lambda: {spec.name: Extension(spec, "box 1.0")})

    return install


def foreign(path: Path, limits: Limits, progress: Any) -> Decoded:
    return Decoded("image", "image/x-foreign", Picture(np.zeros((2, 2, 3), np.uint8)))


def unknown(folder: Path) -> Path:
    path = folder / "a.XYZ"
    path.write_bytes(bytes(range(256)) * 4)
    return path


def test_a_suffix_counts_only_where_no_format_of_ours_is(tmp_path: Path, install: Install) -> None:
    with pytest.raises(UnknownType):
        decode(unknown(tmp_path))
    install(DecoderSpec(name="xyz", decode=foreign, suffixes=(".xyz",)))
    assert decode(unknown(tmp_path)).mime == "image/x-foreign"
    assert decode(write_picture(tmp_path / "b.png").rename(tmp_path / "b.xyz")).mime == "image/png"


def test_a_text_that_claims_to_be_a_mesh_is_for_who_reads_meshes(tmp_path: Path, install: Install) -> None:
    install(DecoderSpec(name="obj", decode=foreign, suffixes=(".obj",)))
    (tmp_path / "a.obj").write_text("v 0 0 0\n")
    assert decode(tmp_path / "a.obj").mime == "image/x-foreign"


def test_a_claim_goes_before_ours(tmp_path: Path, install: Install) -> None:
    install(DecoderSpec(name="png", decode=foreign, sniff=lambda head, path: head.startswith(b"\x89PNG")))
    assert decode(write_picture(tmp_path / "a.png")).mime == "image/x-foreign"
    assert decode(write_picture(tmp_path / "a.jpg")).mime == "image/jpeg"


def test_one_that_cannot_tell_takes_no_file_with_it(tmp_path: Path, install: Install) -> None:
    install(DecoderSpec(name="bad", decode=foreign, sniff=lambda head, path: bool(1 / 0)))
    assert decode(write_picture(tmp_path / "a.png")).mime == "image/png"


def fail(error: Exception) -> Callable[..., Decoded]:
    def decode(path: Path, limits: Limits, progress: Any) -> Decoded:
        raise error

    return decode


@pytest.mark.parametrize(
    ("does", "error"),
    [
        (fail(KeyError("width")), ExtensionBroken),
        (fail(MemoryError()), TooLarge),
        (fail(Corrupt("torn", "")), Corrupt),
        (lambda *_: None, Corrupt),
        (lambda *_: Decoded("audio", "audio/x", Picture(np.zeros((2, 2, 3), np.uint8))), Corrupt),
    ],
)
def test_what_fails_is_that_file_s(
    tmp_path: Path, install: Install, does: Callable[..., Decoded], error: type[Exception]
) -> None:
    install(DecoderSpec(name="xyz", decode=does, suffixes=(".xyz",)))
    with pytest.raises(error):
        decode(unknown(tmp_path))


def test_bounds_hold(tmp_path: Path, install: Install) -> None:
    install(DecoderSpec(name="xyz", decode=foreign, suffixes=(".xyz",)))
    with pytest.raises(TooLarge):
        decode(unknown(tmp_path), Limits(bytes=10))
