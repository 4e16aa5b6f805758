"""The encoders of the profile `builtin` with their calibrations."""

from __future__ import annotations

import json
from pathlib import Path

from crossmedia.embeddings.cards import FACE, FACES, LITE2, MINILM, SOUND, VOICE
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.encoder import Calibration, Modality
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing
from crossmedia.embeddings.face import FaceEncoder
from crossmedia.embeddings.faces import FaceDetector
from crossmedia.embeddings.picture import Lite2
from crossmedia.embeddings.sound import SOUND_BACKGROUND, WhisperSound
from crossmedia.embeddings.speech import Whisper
from crossmedia.embeddings.text import MiniLM
from crossmedia.embeddings.voice import Voice

Calibrations = dict[tuple[str, Modality, Modality], Calibration]


def towers(catalog: Catalog, threads: int | None = None) -> tuple[MiniLM, Lite2, Calibrations]:
    """The text and picture encoders and their calibrations by (space, modality of the query, modality of the target).

    `threads`: workers a network, default as many as this process may use.
    Raises `ModelMissing` or `ModelCorrupt`. The picture network is opened when it sees its first picture.
    """
    text = MiniLM(catalog.resolve(MINILM.id), threads)
    return text, Lite2(catalog.resolve(LITE2.id), threads), calibrations(BUNDLED / "backgrounds.json")


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


def clip_b16_calibrations() -> Calibrations:
    """What similarities of pictures as CLIP sees them mean, with each other and with words that were mapped to them."""
    from crossmedia.embeddings.clip_b16_words import BACKGROUNDS

    return calibrations(BUNDLED / BACKGROUNDS)


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
