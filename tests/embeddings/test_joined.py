"""Encoders joined: all their spaces from one call, and no two networks in one space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Encoding, Modality, Space
from crossmedia.embeddings.joined import Joined, Restricted, SpaceClash
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.toy import ToyPicture, ToyText


class Other:
    """The toy's words in a space of another name."""

    modality: Modality = "text"
    model = "other"

    def __init__(self, name: str = "sound") -> None:
        self.name = name
        self.spaces: tuple[Space, ...] = (replace(ToyText.spaces[1], name=name, model="other"),)

    def encode(self, batch: Sequence[str]) -> Encoding:
        return Encoding({self.name: ToyText().encode(batch).vectors["common"]})


def test_all_spaces_from_one_call() -> None:
    joined = Joined(ToyText(), Other())
    assert joined.modality == "text"
    assert [space.name for space in joined.spaces] == ["text", "common", "sound"]
    assert joined.model == "toy+other"
    vectors = joined.encode(["a red ball", "rain"]).vectors
    for name, rows in ToyText().encode(["a red ball", "rain"]).vectors.items():
        np.testing.assert_array_equal(vectors[name], rows)
    assert vectors["sound"].shape == (2, 64)
    assert {name: len(rows) for name, rows in joined.encode([]).vectors.items()} == {"text": 0, "common": 0, "sound": 0}


def test_classes_are_kept() -> None:
    red = Picture(np.full((8, 8, 3), (220, 20, 20), np.uint8))
    assert Joined(ToyPicture()).encode([red]).classes[0][0][0] == "red"


def test_two_networks_in_one_space_or_of_two_modalities_are_refused() -> None:
    with pytest.raises(SpaceClash, match="common"):
        Joined(ToyText(), Other("common"))
    with pytest.raises(SpaceClash, match="picture"):
        Joined(Other(), ToyPicture())  # type: ignore[arg-type]


def test_restricted_to_some_spaces() -> None:
    only = Restricted(ToyText(), "text")
    assert [space.name for space in only.spaces] == ["text"]
    found = only.encode(["a red ball"]).vectors
    assert list(found) == ["text"]
    np.testing.assert_array_equal(found["text"], ToyText().encode(["a red ball"]).vectors["text"])
