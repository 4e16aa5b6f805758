"""Answer which colour something has: by its pixels, and by how well a picture of each colour fits."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.media import Picture
from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.question import Question, content
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import find_sightings, label_evidence, odds, vectors_of
from crossmedia.retrieval.answering.things import labels_of, thing_of
from crossmedia.retrieval.documents import Box, Label, Moment

MODEL: Final = "answers-colours@1"
COLOURS: Final[dict[str, tuple[tuple[int, int, int], ...]]] = {
    "black": ((15, 15, 15), (40, 38, 40)),
    "white": ((245, 245, 245), (215, 215, 218)),
    "grey": ((128, 128, 128), (95, 95, 98), (165, 165, 168)),
    "red": ((200, 30, 40), (140, 25, 35)),
    "orange": ((240, 130, 30), (215, 105, 40)),
    "yellow": ((240, 215, 50), (215, 190, 90)),
    "green": ((60, 140, 60), (40, 80, 40), (120, 160, 70)),
    "blue": ((40, 80, 180), (30, 45, 95), (110, 160, 215)),
    "purple": ((115, 50, 140), (150, 110, 180)),
    "pink": ((240, 130, 170), (230, 175, 190)),
    "brown": ((110, 70, 40), (150, 105, 70), (185, 145, 105)),
}
"""Berlin and Kay's eleven basic colour terms by some sRGB values of each, as photographs show them."""
MIN_SECOND_SHARE: Final = 0.3
"""Share of the area from which a second colour is mentioned."""
SHARPENING: Final = 1.8
"""Of the log-shares, so that a colour is as likely right as it says; chosen on the odd questions of
`eval/questions.csv`."""
MIN_SEEN_RELEVANCE: Final = 0.3
"""Relevance under which the thing is not taken to be there."""
PARTS_OF_PERSON: Final[tuple[tuple[str, Box], ...]] = (
    (
        r"shirt|t-shirt|tshirt|top|jacket|coat|sweater|jersey|vest|blouse|hoodie|dress|uniform|suit"
        r"|clothes|clothing|outfit",
        (0.25, 0.2, 0.75, 0.5),
    ),
    (r"trousers|pants|jeans|shorts|skirt|leggings", (0.25, 0.5, 0.75, 0.8)),
    (r"hair|hat|cap|helmet|beanie|headband|bandana", (0.3, 0.0, 0.7, 0.13)),
    (r"shoes?|boots?|sneakers|socks", (0.15, 0.88, 0.85, 1.0)),
)
"""Where on a person's box it lies."""
PLACES: Final[dict[str, Box]] = {
    "sky": (0.0, 0.0, 1.0, 0.25),
    "ceiling": (0.1, 0.0, 0.9, 0.15),
    "grass": (0.0, 0.65, 1.0, 1.0),
    "floor": (0.1, 0.75, 0.9, 1.0),
    "ground": (0.0, 0.7, 1.0, 1.0),
    "snow": (0.0, 0.6, 1.0, 1.0),
    "sand": (0.0, 0.65, 1.0, 1.0),
    "water": (0.0, 0.5, 1.0, 1.0),
    "wall": (0.0, 0.1, 1.0, 0.5),
    "walls": (0.0, 0.1, 1.0, 0.5),
    "background": (0.0, 0.0, 1.0, 0.4),
    "carpet": (0.1, 0.75, 0.9, 1.0),
    "field": (0.0, 0.65, 1.0, 1.0),
}
"""Where in a picture it mostly is."""


