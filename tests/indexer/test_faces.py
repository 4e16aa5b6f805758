"""The faces enricher over toy faces: moments in moments, names, crowds, borders, and what was forgotten."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from crossmedia.embeddings.encoder import FACE, Vector
from crossmedia.embeddings.faces import Portrait
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.toy_faces import ToyFace, ToyFinder
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.enrichers.faces import MAX_FACES, FacesEnricher, crop_face
from crossmedia.indexer.tracks import Tracker
from crossmedia.retrieval.documents import Asset, Label, Moment, moment_id, part_id
from tests.face_makers import ADA, BOB, CYD, Place, scene

ASSET = Asset("beef" * 16, "image", "image/png", 1, "x")
WHOLE = moment_id(ASSET.id, "picture", 0)


def enricher(known: Callable[[Vector], str | None] = lambda vector: None) -> FacesEnricher:
    return FacesEnricher(ToyFinder(), ToyFace(), Tracker(), known, 0.9)


def whole(*labels: Label) -> Moment:
    return Moment(WHOLE, ASSET.id, "picture", labels=labels)


def still(*faces: Place, size: int = 60) -> Decoded:
    return Decoded("image", "image/png", Picture(scene(faces, size)))


def test_each_face_is_a_moment_in_the_picture() -> None:
    result = enricher().enrich(ASSET, still((ADA, 20, 60), (BOB, 200, 60)), [whole()])
    assert [moment.id for moment in result.moments] == [part_id(WHOLE, "face", n) for n in range(2)]
    first = result.moments[0]
    assert (first.kind, first.start, first.end, set(first.vectors)) == ("face", None, None, {FACE})
    assert first.thumbnail is not None
    assert first.thumbnail[:2] == b"\xff\xd8"
    (label,) = first.labels
    assert (label.kind, label.value, label.score) == ("person", "person beef-1", 0.9)
    assert label.box == pytest.approx((20 / 320, 60 / 240, 80 / 320, 120 / 240))
    (patch,) = result.patches
    assert patch.moment == WHOLE
    assert [(one.kind, one.value) for one in patch.labels] == [
        ("person", "person beef-1"),
        ("person", "person beef-2"),
        ("faces", "2"),
    ]


def test_names_that_are_known_and_numbers_that_are_taken() -> None:
    bob = ToyFace().encode([portrait(BOB)]).vectors[FACE][0]
    known = lambda vector: "person beef-1" if vector @ bob > 0.9 else None  # noqa: E731
    result = enricher(known).enrich(ASSET, still((ADA, 0, 60), (BOB, 100, 60), (CYD, 200, 60)), [whole()])
    assert {moment.labels[0].value for moment in result.moments} == {"person beef-1", "person beef-2", "person beef-3"}
    twice = enricher().enrich(ASSET, still((ADA, 0, 60), ((250, 20, 153), 100, 60)), [whole()])
    assert [moment.labels[0].value for moment in twice.moments] == ["person beef-1"] * 2


def test_a_face_at_the_border_is_one() -> None:
    result = enricher().enrich(ASSET, still((ADA, -20, 60), (BOB, 290, 200)), [whole()])
    boxes = [moment.labels[0].box for moment in result.moments]
    assert boxes[0] == pytest.approx((0, 0.25, 40 / 320, 0.5))
    assert boxes[1] == pytest.approx((290 / 320, 200 / 240, 1, 1))


def test_a_crowd_is_counted_and_its_largest_are_told_apart() -> None:
    crowd = [(ADA, 30 * column, 30 * row) for row in range(50) for column in range(100)]
    pixels = scene(crowd, 25, 3000, 1500)
    result = enricher().enrich(ASSET, Decoded("image", "image/png", Picture(pixels)), [whole()])
    assert len(result.moments) == MAX_FACES
    (counted,) = [label.value for label in result.patches[0].labels if label.kind == "faces"]
    assert counted == "5000"


def test_what_is_too_small_is_counted_only() -> None:
    result = enricher().enrich(ASSET, still((ADA, 20, 60), size=12), [whole()])
    assert (result.moments, [label.value for label in result.patches[0].labels]) == ((), ["1"])


def test_nothing_is_said_of_a_picture_without_faces() -> None:
    result = enricher().enrich(ASSET, still(), [whole()])
    assert (result.moments, result.patches) == ((), ())


def test_what_was_forgotten_is_left_out() -> None:
    mark = Label("forgotten", "face", 1.0, "forgotten", (0.05, 0.25, 0.25, 0.5))
    result = enricher().enrich(ASSET, still((ADA, 20, 60), (BOB, 200, 60)), [whole(mark)])
    (left,) = result.moments
    assert left.labels[0].box == pytest.approx((200 / 320, 0.25, 260 / 320, 0.5))
    timed = Label("forgotten", "face", 1.0, "forgotten", mark.box, 5.0, 6.0)
    at_zero = Moment(WHOLE, ASSET.id, "picture", 0.0, 1.0, labels=(timed,))
    assert len(enricher().enrich(ASSET, still((ADA, 20, 60)), [at_zero]).moments) == 1


def test_the_picture_of_a_face_is_small_and_shows_a_little_more() -> None:
    small = crop_face(portrait(ADA, size=200))
    assert max(small.width, small.height) == 112
    corner = small.pixels[0, 0].tolist()
    assert corner == [120, 120, 120]
    assert small.pixels[56, 56].tolist() == list(ADA)


def portrait(colour: tuple[int, int, int], size: int = 60) -> Portrait:
    shown = Picture(scene([(colour, 60, 20)], size))
    (face,) = ToyFinder().detect([shown])[0]
    return Portrait(shown, face)


def test_toy_shades_are_apart() -> None:
    rows = ToyFace().encode([portrait(colour) for colour in (ADA, BOB, CYD)]).vectors[FACE]
    assert np.max((rows @ rows.T)[~np.eye(3, dtype=bool)]) < 0.3
