"""Encoders by specification, `NAME:WHERE`: `clip-b16:built-in`, `openclip:MODEL/PRETRAINED-OR-PATH`,
`st:MODEL-OR-PATH`, `clap:MODEL-OR-PATH`, `onnx:FOLDER`, and those of other packages.

`clip-b16:` needs what `crossmedia models pull` fetches; `openclip:`, `st:` and `clap:` need the extra `clip`; `onnx:`
is what `crossmedia models export` made of them and needs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from crossmedia.embeddings.encoder import Encoder
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.extensions import (
    ENCODERS,
    Extension,
    Extensions,
    blaming,
    collect,
    extensions,
)
from crossmedia.embeddings.media import Picture, Waveform
from crossmedia.embeddings.torch_runtime import Precision


class UnknownSpecification(CrossmediaError):
    """Not an encoder that can be named so, or not one for this purpose."""

    code = "unknown_specification"
    status = 422


@dataclass(frozen=True)
class Runtime:
    """Where networks run. `device`, `precision`: see `torch_runtime.place`; `threads`: of `onnx:`; `models`: the folder
    of models."""

    device: str = "auto"
    precision: Precision = "auto"
    threads: int | None = None
    allow_hub: bool = False
    models: Path | None = None


Pair: TypeAlias = tuple[Encoder[str], Encoder[Any]]
"""The two towers of a joint model: words, and pictures or sounds."""


@dataclass(frozen=True, kw_only=True)
class EncoderSpec:
    """A family of encoders, named by `NAME:WHERE`; `where` says to people what stands behind the colon.

    `pair` (what is named, where it runs, the space that both towers fill) opens a joint model, `sentences` a sentence
    encoder of the space `text`; None where the family has none. Both import what is heavy.
    """

    name: str
    where: str
    pair: Callable[[str, Runtime, str], Pair] | None = None
    sentences: Callable[[str, Runtime], Encoder[str]] | None = None


def pair(specification: str, runtime: Runtime, space: str = "common") -> Pair:
    """The towers of a joint model. `space`: what a CLAP model's space is called.

    Raises `UnknownSpecification`, `ExtensionBroken`, or what opening the model raises.
    """
    extension, where = _split(specification)
    opener = extension.declared.pair
    if opener is None:
        names = [f"{one.declared.name}:" for one in encoders().values() if one.declared.pair]
        raise UnknownSpecification(f"{specification} has no two towers", f"name one with {_either(names)}")
    with blaming(extension):
        return opener(where, runtime, space)


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
    extension, where = _split(specification)
    opener = extension.declared.sentences
    if opener is None:
        names = [f"{one.declared.name}:" for one in encoders().values() if one.declared.sentences]
        raise UnknownSpecification(f"{specification} is no sentence encoder", f"name one with {_either(names)}")
    with blaming(extension):
        return opener(where, runtime)


def _openclip(where: str, runtime: Runtime, space: str) -> Pair:
    from crossmedia.embeddings.openclip import OpenClip

    clip = OpenClip(where, device=runtime.device, precision=runtime.precision, allow_hub=runtime.allow_hub)
    return clip.text, clip.picture


def _clap(where: str, runtime: Runtime, space: str) -> Pair:
    from crossmedia.embeddings.clap import Clap

    clap = Clap(where, space=space, device=runtime.device, precision=runtime.precision, allow_hub=runtime.allow_hub)
    return clap.text, clap.sound


def _clip_b16(where: str, runtime: Runtime, space: str) -> Pair:
    """The picture tower that was pulled; words by `where`."""
    from crossmedia.embeddings.builtin import teacher
    from crossmedia.embeddings.catalog import Catalog
    from crossmedia.embeddings.words import words

    catalog = Catalog(runtime.models, runtime.allow_hub)
    return words(where, catalog, runtime), teacher(catalog, runtime.threads)


def _onnx(where: str, runtime: Runtime, space: str) -> Pair:
    """An exported model is a folder with the folders `text` and `picture`."""
    from crossmedia.embeddings.onnx_tower import OnnxPicture, OnnxText

    return OnnxText(Path(where) / "text", runtime.threads), OnnxPicture(Path(where) / "picture", runtime.threads)


def _sentence_transformer(where: str, runtime: Runtime) -> Encoder[str]:
    from crossmedia.embeddings.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(where, runtime.device, runtime.precision, allow_hub=runtime.allow_hub)


def _onnx_sentences(where: str, runtime: Runtime) -> Encoder[str]:
    from crossmedia.embeddings.onnx_tower import OnnxText

    return OnnxText(Path(where), runtime.threads)


OUR_ENCODERS: Final = (
    EncoderSpec(name="openclip", where="MODEL/PRETRAINED-OR-PATH", pair=_openclip),
    EncoderSpec(name="clip-b16", where="built-in-OR-OPENCLIP-MODEL", pair=_clip_b16),
    EncoderSpec(name="st", where="MODEL-OR-PATH", sentences=_sentence_transformer),
    EncoderSpec(name="clap", where="MODEL-OR-PATH", pair=_clap),
    EncoderSpec(name="onnx", where="FOLDER", pair=_onnx, sentences=_onnx_sentences),
)


@cache
def encoders() -> Mapping[str, Extension[EncoderSpec]]:
    """Every family by its name. Raises ExtensionConflict."""
    return MappingProxyType(collect(OUR_ENCODERS, foreign_encoders()))


def foreign_encoders() -> Extensions[EncoderSpec]:
    """Those of other packages."""
    return extensions(ENCODERS, EncoderSpec)


def _split(specification: str) -> tuple[Extension[EncoderSpec], str]:
    name, _, where = specification.partition(":")
    if name not in encoders() or not where:
        forms = [f"{one.declared.name}:{one.declared.where}" for one in encoders().values()]
        hint = "; ".join((_either(forms), *foreign_encoders().notes))
        raise UnknownSpecification(f"{specification!r} names no encoder", hint)
    return encoders()[name], where


def _either(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)
