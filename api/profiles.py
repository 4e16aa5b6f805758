"""Builds the encoders a collection is made with."""

from __future__ import annotations

from embeddings.catalog import Catalog
from embeddings.errors import ModelMissing
from embeddings.profile import Profile


def load_profile(name: str, catalog: Catalog, threads: int) -> Profile:
    """`builtin`: the bundled towers, and speech and sound where Whisper's weights are; `toy`: encoders without weights.

    Networks are read when they are first used, so that a search by words does not wait for the picture tower.
    """
    if name == "toy":
        from embeddings.toy import toy_profile

        return toy_profile()
    from embeddings.builtin import towers

    text, picture, backgrounds = towers(catalog, threads)
    try:
        folder = catalog.resolve("whisper-tiny.en")
    except ModelMissing:
        return Profile(name, text, picture, None, None, backgrounds)
    from embeddings.sound import SOUND_BACKGROUND, WhisperSound
    from embeddings.speech import Whisper

    whisper = Whisper(folder, threads)
    known = {**backgrounds, ("sound", "sound", "sound"): SOUND_BACKGROUND}
    return Profile(name, text, picture, WhisperSound(whisper), whisper, known)
