"""What the demo says and writes: short texts about unlike things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Scene:
    """A photo of `eval/demo/photos.py` and what is said while it is on screen."""

    photo: str
    narration: str


RECORDINGS: Final = {
    "recording-1.wav": (
        "Good morning. The bakery opens at six, and the ovens are already hot. "
        "Rye bread needs a long night of rest before it is baked. "
        "The first customers are fishermen coming home from the harbour."
    ),
    "recording-2.wav": (
        "The storm reached the coast at midnight. The lighthouse lost its power for two hours. "
        "Nobody was hurt, but the old pier is gone."
    ),
    "recording-3.wav": (
        "To repair a bicycle tyre, first take the wheel off. Find the hole by holding the tube under water. "
        "Clean the rubber, then press the patch on firmly. Pump it up and listen."
    ),
    "recording-4.wav": (
        "The orchestra rehearses on Thursday evenings. Two violins and a cello are still missing. "
        "The concert will be held in the railway museum."
    ),
}

FILMS: Final = {
    "film-1.mp4": (
        Scene("rocket.jpg", "The rocket left the launch pad just before sunset."),
        Scene("astronaut.png", "Its commander had trained for nine years."),
        Scene("hubble_deep_field.jpg", "Behind the darkness lie thousands of galaxies."),
    ),
    "film-2.mp4": (
        Scene("coffee.png", "Every morning begins with a strong espresso."),
        Scene("chelsea.png", "The cat waits beside the window for her breakfast."),
        Scene("coins.png", "A few old coins pay for milk and honey."),
        Scene("brick.png", "The brick wall keeps the garden warm."),
    ),
}

MARKDOWN: Final = {
    "notes-1.md": """# Keeping bees through the winter

A colony survives the cold by forming a tight cluster around its queen. The bees shiver their flight muscles to make
heat.

Leave at least fifteen kilograms of honey in the hive. A hungry colony dies in March, not in January.

Narrow the entrance against mice, and tilt the hive forward so that water runs out.
""",
    "notes-2.md": """# How the tide is predicted

The moon pulls the sea towards it, and a second bulge forms on the far side of the earth. Spring tides come when sun
and moon stand in one line.

Tide tables add up dozens of such rhythms, measured over years in each harbour.
""",
}

HTML: Final = {
    "page-1.html": """<!doctype html>
<html lang="en">
<head><title>A short history of the printing press</title></head>
<body>
<h1>A short history of the printing press</h1>
<p>Around 1450 Johannes Gutenberg cast single letters in metal and set them into lines that could be taken apart
again.</p> <p>Within fifty years, presses in more than two hundred towns had printed millions of books.</p>
<p>Ink had to be thick and oily to stay on metal; the recipe came from painters.</p>
</body>
</html>
"""
}

PDF: Final = {
    "leaflet-1.pdf": (
        (
            "Walking the coast path",
            "",
            "The path begins at the old harbour and climbs to the chalk cliffs.",
            "Allow four hours for the whole way, five with children.",
            "There is no drinking water after the second mile.",
        ),
        (
            "What to do in fog",
            "",
            "Stay where you are until you can see the next white post.",
            "Blow a whistle six times a minute if you need help.",
            "The coast guard answers with three long signals.",
        ),
    )
}
