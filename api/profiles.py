"""Builds the encoders a collection is made with."""

from __future__ import annotations

from api.settings import Settings
from embeddings.catalog import Catalog
from embeddings.encoder import Encoder
from embeddings.errors import ModelMissing
from embeddings.media import Waveform
from embeddings.profile import Profile, Transcriber


def load_profile(settings: Settings, catalog: Catalog) -> Profile:
    """`builtin`: the bundled towers, and speech and sound where Whisper's weights are; `clip`: larger encoders, as the
    settings name them, in their place; `toy`: encoders without weights.

    Networks of `builtin` are read when they are first used, so that a search by words does not wait for the picture tower.
    """
    if settings.profile == "toy":
        from embeddings.toy import toy_profile

        return toy_profile()
    if settings.profile == "clip":
        return _clip(settings, catalog)
    from embeddings.builtin import towers

    text, picture, backgrounds = towers(catalog, settings.threads)
    sound, transcriber = _whisper(settings, catalog)
    if sound is None:
        return Profile("builtin", text, picture, None, None, backgrounds)
    from embeddings.sound import SOUND_BACKGROUND

    known = {**backgrounds, ("sound", "sound", "sound"): SOUND_BACKGROUND}
    return Profile("builtin", text, picture, sound, transcriber, known)


def _clip(settings: Settings, catalog: Catalog) -> Profile:
    """Sentence vectors are the built-in ones unless another encoder is named, sounds by example as well. What similarities
    mean is measured in the collection itself."""
    from embeddings import specification
    from embeddings.builtin import towers
    from embeddings.joined import Joined, Restricted

    runtime = specification.Runtime(settings.device, settings.precision, settings.threads, settings.allow_hub)
    words, picture = specification.pictures(settings.picture_encoder, runtime)
    builtin, _, backgrounds = towers(catalog, settings.threads)
    sentence: Encoder[str] = Restricted(builtin, "text")
    known = {key: value for key, value in backgrounds.items() if key[0] == "text"}
    if settings.text_encoder:
        sentence, known = specification.sentences(settings.text_encoder, runtime), {}
    whisper, transcriber = _whisper(settings, catalog)
    sound: Encoder[Waveform] | None = None
    if settings.sound_encoder:
        heard, sound = specification.sounds(settings.sound_encoder, runtime)
        return Profile("clip", Joined(sentence, words, heard), picture, sound, transcriber, known)
    if whisper is not None:
        from embeddings.sound import SOUND_BACKGROUND

        sound, known = Restricted(whisper, "sound"), {**known, ("sound", "sound", "sound"): SOUND_BACKGROUND}
    return Profile("clip", Joined(sentence, words), picture, sound, transcriber, known)


def _whisper(settings: Settings, catalog: Catalog) -> tuple[Encoder[Waveform] | None, Transcriber | None]:
    """What hears and what listens to speech: one network."""
    try:
        folder = catalog.resolve("whisper-tiny.en")
    except ModelMissing:
        return None, None
    from embeddings.sound import WhisperSound
    from embeddings.speech import Whisper

    whisper = Whisper(folder, settings.threads)
    return WhisperSound(whisper), whisper
