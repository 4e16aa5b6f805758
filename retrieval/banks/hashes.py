"""What is kept in banks: hashes of five kinds, written as the tools of the field write them. Values, and how they are
read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.banks.chromaprint import DIFFERENT, MIN_OVERLAP, Malformed, unpack

HashKind: TypeAlias = Literal["pdq", "sha256", "md5", "chromaprint", "tlsh"]
HASH_KINDS: Final[tuple[HashKind, ...]] = get_args(HashKind)

LABEL: Final = label_kinds.HASH.name
"""The kind of the labels that hold an asset's own hashes; their values are written as `Hash.parse` does."""

QUALITY: Final = 50
"""The least PDQ quality that is compared: below it a picture has too few edges for its hash to tell it from others (the
PDQ reference, and hasher-matcher-actioner's default)."""

NEAR: Final[Mapping[HashKind, float]] = {"pdq": 31, "sha256": 0, "md5": 0, "chromaprint": 0.1, "tlsh": 30}
"""The largest distance that is a match. PDQ: differing bits of 256 (the reference's threshold). TLSH: its own distance,
lengths left out, as hasher-matcher-actioner compares. Chromaprint: the share of differing bits where two recordings lie
best on each other; `python -m crossmedia.eval.known` measures what copies and strangers have."""

_HEX: Final[Mapping[HashKind, int]] = {"pdq": 64, "sha256": 64, "md5": 32}
_TLSH: Final = re.compile(r"(?:T1)?([0-9A-F]{70})", re.ASCII)


class BadHash(CrossmediaError):
    """A text that is not a hash of the kind it is said to be."""

    code = "bad_hash"
    status = 422


@dataclass(frozen=True)
class Hash:
    """`value` in one way of writing: hex in small letters; TLSH as `T1` and 70 large ones; Chromaprint as fpcalc prints
    it.

    `quality`: of PDQ in [0, 100], where it is known; None of the others.
    """

    kind: HashKind
    value: str
    quality: int | None = None

    @classmethod
    def of(cls, kind: HashKind, text: str, quality: int | None = None) -> Hash:
        """A hash as it is written somewhere; raises BadHash."""
        text = text.strip()
        if quality is not None and not 0 <= quality <= 100:
            raise BadHash(f"a quality of {quality}", "PDQ's quality is from 0 to 100")
        if kind in _HEX:
            length = _HEX[kind]
            if len(text) != length or not re.fullmatch(r"[0-9a-fA-F]+", text):
                raise BadHash(
                    f"{_short(text)} is no {kind}", f"{kind} is {length} hexadecimal digits; here are {len(text)}"
                )
            return cls(kind, text.lower(), quality if kind == "pdq" else None)
        if kind == "tlsh":
            found = _TLSH.fullmatch(text.upper())
            if found is None:
                raise BadHash(f"{_short(text)} is no tlsh", "TLSH is T1 and 70 hexadecimal digits")
            return cls(kind, f"T1{found[1]}")
        try:
            numbers = unpack(text)
        except Malformed as error:
            raise BadHash(
                f"{_short(text)} is no chromaprint: {error}", "give what fpcalc prints as FINGERPRINT"
            ) from error
        if len(numbers) < MIN_OVERLAP or len(np.unique(numbers)) < DIFFERENT:
            raise BadHash("a chromaprint of so little sound says nothing", "fingerprint five seconds of sound or more")
        return cls(kind, text)

    @classmethod
    def parse(cls, text: str) -> Hash:
        """`KIND:VALUE`, as labels and people write it; raises BadHash."""
        kind, _, value = text.partition(":")
        return cls.of(kind_of(kind), value)

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    @classmethod
    def of_packed(cls, kind: HashKind, data: bytes, quality: int | None = None) -> Hash:
        """What `packed` gave, as it was."""
        if kind == "chromaprint":
            return cls(kind, data.decode())
        return cls(kind, f"T1{data.hex().upper()}" if kind == "tlsh" else data.hex(), quality)

    @property
    def packed(self) -> bytes:
        """As it is kept and compared: the bytes of hexadecimal digits; of a fingerprint, its text."""
        return self.value.encode() if self.kind == "chromaprint" else bytes.fromhex(self.value.removeprefix("T1"))

    @property
    def comparable(self) -> bool:
        """Whether it tells anything: not a PDQ of low quality."""
        return self.quality is None or self.quality >= QUALITY


def kind_of(name: str) -> HashKind:
    """The kind of that name; raises BadHash."""
    for kind in HASH_KINDS:
        if name.strip().lower() == kind:
            return kind
    raise BadHash(f"{_short(name)} is not a kind of hash", f"there are: {', '.join(HASH_KINDS)}")


def readings(text: str) -> list[Hash]:
    """Every hash that a text can be: of the kind it names (`md5:…`), or by its form. 64 digits are PDQ and SHA-256.
    Empty if it is none."""
    if ":" in text:
        return [Hash.parse(text)]
    found = []
    for kind in HASH_KINDS:
        try:
            found.append(Hash.of(kind, text))
        except BadHash:
            continue
    return found


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
