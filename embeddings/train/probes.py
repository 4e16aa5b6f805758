"""Queries that Flickr8k cannot answer: topics absent from it, and made-up words."""

from __future__ import annotations

import random
from typing import Final

ABSENT: Final = (
    "quantum chromodynamics lecture",
    "submarine periscope blueprint",
    "tax return form",
    "electron microscope image of a virus",
    "stock market crash chart",
    "circuit board soldering",
    "dental x-ray",
    "medieval illuminated manuscript",
    "spreadsheet of quarterly revenue",
    "nuclear reactor control room",
    "DNA sequencing gel",
    "periodic table of elements",
    "space shuttle launch pad",
    "jet engine turbine blades",
    "sushi platter",
    "chocolate wedding cake recipe",
    "penguins in Antarctica",
    "kangaroo with a joey",
    "elephant herd at a waterhole",
    "coral reef with clownfish",
    "octopus in an aquarium",
    "giraffe eating leaves",
    "panda chewing bamboo",
    "hummingbird at a feeder",
    "spider web with dew",
    "strawberry jam jar",
    "wine cellar with oak barrels",
    "operating theatre surgery",
    "courtroom trial judge",
    "parliament voting session",
    "chess grandmaster tournament",
    "violin sonata sheet music",
    "opera singer aria",
    "pipe organ in a cathedral",
    "Gothic cathedral stained glass",
    "Egyptian pyramid hieroglyphs",
    "Roman aqueduct ruins",
    "Mayan calendar stone",
    "solar eclipse corona",
    "spiral galaxy",
    "map of the London underground",
    "volcanic eruption lava flow",
    "tornado funnel cloud",
    "oil refinery at night",
    "container ship in the Suez canal",
    "wind turbine maintenance manual",
    "bulldozer on a landfill",
    "printing press ink rollers",
    "knitting pattern for socks",
    "bonsai pruning shears",
    "orchid greenhouse",
    "mushroom identification guide",
    "honeycomb with bees",
    "diamond engagement ring",
    "antique pocket watch mechanism",
    "software architecture diagram",
    "Python stack trace",
    "mortgage interest rates",
    "constitutional amendment",
    "blood pressure medication dosage",
)
"""Sixty topics that no photo of Flickr8k's dev split shows."""

SINGLE_WORD_QUERIES: Final = ("dog", "beach", "bicycle", "snow", "children")
"""Single words that must be answered."""


def gibberish(count: int, seed: int) -> list[str]:
    """Strings of one to three made-up words of consonants and vowels in no language."""
    chance = random.Random(seed)
    letters = "bcdfghjklmnpqrstvwxzaeiouy"
    return [
        " ".join("".join(chance.choices(letters, k=chance.randint(5, 10))) for _ in range(chance.randint(1, 3)))
        for _ in range(count)
    ]
