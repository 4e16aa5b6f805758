"""What is asked becomes parts: each text and example as vectors of every space that can express it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import FACE, IDENTITIES, VOICE, Modality, Vector, Vectors, normalise
from crossmedia.embeddings.face import largest
from crossmedia.embeddings.faces import Portrait
from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.vad import cut_speech
from crossmedia.retrieval.documents import modality
from crossmedia.retrieval.planner import QueryPart
from crossmedia.retrieval.query import Example, Query
from crossmedia.retrieval.store import NotFound, Store

VIEWS: Final = 4
"""Key frames of a clip, or moments of an asset, that are searched with when it is the example."""

ASKED: Final = 29.0
"""Seconds of speech that a recogniser hears at once, and a spoken question lasts at most."""

PartVectors = dict[tuple[str, Modality], Sequence[Vector]]


def parts_of(query: Query, store: Store, profile: Profile, notes: list[str]) -> list[QueryPart]:
    """The wanted and unwanted parts of a query. `notes` gets what could not be understood. Raises NotFound."""
    return _Asking(query, store, profile, notes).parts()


@dataclass(frozen=True, eq=False)
class _Asking:
    query: Query
    store: Store
    profile: Profile
    notes: list[str]

    @property
    def _what(self) -> bool:
        """Whether it is asked what something is, and not only who."""
        return self.query.legs is None or bool(set(self.query.legs) - IDENTITIES)

    def parts(self) -> list[QueryPart]:
        texts = [*((t, 1.0) for t in self.query.texts), *((t, -1.0) for t in self.query.negatives)]
        return [
            *(self._text(text, weight) for text, weight in texts if text.strip()),
            *(self._example(example) for example in self.query.examples),
        ]

    def _text(self, text: str, weight: float, name: str | None = None) -> QueryPart:
        return QueryPart(weight, name or text, self._vectors_of_text(text), text)

    def _vectors_of_text(self, text: str) -> PartVectors:
        return {(space, "text"): [rows[0]] for space, rows in self.profile.text.encode([text]).vectors.items()}

    def _example(self, example: Example) -> QueryPart:
        name = example.name or example.asset or type(example.media).__name__.lower()
        if example.asset is not None:
            return self._indexed(example.asset, example.weight, name)
        media = example.media
        if isinstance(media, str):
            return self._text(media, example.weight, name)
        vectors: PartVectors = {}
        pictures = [media] if isinstance(media, Picture) else list(media.pictures) if isinstance(media, Clip) else []
        waveform = media if isinstance(media, Waveform) else media.waveform if isinstance(media, Clip) else None
        spoken = ""
        if pictures and self._what:
            for space, rows in self.profile.query_picture.encode(pictures).vectors.items():
                vectors[space, "picture"] = views(rows)
        if waveform is not None and self._what:
            spoken = self._hear(waveform, vectors, name)
        if waveform is not None and VOICE in (self.query.legs or ()):
            self._recognise(waveform, vectors, name)
        if pictures and FACE in (self.query.legs or ()):
            self._look_at(pictures, vectors, name)
        return QueryPart(example.weight, f"{name}: “{spoken}”" if spoken else name, vectors, spoken or None)

    def _hear(self, waveform: Waveform, vectors: PartVectors, name: str) -> str:
        """Vectors of what a recording says and of how it sounds; returns what it says."""
        if self.profile.sound is not None:
            for space, rows in self.profile.sound.encode([waveform]).vectors.items():
                vectors[space, "sound"] = [rows[0]]
        if self.profile.transcriber is None:
            self.notes.append(
                f'{name}: speech was not recognised, its model is absent: pip install "crossmedia[offline]"'
            )
            return ""
        spoken = " ".join(utterance.text for utterance in self.profile.transcriber.transcribe(waveform)).strip()
        if spoken and waveform.seconds <= ASKED:
            # A word misheard is often heard right in the second or third hypothesis.
            said, chances = zip(*self.profile.transcriber.hypotheses(waveform), strict=True)
            for space, rows in self.profile.text.encode(said).vectors.items():
                vectors[space, "text"] = [normalise(np.array(chances, dtype=np.float32) @ rows)]
        elif spoken:
            vectors |= self._vectors_of_text(spoken)
        return spoken

    def _recognise(self, waveform: Waveform, vectors: PartVectors, name: str) -> None:
        """The vector of whoever speaks."""
        if self.profile.voice is None:
            self.notes.append(f"{name}: this profile has no speaker recognition")
            return
        speech = cut_speech(waveform, self.profile.detector)
        if not speech.seconds:
            self.notes.append(f"{name}: no speech in it")
            return
        for space, rows in self.profile.voice.encode([speech]).vectors.items():
            vectors[space, "voice"] = [rows[0]]

    def _look_at(self, pictures: Sequence[Picture], vectors: PartVectors, name: str) -> None:
        """The vector of the largest face."""
        if self.profile.face is None or self.profile.finder is None:
            self.notes.append(f"{name}: face recognition is off")
            return
        found = zip(pictures, self.profile.finder.detect(pictures), strict=True)
        face = largest(Portrait(picture, own) for picture, faces in found for own in faces)
        if face is None:
            self.notes.append(f"{name}: no face in it")
            return
        for space, rows in self.profile.face.encode([face]).vectors.items():
            vectors[space, "face"] = [rows[0]]

    def _indexed(self, asset: str, weight: float, name: str) -> QueryPart:
        moments = self.store.moments(asset)
        if not moments:
            raise NotFound(
                f"no asset {asset}",
                "a search finds ids; a unique beginning of one is enough on the command line",
            )
        gathered: dict[tuple[str, Modality], list[Vector]] = {}
        # What it is like is told by the whole, whatever else stands in it.
        kinds = {moment.id: moment.kind for moment in moments if moment.kind != "region"}
        for space in self.profile.spaces:
            for moment, vector in self.store.vectors(space, list(kinds)).items():
                gathered.setdefault((space, modality(space, kinds[moment])), []).append(vector)
        return QueryPart(weight, name, {key: views(np.stack(found)) for key, found in gathered.items()})


def views(rows: Sequence[Vector] | Vectors, count: int = VIEWS) -> list[Vector]:
    """At most so many of the rows, evenly spaced from the first to the last."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int))
    return [rows[i] for i in chosen]
