"""Errors of decoding: each message says what is wrong with the file, each hint what to do about it."""

from __future__ import annotations

from crossmedia.embeddings.errors import CrossmediaError


class DecodeError(CrossmediaError):
    """One file's failure; the others go on."""

    code = "decode_failed"
    status = 422


class Unreadable(DecodeError):
    """The path is no readable regular file: absent, a folder, a device, a loop of links, or not permitted."""

    code = "unreadable"


class EmptyFile(DecodeError):
    """The file has no bytes, or a text has no words."""

    code = "empty_file"


class UnknownType(DecodeError):
    """The bytes are of no type on the white list."""

    code = "unknown_type"
    status = 415


class TypeMismatch(DecodeError):
    """The name says picture, sound or video; the bytes are text."""

    code = "type_mismatch"
    status = 415


class TooLarge(DecodeError):
    """More bytes, pixels, seconds, pages, characters or memory than the limits allow."""

    code = "too_large"
    status = 413


class Corrupt(DecodeError):
    """The type is known, the content is truncated or damaged beyond use."""

    code = "corrupt"


class Encrypted(DecodeError):
    """A PDF that opens only with a password."""

    code = "encrypted"


class NoFrames(DecodeError):
    """A container without a decodable frame and without decodable sound."""

    code = "no_frames"


class DecodeTimeout(DecodeError):
    """Decoding did not keep pace with its allowance of time; the worker was killed."""

    code = "decode_timeout"


class DecodeCrashed(DecodeError):
    """The worker process died while decoding the file."""

    code = "decode_crashed"
