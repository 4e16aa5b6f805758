"""Compute every hash of a decoded file that the installed libraries offer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.enrichers.base import sound_track
from crossmedia.indexer.hashes.chromaprint import ChromaprintHasher
from crossmedia.indexer.hashes.frames import FrameHasher
from crossmedia.indexer.hashes.hashed import Hashed
from crossmedia.indexer.hashes.pdq import PdqHasher
from crossmedia.indexer.hashes.tlsh import TlshHasher
from crossmedia.indexer.hashes.views import crop_sides, without_bars
from crossmedia.retrieval.banks.hashes import QUALITY, HashKind

HasherT = TypeVar("HasherT")


class Hashers:
    """What is absent is left out and listed in `missing`, by its kind: the others work without it."""

    def __init__(self, memory: int | None = None) -> None:
        """`memory`: bytes that the process which hashes films may hold."""
        self.missing: dict[HashKind, DependencyMissing] = {}
        self.pdq = self._opened("pdq", PdqHasher)
        self.chromaprint = self._opened("chromaprint", ChromaprintHasher)
        self.tlsh = self._opened("tlsh", TlshHasher)
        self._frames = FrameHasher(memory)
        there = [hasher.model for hasher in (self.pdq, self.chromaprint, self.tlsh) if hasher]
        self.model = "+".join(["digests@1", "views@1", *there])

    def of(self, decoded: Decoded, path: Path) -> tuple[list[Hashed], list[str]]:
        """PDQ of a picture (and of what it is without bars), or of a video's key frames and of one frame a second, in
        time; Chromaprint of the sound; TLSH of a text. And a line for each way in which the file cannot be compared
        though its medium could. `path`: where it lies.

        Raises what decoding raises.
        """
        content = decoded.content
        results: list[Hashed] = []
        missing = self._lacking(content)
        if isinstance(content, Picture) and self.pdq:
            results.append(Hashed(self.pdq(content)))
            bare = without_bars(content)
            results += [Hashed(self.pdq(bare))] if bare else []
            if not results[0].hash.comparable:
                missing.append(f"the picture has too little in it to be compared (PDQ quality below {QUALITY})")
        if isinstance(content, Clip) and self.pdq:
            results += self._film(content, path, self.pdq)
            if not any(hashed.hash.comparable for hashed in results):
                missing.append(f"no frame has enough in it to be compared (PDQ quality below {QUALITY})")
        sound = sound_track(decoded)
        if sound is not None and self.chromaprint:
            heard = self.chromaprint(sound)
            results += [Hashed(heard)] if heard else []
            missing += [] if heard else ["there is too little sound for a fingerprint: it takes some five seconds"]
        if isinstance(content, tuple) and self.tlsh:
            read = self.tlsh("\n".join(paragraph for page in content for paragraph in page.paragraphs))
            results += [Hashed(read)] if read else []
            missing += [] if read else ["the text is too short or too uniform for TLSH"]
        return results, missing

    def crops(self, decoded: Decoded) -> list[Hashed]:
        """PDQ of a picture without a little of its sides, for banks that are to know cropped copies."""
        if not isinstance(decoded.content, Picture) or self.pdq is None:
            return []
        return [Hashed(self.pdq(view)) for view in crop_sides(decoded.content)]

    def close(self) -> None:
        self._frames.close()

    def _film(self, clip: Clip, path: Path, pdq: PdqHasher) -> list[Hashed]:
        """Each hash once, where it is shown first."""
        keys = [(time, pdq(picture)) for picture, time in zip(clip.pictures, clip.times, strict=True)]
        first: dict[str, Hashed] = {}
        for time, hashed in sorted((*keys, *self._frames(path)), key=lambda pair: pair[0]):
            first.setdefault(hashed.value, Hashed(hashed, time))
        return list(first.values())

    def _lacking(self, content: object) -> list[str]:
        """A line for each absent package that a file of this medium would need."""
        needed = {
            "pdq": isinstance(content, Picture | Clip),
            "chromaprint": isinstance(content, Waveform)
            or (isinstance(content, Clip) and content.waveform is not None),
            "tlsh": isinstance(content, tuple),
        }
        return [f"{error.message}: {error.hint}" for kind, error in self.missing.items() if needed[kind]]

    def _opened(self, kind: HashKind, make: Callable[[], HasherT]) -> HasherT | None:
        try:
            return make()
        except DependencyMissing as error:
            self.missing[kind] = error
            return None