class Colouring:
    """Names colours of things in pictures and key frames."""

    model: str = MODEL

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        topic = question.topic
        if not topic:
            return None
        best: Reply | None = None
        for moment in _moments(scope, topic):
            reply = self._of(topic, moment, scope)
            if reply is not None and (best is None or reply.confidence > best.confidence):
                best = reply
        return best

    def _of(self, topic: str, moment: Moment, scope: Scope) -> Reply | None:
        picture = scope.picture(moment)
        if picture is None:
            return None
        placed = locate(topic, moment)
        vectors = vectors_of(scope, [moment])
        seen = find_sightings(scope, topic, [moment])
        sure = max(placed[1] if placed else 0.0, seen[0].sureness if seen else 0.0)
        if sure < MIN_SEEN_RELEVANCE:
            return None
        shares = np.log(colour_shares(picture, placed[0] if placed else (0.2, 0.2, 0.8, 0.8)) + 0.03)
        if not placed:
            shares = 0.3 * shares  # what lies in the middle may be something else
        names = list(COLOURS)
        logits = shares
        if moment.id in vectors:
            texts = scope.profile.text.encode([f"a {name} {_noun(topic)}" for name in names]).vectors[COMMON]
            colour_odds = odds(scope, texts, moment, vectors[moment.id])
            logits = logits + 0.35 * (colour_odds - colour_odds.max())
        shown = np.exp(SHARPENING * (logits - logits.max()))
        shown /= shown.sum()
        order = np.argsort(-shown, kind="stable")
        first, second = names[order[0]], names[order[1]]
        answer = f"{first} and {second}" if shown[order[1]] > MIN_SECOND_SHARE else first
        part = float(shown[order[0]] + (shown[order[1]] if " and " in answer else 0))
        where = placed[2] if placed else None
        why = [label_evidence([where], moment)] if where else [seen[0].evidence] if seen else []
        return Reply(answer, part * min(1.0, 0.5 + sure / 2), scope.cite(moment, why, sure), MODEL)


def locate(topic: str, moment: Moment) -> tuple[Box, float, Label | None] | None:
    """Where in a picture a thing is, how sure that is, and the label that says so; None where no label does."""
    words = set(content(topic))
    people = labels_of(moment, "object", "person")
    for pattern, part in PARTS_OF_PERSON:
        if any(re.fullmatch(pattern, word) for word in words) and people:
            person = max(people, key=lambda label: _area(label.box))
            if person.box:
                return part_of_box(person.box, part), person.score, person
    thing = thing_of(topic)
    objects = [label for label in labels_of(moment, "object", thing.value) if label.box] if thing else []
    if objects:
        largest = max(objects, key=lambda label: label.score * _area(label.box) ** 0.5)
        if largest.box:
            return part_of_box(largest.box, (0.2, 0.2, 0.8, 0.8)), largest.score, largest
    for word in words & PLACES.keys():
        area = labels_of(moment, "area", word)
        if area or word in ("wall", "walls", "ceiling", "floor", "background", "carpet", "ground", "field"):
            return PLACES[word], area[0].score if area else 0.4, area[0] if area else None
    return None


def colour_shares(picture: Picture, box: Box) -> NDArray[np.float64]:
    """The share of each of `COLOURS` in a part of a picture: pixels by the nearest value in CIELAB."""
    height, width = picture.pixels.shape[:2]
    x0, y0 = int(box[0] * width), int(box[1] * height)
    x1, y1 = max(x0 + 1, int(np.ceil(box[2] * width))), max(y0 + 1, int(np.ceil(box[3] * height)))
    pixels = picture.pixels[y0:y1, x0:x1].reshape(-1, 3)
    step = max(1, len(pixels) // 4_000)
    lab = _lab(pixels[::step])
    anchors = _lab(np.array([value for some in COLOURS.values() for value in some], dtype=np.uint8))
    owner = np.repeat(np.arange(len(COLOURS)), [len(some) for some in COLOURS.values()])
    nearest = owner[np.argmin(((lab[:, None] - anchors[None]) ** 2).sum(-1), axis=1)]
    counted = np.bincount(nearest, minlength=len(COLOURS)).astype(np.float64)
    shares: NDArray[np.float64] = counted / counted.sum()
    return shares


def part_of_box(box: Box, part: Box) -> Box:
    """A part of a box, both in fractions."""
    width, height = box[2] - box[0], box[3] - box[1]
    return (box[0] + part[0] * width, box[1] + part[1] * height, box[0] + part[2] * width, box[1] + part[3] * height)


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N, 3) sRGB → CIELAB, D65."""
    share = rgb.astype(np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ matrix.T / np.array([0.9505, 1.0, 1.089])
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], axis=-1)


def _area(box: Box | None) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) if box else 0.0


def _noun(topic: str) -> str:
    return re.sub(r"^(?:the|a|an|this|that|their|his|her)\s+", "", topic)


def _moments(scope: Scope, topic: str) -> list[Moment]:
    if scope.single:
        return scope.stills()[:12]
    hits = scope.find(topic, 3)
    return [
        m for m in scope.store.load([hit.moment for hit in hits]).values() if m.kind in ("picture", "shot", "frame")
    ]
