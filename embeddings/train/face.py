"""Calibrate and measure the face encoder, and find where YuNet's points lie on dlib's chips.

    python -m crossmedia.embeddings.train.face --data ../shared/data --out embeddings/bundled

writes `backgrounds-face.json`. Nothing is trained: dlib's weights come with the extra `faces` and are not bundled. The
calibration rests on the 15 people of ../shared/data/faces. All photos of one of them were taken in one room, so half of
the pictures are spoilt: a fit to them as they are would be sure of what it has not seen. Strangers are also the faces
of Flickr8k.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.embeddings.cards import FACE
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.face import SIDE, FaceEncoder, largest, similarity
from crossmedia.embeddings.faces import FaceDetector, Portrait
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.train.calibrate import calibration
from crossmedia.embeddings.train.data import flickr8k, picture
from crossmedia.embeddings.train.sound_measure import calibration_error
from crossmedia.embeddings.train.voice_measure import Names, Trials, brier, equal_error_rate, pairs, score_held_out

Pixels: TypeAlias = NDArray[np.uint8]

CORNERS: Final = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
"""Where dlib lays its own five landmarks, in shares of the face (get_face_chip_details in its `interpolation.h`)."""
PADDING: Final = 0.25
MIN_STRANGER_SIDE: Final = 36.0
"""Shorter side, px, from which a face of Flickr8k is taken for a stranger's."""


def shrink(pixels: Pixels, chance: np.random.Generator) -> Pixels:
    """As if the face had been 22 to 40 px wide."""
    width = int(chance.integers(22, 41))
    size = (width, width * pixels.shape[0] // pixels.shape[1])
    shrunk = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def compress(pixels: Pixels, chance: np.random.Generator) -> Pixels:
    """A JPEG of quality 10 to 30."""
    _, coded = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(10, 31))))
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def relight(pixels: Pixels, chance: np.random.Generator) -> Pixels:
    """Darker or lighter, from one side."""
    left, right = chance.uniform(0.35, 1.4, 2).tolist()
    slope = np.linspace(left, right, pixels.shape[1])[None, :, None]
    return np.asarray((pixels * slope).clip(0, 255), np.uint8)


def add_noise(pixels: Pixels, chance: np.random.Generator) -> Pixels:
    """Noise of 10 to 25 grey levels."""
    noise = chance.normal(0, chance.uniform(10, 25), pixels.shape)
    return np.asarray((pixels + noise).clip(0, 255), np.uint8)


DEGRADATIONS: Final[Mapping[str, Callable[[Pixels, np.random.Generator], Pixels]]] = {
    "small": shrink,
    "pressed": compress,
    "lit": relight,
    "noise": add_noise,
}


def portraits(finder: FaceDetector, photos: Sequence[Picture]) -> list[Portrait | None]:
    """The largest face of each."""
    detected = finder.detect(photos)
    return [largest(Portrait(photo, f) for f in some) for photo, some in zip(photos, detected, strict=True)]


def vectors_of(encoder: FaceEncoder, some: Sequence[Portrait]) -> Vectors:
    return encoder.encode(some).vectors["face"]


