"""The encoders of the profile `builtin` with their calibrations."""

from __future__ import annotations

import json
from pathlib import Path

from crossmedia.embeddings.cards import CLIP_B16, FACE, FACES, LITE2, MINILM, SOUND, STUDENT, VOICE
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.clip_b16 import ClipB16
from crossmedia.embeddings.clip_b16_words import bank_of, words_map
from crossmedia.embeddings.encoder import Calibration, Modality
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing
from crossmedia.embeddings.face import FaceEncoder
from crossmedia.embeddings.faces import FaceDetector
from crossmedia.embeddings.picture import HEAD, Lite2
from crossmedia.embeddings.sound import SOUND_BACKGROUND, WhisperSound
from crossmedia.embeddings.speech import Whisper
from crossmedia.embeddings.voice import Voice
from crossmedia.embeddings.words import Words, open_words

BACKGROUNDS, TEACHER_BACKGROUNDS = "backgrounds.json", "backgrounds-clip-b16.json"
"""Bundled: the calibrations of pictures as the student sees them, and as its teacher does."""

Calibrations = dict[tuple[str, Modality, Modality], Calibration]


def towers(catalog: Catalog, threads: int | None = None) -> tuple[Words, Lite2, Calibrations]:
    """The text and picture encoders and their calibrations by (space, modality of the query, modality of the target).

    `threads`: workers a network, default as many as this process may use.
    Raises `ModelMissing` or `ModelCorrupt`. The picture network is opened when it sees its first picture.
    """
    mapped = words_map(catalog)
    text = open_words(catalog, threads)
    head = catalog.resolve(STUDENT.id) / HEAD
    picture = Lite2(catalog.resolve(LITE2.id), head, lambda: bank_of(mapped), threads)
    return text, picture, calibrations(BUNDLED / BACKGROUNDS)


def teacher(catalog: Catalog, threads: int | None = None) -> ClipB16:
    """CLIP ViT-B/16's own picture tower, which the built-in one learned from. Raises `ModelMissing`; whether its files
    are whole is seen with the first picture."""
    catalog.locate(CLIP_B16.id)
    return ClipB16(lambda: catalog.resolve(CLIP_B16.id), lambda: bank_of(words_map(catalog)), threads)


def teacher_calibrations() -> Calibrations:
    """What similarities of pictures as CLIP sees them mean, with each other and with the built-in words."""
    return calibrations(BUNDLED / TEACHER_BACKGROUNDS)


def sound_tower(catalog: Catalog, whisper: Whisper) -> tuple[WhisperSound, Calibrations]:
    """The sound encoder on the transcriber's network, and the calibrations of sounds. Raises as `towers` does."""
    folder = catalog.resolve(SOUND.id)
    common = calibrations(BUNDLED / "backgrounds-sound.json")
    return WhisperSound(whisper, folder), {**common, ("sound", "sound", "sound"): SOUND_BACKGROUND}


def voice_encoder(catalog: Catalog, threads: int | None = None) -> tuple[Voice, Calibrations]:
    """The voice encoder, and as its calibration the probability that two recordings have one speaker. Raises as
    `towers` does."""
    return Voice(catalog.resolve(VOICE.id), threads), calibrations(BUNDLED / "backgrounds-voice.json")


def face_encoder(catalog: Catalog, threads: int | None = None) -> tuple[FaceEncoder, FaceDetector, Calibrations]:
    """The face encoder, what finds faces, and as calibration the probability that two are of one person. Raises as
    `towers` does, and DependencyMissing without dlib."""
    encoder, finder = FaceEncoder(catalog.resolve(FACE.id)), FaceDetector(catalog.resolve(FACES.id), threads)
    return encoder, finder, calibrations(BUNDLED / "backgrounds-face.json")


def calibrations(path: Path) -> Calibrations:
    """Read what `calibrate.py`, `sound_tower.py`, `voice.py` or `face.py` of `embeddings/train/` wrote."""
    if not path.is_file():
        raise ModelMissing(f"no calibrations at {path}", MINILM.install)
    try:
        rows = json.loads(path.read_text("utf-8"))["backgrounds"]
        return {
            (row["space"], row["query"], row["target"]): Calibration(
                row["mean"], row["std"], row["middle"], row["slope"], row["blind"]
            )
            for row in rows
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ModelCorrupt(f"{path} is not a list of calibrations: {error!r}", MINILM.install) from error
