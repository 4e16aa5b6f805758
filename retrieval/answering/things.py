"""What people call the things that the detector of objects knows, and who counts as a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from crossmedia.retrieval.answering.question import content
from crossmedia.retrieval.documents import Label, Moment
from crossmedia.retrieval.naming import naming

KNOWN: Final = frozenset(
    "person;bicycle;car;motorcycle;airplane;bus;train;truck;boat;traffic light;fire hydrant;stop sign;parking meter;bench;bird;"
    "cat;dog;horse;sheep;cow;elephant;bear;zebra;giraffe;backpack;umbrella;handbag;tie;suitcase;frisbee;skis;snowboard;"
    "sports ball;kite;baseball bat;baseball glove;skateboard;surfboard;tennis racket;bottle;wine glass;cup;fork;knife;spoon;"
    "bowl;banana;apple;sandwich;orange;broccoli;carrot;hot dog;pizza;donut;cake;chair;couch;potted plant;bed;dining table;"
    "toilet;tv;laptop;mouse;remote;keyboard;cell phone;microwave;oven;toaster;sink;refrigerator;book;clock;vase;scissors;"
    "teddy bear;hair drier;toothbrush".split(";")
)
"""COCO's 80 classes: of what is not told there is probably none."""
PEOPLE: Final = frozenset(
    "person people human humans man men woman women boy boys girl girls child children kid kids player players lady guy guys "
    "adult adults rider cyclist surfer skier climber runner toddler baby somebody someone anybody anyone".split()
)
CALLED: Final[Mapping[str, str]] = {
    **dict.fromkeys(PEOPLE, "person"),
    "bike": "bicycle", "bikes": "bicycle", "motorbike": "motorcycle", "plane": "airplane", "planes": "airplane",
    "aeroplane": "airplane", "sofa": "couch", "sofas": "couch", "television": "tv", "televisions": "tv", "monitor": "tv",
    "table": "dining table", "tables": "dining table", "phone": "cell phone", "phones": "cell phone", "plant": "potted plant",
    "plants": "potted plant", "ball": "sports ball", "balls": "sports ball", "fridge": "refrigerator", "racket": "tennis racket",
    "hydrant": "fire hydrant", "puppy": "dog", "puppies": "dog", "kitten": "cat", "mug": "cup", "mugs": "cup", "cups": "cup",
    "bag": "handbag", "rucksack": "backpack", "calf": "cow", "lamb": "sheep", "screen": "tv", "screens": "tv",
}  # fmt: skip
GROUNDS: Final = frozenset(("grass", "snow", "sand", "water", "floor", "rock"))
"""Areas that things stand or lie on."""
LEAST: Final = 0.4
"""Score from which an object counts: the detector is right at it more often than not."""


@dataclass(frozen=True)
class Thing:
    """What a topic names: a value of `object` labels (or of areas, sounds, people), how many content words of the topic
    it covers, and whether the detector would know it."""

    value: str
    covers: int
    words: int
    known: bool

    @property
    def whole(self) -> bool:
        """Whether nothing of the topic is left: "brown dogs" asks for more than dogs."""
        return self.covers >= self.words


def thing_of(topic: str) -> Thing | None:
    """The thing that a topic names first, by the detector's classes; None where it names none of them."""
    words = content(topic)
    for phrase in naming(topic).phrases:
        for value in phrase.values:
            if value in KNOWN:
                return Thing(value, len(value.split()), len(words), True)
    for word in words:
        if word in CALLED:
            return Thing(CALLED[word], 1, len(words), True)
    return None


def things_of(topic: str) -> list[str]:
    """All classes that a topic names, in its order."""
    found = [
        value
        for word in content(topic)
        for value in (CALLED.get(word), *(v for p in naming(word).phrases for v in p.values))
        if value in KNOWN
    ]
    return list(dict.fromkeys(value for value in found if value))


def labels_of(moment: Moment, kind: str, value: str | None = None, least: float = 0.0) -> list[Label]:
    """A moment's labels of a kind and value, best first."""
    some = [
        label for label in moment.labels if label.kind == kind and label.score >= least and value in (None, label.value)
    ]
    return sorted(some, key=lambda label: -label.score)


def every(moments: tuple[Moment, ...], kind: str) -> Iterator[tuple[Moment, Label]]:
    """All labels of a kind on these moments."""
    for moment in moments:
        for label in moment.labels:
            if label.kind == kind:
                yield moment, label


def ground_of(moment: Moment) -> Label | None:
    """The largest area that things stand on."""
    return next((label for label in labels_of(moment, "area") if label.value in GROUNDS), None)
