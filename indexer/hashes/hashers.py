"""Every hash that a decoded file has, by whatever of the libraries is installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from embeddings.errors import DependencyMissing
from embeddings.media import Clip, Picture, Waveform
from indexer.decode import Decoded
from indexer.hashes.chromaprint import ChromaprintHasher
from indexer.hashes.pdq import PdqHasher
from indexer.hashes.tlsh import TlshHasher
from retrieval.banks.hashes import QUALITY, Hash

HasherT = TypeVar("HasherT")


@dataclass(frozen=True)
class Hashed:
    """A hash, and of a video's key frame the second at which it is shown."""

    hash: Hash
    start: float | None = None


class Hashers:
    """What is absent is left out and listed in `missing`: the others work without it."""

    def __init__(self) -> None:
        self.missing: list[DependencyMissing] = []
        self.pdq = self._opened(PdqHasher)
        self.chromaprint = self._opened(ChromaprintHasher)
        self.tlsh = self._opened(TlshHasher)
        there = [hasher.model for hasher in (self.pdq, self.chromaprint, self.tlsh) if hasher]
        self.model = "+".join(["digests@1", *there])

    def of(self, decoded: Decoded) -> tuple[list[Hashed], list[str]]:
        """PDQ of a picture or of each key frame, in their order; Chromaprint of the sound; TLSH of a text. And a line for each
        way in which the file cannot be compared though its medium could."""
        content = decoded.content
        found: list[Hashed] = []
        told: list[str] = []
        if isinstance(content, Picture | Clip) and self.pdq:
            shown = (
                [(content, None)] if isinstance(content, Picture) else zip(content.pictures, content.times, strict=True)
            )
            found += [Hashed(self.pdq(picture), start) for picture, start in shown]
            if poor := sum(not hashed.hash.comparable for hashed in found):
                what = "the picture" if isinstance(content, Picture) else f"{poor} of {len(found)} key frames"
                told.append(f"{what} has too little in it to be compared (PDQ quality below {QUALITY})")
        sound = content.waveform if isinstance(content, Clip) else content if isinstance(content, Waveform) else None
        if sound is not None and self.chromaprint:
            heard = self.chromaprint(sound)
            found += [Hashed(heard)] if heard else []
            told += [] if heard else ["there is too little sound for a fingerprint: it takes some five seconds"]
        if isinstance(content, tuple) and self.tlsh:
            read = self.tlsh("\n".join(paragraph for page in content for paragraph in page.paragraphs))
            found += [Hashed(read)] if read else []
            told += [] if read else ["the text is too short or too uniform for TLSH"]
        return found, told

    def _opened(self, make: Callable[[], HasherT]) -> HasherT | None:
        try:
            return make()
        except DependencyMissing as error:
            self.missing.append(error)
            return None
