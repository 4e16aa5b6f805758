"""One file → values: sniff it, decode it, draw its thumbnails and preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Clip, Picture
from crossmedia.indexer.decode.decoders import claiming, foreign_decoders, naming, run
from crossmedia.indexer.decode.errors import Corrupt, TooLarge, TypeMismatch, UnknownType, Unreadable
from crossmedia.indexer.decode.memory import MAX_TEXT_BYTES, at_most
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.decode.sniff import sniff
from crossmedia.indexer.decode.thumbnail import thumbnail
from crossmedia.indexer.decode.types import Decoded, Limits

DEFAULT_LIMITS: Final = Limits()


def decode(path: Path, limits: Limits = DEFAULT_LIMITS, progress: Progress = ignore_progress) -> Decoded:
    """One file as values with thumbnails. Whatever is wrong with it is raised as a `CrossmediaError`.

    A file with a hostile content should be decoded in a `DecodePool`, which also bounds time and memory.
    """
    try:
        decoder = _decoder(path)
        size = path.stat().st_size
        if size > limits.bytes:
            raise TooLarge(
                f"{path.name} has {size:,} bytes, more than the {limits.bytes:,} allowed",
                "split it, or raise the limit on bytes",
            )
        return _with_thumbnails(decoder(limits, progress))
    except CrossmediaError:
        raise
    except MemoryError as error:
        hint = "scale it down or split it"
        raise TooLarge(f"{path.name} needs more memory than a decoder may have", hint) from error
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error}", "check the disk and the permissions") from error
    except Exception as error:
        # The libraries underneath parse hostile bytes in C; what else they may raise is not documented anywhere.
        message = f"{path.name} could not be decoded: {type(error).__name__}: {error}"
        raise Corrupt(message, "copy the file again, or convert it") from error


def _decoder(path: Path) -> Callable[[Limits, Progress], Decoded]:
    """What reads a file: a foreign decoder that claims its bytes, else ours, else a foreign one that knows its
    suffix."""
    foreign = claiming(path)
    if foreign is not None:
        return partial(run, foreign, path)
    try:
        medium, mime = sniff(path)
        return partial(_decode, path, medium, mime)
    except (UnknownType, TypeMismatch) as error:
        foreign = naming(path)
        if foreign is not None:
            return partial(run, foreign, path)
        error.hint = "; ".join((error.hint, *foreign_decoders().notes))
        raise


def _decode(path: Path, medium: str, mime: str, limits: Limits, progress: Progress) -> Decoded:
    # Each decoder's libraries are imported when its first file comes: a worker that reads photos stays small.
    if medium == "image":
        from crossmedia.indexer.decode.image import decode_image

        return decode_image(path, mime, limits)
    if medium == "video" and limits.sound_only:
        from crossmedia.indexer.decode.audio import decode_track

        return decode_track(path, mime, limits, progress)
    if medium == "audio":
        from crossmedia.indexer.decode.audio import decode_audio

        return decode_audio(path, mime, limits, progress)
    if medium == "video":
        from crossmedia.indexer.decode.video import decode_video

        return decode_video(path, mime, limits, progress)
    with at_most(MAX_TEXT_BYTES):
        return _decode_text(path, mime, limits, progress)


def _decode_text(path: Path, mime: str, limits: Limits, progress: Progress) -> Decoded:
    if mime == "application/pdf":
        from crossmedia.indexer.decode.pdf import decode_pdf

        return decode_pdf(path, mime, limits, progress)
    if mime == "text/html":
        from crossmedia.indexer.decode.html import decode_html

        return decode_html(path, mime, limits)
    from crossmedia.indexer.decode.text import decode_text

    return decode_text(path, mime, limits)


def _with_thumbnails(decoded: Decoded) -> Decoded:
    if isinstance(decoded.content, Picture):
        return replace(decoded, thumbnails=(thumbnail(decoded.content),))
    if isinstance(decoded.content, Clip):
        from crossmedia.indexer.decode.preview import preview

        drawn = tuple(map(thumbnail, decoded.content.pictures))
        return replace(decoded, thumbnails=drawn, preview=preview(decoded.content))
    return decoded