def measure(data: Path, encoder: FaceEncoder, finder: FaceDetector) -> dict[str, Any]:
    """`{"backgrounds": [...], "figures": {...}}`, JSON-ready."""
    paths = sorted((data / "faces").glob("*/*.png"))
    people: Names = np.array([path.parent.name for path in paths])
    photos = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in paths]
    chance = np.random.default_rng(5)
    plain = portraits(finder, photos)
    numbers = np.flatnonzero([one is not None for one in plain])
    rows = vectors_of(encoder, [one for one in plain if one is not None])
    clean = pairs(rows, people[numbers], numbers)
    figures: dict[str, float] = {
        "people": len(set(people.tolist())),
        "pictures": len(paths),
        "faces found": len(numbers) / len(paths),
        "equal error rate": equal_error_rate(clean.cosines[clean.same], clean.cosines[~clean.same]),
    }
    spoilt: list[Trials] = []
    found, owners = [rows], [numbers]
    for name, way in DEGRADATIONS.items():
        made = portraits(finder, [Picture(way(photo.pixels, chance)) for photo in photos])
        left = np.flatnonzero([one is not None for one in made])
        new = vectors_of(encoder, [one for one in made if one is not None])
        spoilt.append(pairs(new, people[left], left))
        figures[f"faces found, {name}"] = len(left) / len(paths)
        figures[f"equal error rate, {name}"] = equal_error_rate(
            spoilt[-1].cosines[spoilt[-1].same], spoilt[-1].cosines[~spoilt[-1].same]
        )
        quarter = np.flatnonzero(chance.random(len(left)) < 1 / len(DEGRADATIONS))
        found.append(new[quarter])
        owners.append(left[quarter])
    owner = np.concatenate(owners)
    mixed = pairs(np.concatenate(found), people[owner], owner)
    strange = strangers(data, encoder, finder)
    one, other = np.triu_indices(len(strange), 1)
    apart = np.concatenate([(strange @ strange.T)[one, other], (strange @ rows.T).ravel()])
    fitted = calibration(mixed.cosines[mixed.same], np.concatenate([mixed.cosines[~mixed.same], apart]), None)
    unseen = score_held_out(mixed)
    figures["Brier score of unseen people"] = brier(unseen)
    figures["expected calibration error of unseen people"] = calibration_error(unseen[:, 0], unseen[:, 1] > 0)
    figures["equal error rate, as calibrated"] = equal_error_rate(mixed.cosines[mixed.same], mixed.cosines[~mixed.same])
    figures["strangers of Flickr8k"] = len(strange)
    for least in (0.5, 0.9, 0.97):
        cut = fitted.similarity(least)
        figures[f"pairs with strangers called one person at {least}"] = float(np.mean(apart >= cut))
        figures[f"pairs of one person not called so at {least}"] = float(np.mean(clean.cosines[clean.same] < cut))
    row = {"space": "face", "query": "face", "target": "face", **fitted.as_dict()}
    return {"backgrounds": [row], "figures": figures}


def strangers(data: Path, encoder: FaceEncoder, finder: FaceDetector) -> Vectors:
    """The largest face of each photo of Flickr8k's dev split, where it is large enough."""
    photos = [picture(photo) for photo in flickr8k(data / "flickr8k", "dev")]
    return vectors_of(
        encoder, [one for one in portraits(finder, photos) if one is not None and one.size >= MIN_STRANGER_SIDE]
    )


def middles(data: Path, catalog: Catalog, finder: FaceDetector) -> list[list[float]]:
    """YuNet's five points on chips that dlib's own landmarks lay out: medians over faces of Flickr8k's training photos
    that both see alike, made symmetric."""
    import dlib

    predictor = dlib.shape_predictor(str(catalog.resolve(FACE.id) / "shape_predictor_5_face_landmarks.dat"))
    goal = (PADDING + np.array(CORNERS)) / (1 + 2 * PADDING) * SIDE
    seen = []
    photos = (picture(photo) for photo in flickr8k(data / "flickr8k", "train")[::4])
    for photo in photos:
        one = largest(Portrait(photo, face) for face in finder.detect([photo], 0.8)[0])
        if one is None or one.size < MIN_STRANGER_SIDE:
            continue
        x0, y0, x1, y1 = np.array(one.face.box) * ([photo.width, photo.height] * 2)
        side, middle = max(x1 - x0, 0.85 * (y1 - y0)), ((x0 + x1) / 2, 0.45 * y0 + 0.55 * y1)
        edges = (middle[0] - side / 2, middle[1] - side / 2, middle[0] + side / 2, middle[1] + side / 2)
        marks = predictor(np.ascontiguousarray(photo.pixels), dlib.rectangle(*map(round, edges))).parts()
        own = np.array([(mark.x, mark.y) for mark in marks], dtype=np.float64)
        turn = similarity(own, goal)
        if np.abs(own @ turn[:, :2].T + turn[:, 2] - goal).max() < 10:
            seen.append(one.face.pixels(photo) @ turn[:, :2].T + turn[:, 2])
    points = np.median(seen, axis=0)
    mirrored = np.stack([SIDE - points[[1, 0, 2, 4, 3], 0], points[[1, 0, 2, 4, 3], 1]], axis=1)
    return [[round(x, 1), round(y, 1)] for x, y in ((points + mirrored) / 2).tolist()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/ and flickr8k/")
    parser.add_argument("--out", type=Path, default=BUNDLED)
    asked = parser.parse_args()
    catalog = Catalog()
    encoder, finder = FaceEncoder(catalog.resolve(FACE.id)), FaceDetector(threads=2)
    measured = measure(asked.data, encoder, finder)
    measured["figures"]["points"] = middles(asked.data, catalog, finder)
    (asked.out / "backgrounds-face.json").write_text(json.dumps(measured, indent=1) + "\n", "utf-8")
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
