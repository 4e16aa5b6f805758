"""Encoders by specification: `openclip:MODEL/PRETRAINED-OR-PATH`, `st:MODEL-OR-PATH`, `clap:MODEL-OR-PATH`,
`onnx:FOLDER`.

The first three need the extra `clip`; `onnx:` is what `crossmedia models export` made of them and needs nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crossmedia.embeddings.encoder import Encoder
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Picture, Waveform
from crossmedia.embeddings.torch_runtime import Precision

KINDS: Final = ("openclip", "st", "clap", "onnx")


class UnknownSpecification(CrossmediaError):
    """Not an encoder that can be named so, or not one for this purpose."""

    code = "unknown_specification"
    status = 422


@dataclass(frozen=True)
class Runtime:
    """Where networks run. `device`, `precision`: see `torch_runtime.place`; `threads`: of `onnx:`."""

    device: str = "auto"
    precision: Precision = "auto"
    threads: int | None = None
    allow_hub: bool = False


def pair(specification: str, runtime: Runtime, space: str = "common") -> tuple[Encoder[str], Encoder[Any]]:
    """The two towers of a joint model: words, and pictures or sounds. `space`: what a CLAP model's space is called.

    An exported model is a folder with the folders `text` and `picture`.
    Raises `UnknownSpecification`, or what opening the model raises.
    """
    kind, where = _split(specification)
    options: dict[str, Any] = {"device": runtime.device, "precision": runtime.precision, "allow_hub": runtime.allow_hub}
    if kind == "openclip":
        from crossmedia.embeddings.openclip import OpenClip

        clip = OpenClip(where, **options)
        return clip.text, clip.picture
    if kind == "clap":
        from crossmedia.embeddings.clap import Clap

        clap = Clap(where, space=space, **options)
        return clap.text, clap.sound
    if kind == "onnx":
        from crossmedia.embeddings.onnx_tower import OnnxPicture, OnnxText

        return OnnxText(Path(where) / "text", runtime.threads), OnnxPicture(Path(where) / "picture", runtime.threads)
    raise UnknownSpecification(f"{specification} has no two towers", "name one with openclip:, clap: or onnx:")


def pictures(specification: str, runtime: Runtime) -> tuple[Encoder[str], Encoder[Picture]]:
    """Words and pictures in `common`."""
    text, other = pair(specification, runtime)
    if other.modality != "picture":
        raise UnknownSpecification(f"{specification} does not see pictures", "name one with openclip: or onnx:")
    return text, other


def sounds(specification: str, runtime: Runtime) -> tuple[Encoder[str], Encoder[Waveform]]:
    """Words and sounds in `sound`, where sounds are compared with sounds too."""
    text, other = pair(specification, runtime, "sound")
    if other.modality != "sound":
        raise UnknownSpecification(f"{specification} does not hear sounds", "name one with clap:")
    return text, other


def sentences(specification: str, runtime: Runtime) -> Encoder[str]:
    """Sentences in `text`."""
    kind, where = _split(specification)
    if kind == "st":
        from crossmedia.embeddings.sentence_transformer import SentenceTransformerEncoder

        return SentenceTransformerEncoder(where, runtime.device, runtime.precision, allow_hub=runtime.allow_hub)
    if kind == "onnx":
        from crossmedia.embeddings.onnx_tower import OnnxText

        return OnnxText(Path(where), runtime.threads)
    raise UnknownSpecification(f"{specification} is no sentence encoder", "name one with st: or onnx:")


def _split(specification: str) -> tuple[str, str]:
    kind, colon, where = specification.partition(":")
    if not colon or kind not in KINDS or not where:
        raise UnknownSpecification(
            f"{specification!r} names no encoder",
            "openclip:MODEL/PRETRAINED-OR-PATH, st:MODEL-OR-PATH, clap:MODEL-OR-PATH or onnx:FOLDER",
        )
    return kind, where
