"""Builds the encoders a collection is made with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from crossmedia.api.settings import Settings
from crossmedia.embeddings.builtin import Calibrations
from crossmedia.embeddings.cards import CLIP_B16, LITE2, STUDENT, WHISPER
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.encoder import COMMON, Encoder
from crossmedia.embeddings.errors import DependencyMissing, ModelMissing
from crossmedia.embeddings.media import Waveform
from crossmedia.embeddings.pointing import CannotPoint, Pointer
from crossmedia.embeddings.profile import Profile, Transcriber
from crossmedia.embeddings.sight import with_sight

if TYPE_CHECKING:
    from crossmedia.embeddings.toy import ToyTeacher


def load_profile(settings: Settings, catalog: Catalog) -> Profile:
    """The encoders that the settings name, and what tells faces apart where they ask for it and the extra `faces` is
    there."""
    profile = _without_faces(settings, catalog)
    if not settings.faces:
        return profile
    if settings.profile == "toy":
        from crossmedia.embeddings.toy_faces import with_faces

        return with_faces(profile)
    from crossmedia.embeddings.builtin import face_encoder

    try:
        face, finder, calibrations = face_encoder(catalog, settings.threads)
    except (ModelMissing, DependencyMissing):
        return profile  # the enricher says so
    return replace(profile, face=face, finder=finder, calibrations={**profile.calibrations, **calibrations})


def _without_faces(settings: Settings, catalog: Catalog) -> Profile:
    """`builtin`: the bundled towers, and speech and sound where Whisper's weights are; `clip`: larger encoders, as the
    settings name them, in the place of all but voices; `toy`: encoders without weights.

    Networks of `builtin` are read when they are first used, so that a search by words does not wait for the picture
    tower.
    """
    if settings.profile == "toy":
        from crossmedia.embeddings.toy import toy_profile

        return with_sight(toy_profile(), _toy_teacher(settings), settings.sight)
    if settings.profile == "clip":
        return _clip(settings, catalog)
    from crossmedia.embeddings.builtin import towers, voice_encoder

    text, picture, calibrations = towers(catalog, settings.threads)
    sound, transcriber, heard = _whisper(settings, catalog)
    voice, spoken = voice_encoder(catalog, settings.threads)
    profile = Profile("builtin", text, picture, sound, transcriber, {**calibrations, **heard, **spoken}, voice)
    return _with_teacher(profile, settings, catalog)


def _with_teacher(profile: Profile, settings: Settings, catalog: Catalog) -> Profile:
    """With CLIP's own tower where it is installed, and what similarities of its vectors mean. Raises ModelMissing where
    only it is to see."""
    from crossmedia.embeddings.builtin import teacher, teacher_calibrations

    if not _has_teacher(settings, catalog):
        return profile
    tower = teacher(catalog, settings.threads)
    of_common = {key: known for key, known in teacher_calibrations().items() if key[0] == COMMON}
    seeing = with_sight(profile, tower, settings.sight)
    return replace(seeing, calibrations={**profile.calibrations, **of_common})


def _has_teacher(settings: Settings, catalog: Catalog) -> bool:
    """Whether CLIP's own tower is to see, and is installed. Raises ModelMissing where only it is to see."""
    if settings.sight == "student":
        return False
    try:
        catalog.locate(CLIP_B16.id)
    except ModelMissing:
        if settings.sight == "teacher":
            raise
        return False
    return True


def load_pointer(settings: Settings, catalog: Catalog, profile: Profile) -> Pointer:
    """What points at words in pictures: CLIP's own tower where it is installed, else the one in the package.

    Raises ModelMissing where only CLIP's is to see, CannotPoint for encoders of another space.
    """
    if settings.profile == "toy":
        from crossmedia.embeddings.toy import ToyPointer

        return ToyPointer()
    from crossmedia.embeddings.cards import COMMON as CLIPS

    if profile.spaces[COMMON] != CLIPS:
        raise CannotPoint(f"{profile.picture.model} does not say where things are", "the built-in encoders do")
    from crossmedia.embeddings.pointing_clip import ClipPointer
    from crossmedia.embeddings.pointing_student import StudentPointer

    if _has_teacher(settings, catalog):
        return ClipPointer(lambda: catalog.resolve(CLIP_B16.id), settings.threads)
    return StudentPointer(catalog.resolve(LITE2.id), catalog.resolve(STUDENT.id), settings.threads)


def _toy_teacher(settings: Settings) -> ToyTeacher | None:
    """Where the folder of models has one of its name. Raises ModelMissing where only it is to see."""
    from crossmedia.embeddings.toy import TEACHER, ToyTeacher

    if settings.models is not None and (settings.models / TEACHER).is_dir():
        return ToyTeacher()
    if settings.sight == "teacher":
        raise ModelMissing(f"{TEACHER} is not installed", f"make a folder {TEACHER} where CROSSMEDIA_MODELS says")
    return None


def _clip(settings: Settings, catalog: Catalog) -> Profile:
    """Sentence vectors are the built-in ones unless another encoder is named, sounds by example as well. What
    similarities mean is measured in the collection itself, but for words that were mapped to CLIP's pictures."""
    from crossmedia.embeddings import specification
    from crossmedia.embeddings.builtin import teacher_calibrations, towers, voice_encoder
    from crossmedia.embeddings.clip_b16_words import MAPPED
    from crossmedia.embeddings.joined import Joined, Restricted

    runtime = specification.Runtime(
        settings.device, settings.precision, settings.threads, settings.allow_hub, settings.models
    )
    words, picture = specification.pictures(settings.picture_encoder, runtime)
    builtin, _, calibrations = towers(catalog, settings.threads)
    whisper, transcriber, heard = _whisper(settings, catalog)
    known = {key: calibration for key, calibration in {**calibrations, **heard}.items() if key[0] in ("text", "sound")}
    if settings.picture_encoder == MAPPED:
        known |= teacher_calibrations()
    sentence: Encoder[str] = Restricted(builtin, "text")
    sound: Encoder[Waveform] | None = Restricted(whisper, "sound") if whisper is not None else None
    if settings.text_encoder:
        sentence = specification.sentences(settings.text_encoder, runtime)
        known = {key: calibration for key, calibration in known.items() if key[0] != "text"}
    text = Joined(sentence, words)
    if settings.sound_encoder:
        named, sound = specification.sounds(settings.sound_encoder, runtime)
        text = Joined(sentence, words, named)
        known = {key: calibration for key, calibration in known.items() if key[0] != "sound"}
    voice, spoken = voice_encoder(catalog, settings.threads)
    return Profile("clip", text, picture, sound, transcriber, {**known, **spoken}, voice)


def _whisper(settings: Settings, catalog: Catalog) -> tuple[Encoder[Waveform] | None, Transcriber | None, Calibrations]:
    """What hears and what listens to speech, one network unless the settings name another for speech, and what
    similarities of sounds mean. Raises ModelMissing where a named one is absent."""
    from crossmedia.embeddings.builtin import sound_tower
    from crossmedia.embeddings.speech import Whisper

    other = None if settings.speech_model == WHISPER.id else settings.speech_model
    named = Path(other) if other and Path(other).is_dir() else catalog.resolve(other) if other else None
    transcriber = Whisper(named, settings.threads) if named else None
    try:
        whisper = Whisper(catalog.resolve(WHISPER.id), settings.threads)
    except ModelMissing:
        return None, transcriber, {}
    sound, heard = sound_tower(catalog, whisper)
    return sound, transcriber or whisper, heard
