"""The values that decoding returns, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from crossmedia.embeddings.media import Clip, Medium, Picture, Waveform
from crossmedia.indexer.decode.sampled_frames import SampledFrames


@dataclass(frozen=True)
class Limits:
    """Checked before anything is decoded. `side` is what pictures and frames are scaled down to (longer side,
    pixels)."""

    bytes: int = 4 << 30
    pixels: int = 150_000_000
    seconds: float = 4 * 3600.0
    pages: int = 5_000
    characters: int = 20_000_000
    wall_seconds: float = 120.0
    side: int = 1600
    sound_only: bool = False
    """Of a video nothing but its sound track: no frame is decoded."""
    sample_rate: float = 0.0
    """Frames a second of a video that are kept small, beside its key frames."""


@dataclass(frozen=True)
class Page:
    """A page's (or a whole text's) paragraphs in reading order. `number` counts from 1, None where there are no
    pages."""

    number: int | None
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Shot:
    """A stretch of video between two cuts, s. `frames`: which of the clip's pictures are its key frames, at least one.

    `transition`: how it begins, `cut` or gradually (`fade`). `motion`: mean energy of what moves in it, in [0, 1];
    `camera`:
    how the camera moves, `still` where it does not.
    """

    start: float
    end: float
    frames: tuple[int, ...]
    transition: Literal["cut", "fade"] = "cut"
    motion: float = 0.0
    camera: Literal["still", "pan", "tilt", "zoom", "shake"] = "still"


Pages: TypeAlias = tuple[Page, ...]


@dataclass(frozen=True, eq=False)
class Decoded:
    """One file as values. `content` is Pages (text), Picture, Waveform or Clip, according to `media`.

    A Clip's pictures are the key frames of its `shots`, in their order. `thumbnails` are JPEGs (longer side ≤ 320): one
    for an image or a document with pages drawn, one a key frame for a video. `preview`: a video in small, an animated
    WebP; `motion`: (time in s, energy in [0, 1]) of what moves in it. `captured` is an ISO 8601 date from the file's
    own metadata.
    """

    media: Medium
    mime: str
    content: Pages | Picture | Waveform | Clip
    title: str | None = None
    captured: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    shots: tuple[Shot, ...] = ()
    thumbnails: tuple[bytes, ...] = ()
    warnings: tuple[str, ...] = ()
    """What was lost while the rest was kept: a corrupt stretch, a sound track that could not be read."""
    preview: bytes | None = None
    motion: tuple[tuple[float, float], ...] = ()
    sampled: SampledFrames | None = None
    """Of a video, where they were asked for: frames in small, evenly in time."""
