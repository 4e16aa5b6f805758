"""Decoders of other packages, and which of them reads a file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from crossmedia.embeddings.extensions import DECODERS, Extension, Extensions, blaming, collect, extensions
from crossmedia.embeddings.media import Clip, Mesh, Picture, Waveform
from crossmedia.indexer.decode.errors import Corrupt
from crossmedia.indexer.decode.progress import Progress
from crossmedia.indexer.decode.sniff import read_head
from crossmedia.indexer.decode.types import Decoded, Limits

_CONTENT: Final = {"text": tuple, "image": Picture, "audio": Waveform, "video": Clip, "mesh": Mesh}
Decoder: TypeAlias = Extension["DecoderSpec"]
log = logging.getLogger("crossmedia.decode")


@dataclass(frozen=True, kw_only=True)
class DecoderSpec:
    """A decoder of a file format that is not ours.

    `decode` (path, limits, progress) gives the values of one file within the limits and raises a `DecodeError`; it runs
    in a process with bounds on memory and time. It gets files for which `sniff` (first 64 KiB, path) is true, and
    those that are of no format of ours and whose name ends in one of `suffixes` (lower case, with the dot).
    """

    name: str
    decode: Callable[[Path, Limits, Progress], Decoded]
    suffixes: tuple[str, ...] = ()
    sniff: Callable[[bytes, Path], bool] | None = None


@cache
def decoders() -> Mapping[str, Decoder]:
    """Every foreign decoder by its name. Raises ExtensionConflict."""
    return MappingProxyType(collect((), foreign_decoders()))


def foreign_decoders() -> Extensions[DecoderSpec]:
    """Those of other packages."""
    return extensions(DECODERS, DecoderSpec)


def claiming(path: Path) -> Decoder | None:
    """The first that says by the file's bytes that it is its own. Raises what `read_head` raises."""
    sniffing = [(decoder, sniff) for decoder in decoders().values() if (sniff := decoder.declared.sniff)]
    head = read_head(path) if sniffing else b""
    for decoder, sniff in sniffing:
        try:
            if sniff(head, path):
                return decoder
        except Exception:
            # Every file passes here: one that fails must not take the others' with it.
            log.warning("%s cannot tell whether %s is its own", decoder.package, path.name, exc_info=True)
    return None


def naming(path: Path) -> Decoder | None:
    """The first that reads files with such a name."""
    return next((one for one in decoders().values() if path.suffix.lower() in one.declared.suffixes), None)


def run(decoder: Decoder, path: Path, limits: Limits, progress: Progress) -> Decoded:
    """The file's values. Raises what the decoder raises, ExtensionBroken, and Corrupt where it gives no such medium."""
    with blaming(decoder):
        decoded = decoder.declared.decode(path, limits, progress)
    if not isinstance(decoded, Decoded) or not isinstance(decoded.content, _CONTENT.get(decoded.media, ())):
        raise Corrupt(f"{decoder.package} gives no values of {path.name}", "tell its author, or uninstall it")
    return decoded
