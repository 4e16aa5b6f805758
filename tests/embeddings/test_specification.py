"""Encoders by name: what is understood, and what is refused before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.specification import Runtime, UnknownSpecification, pictures, sentences, sounds
from tests.embeddings.tiny_models import clap_folder, openclip_folder, picture

RUNTIME = Runtime("cpu", "fp32")


@pytest.mark.parametrize("name", ["", "ViT-B-32", "openclip:", "magic:model", ":x"])
def test_what_is_no_specification(name: str) -> None:
    with pytest.raises(UnknownSpecification, match="names no encoder"):
        pictures(name, RUNTIME)


def test_one_for_another_purpose(tmp_path: Path) -> None:
    with pytest.raises(UnknownSpecification, match="no two towers"):
        pictures("st:all-MiniLM-L6-v2", RUNTIME)
    with pytest.raises(UnknownSpecification, match="no sentence encoder"):
        sentences(f"openclip:{tmp_path}", RUNTIME)


def test_an_exported_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        pictures(f"onnx:{tmp_path}", RUNTIME)


def test_openclip_gives_words_and_pictures_of_one_space(tmp_path: Path) -> None:
    words, seen = pictures(f"openclip:{openclip_folder(tmp_path / 'clip')}", RUNTIME)
    assert words.spaces[0] == seen.spaces[0]
    looked = seen.encode([picture(1, 40, 30)]).vectors["common"]
    assert words.encode(["a dog"]).vectors["common"].shape == looked.shape
    with pytest.raises(UnknownSpecification, match="does not hear"):
        sounds(f"openclip:{tmp_path / 'clip'}", RUNTIME)


def test_clap_gives_words_and_sounds_of_the_space_sound(tmp_path: Path) -> None:
    words, heard = sounds(f"clap:{clap_folder(tmp_path / 'clap')}", RUNTIME)
    assert words.spaces == heard.spaces
    assert [space.name for space in heard.spaces] == ["sound"]
    with pytest.raises(UnknownSpecification, match="does not see"):
        pictures(f"clap:{tmp_path / 'clap'}", RUNTIME)
