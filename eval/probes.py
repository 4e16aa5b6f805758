"""Queries without an answer: topics that everyday photos of people, dogs and sports do not show, and made-up words.

Written apart from those that `embeddings/train/probes.py` calibrates with, so that the cut-off is judged on others.
"""

from __future__ import annotations

import random
from typing import Final

ABSENT: Final = tuple(
    """
a beehive opened by a beekeeper | a blast furnace pouring steel | a bowl of ramen noodles | a brain scan in colour
a camel caravan | a cargo plane being loaded | a castle with a moat | a cheese counter | a chest of antique silver
a cockpit full of instruments | a comet over the desert | a crocodile on a river bank | a dentist's chair
a dinosaur skeleton | a flock of flamingos | a floor plan of an apartment | a glacier calving | a globe on a desk
a grand piano | a greenhouse of tomatoes | a hedgehog | a hot spring with macaques | a jar of pickled cucumbers
a koala asleep | a laboratory centrifuge | a lighthouse in fog | a loaf of rye bread | a lobster on a plate
a loom weaving cloth | a microscope slide | a monastery courtyard | a moose in a bog | a nebula
a newspaper front page | a night market selling lanterns | a nuclear submarine | a nursery of seedlings
a peacock's feathers | a pharmacy shelf | a pineapple plantation | a planetarium | a polar bear on ice
a potter's kiln | a power station | a printed circuit | a quarry with diggers | a railway turntable | a rhinoceros
a rice terrace | a robot arm welding | a safe full of gold bars | a satellite dish | a sausage stall | a server room
a sewing machine | a shoe factory | a sloth in a tree | a snail on a leaf | a space station | a stained glass window
a starfish | a steam locomotive | a stethoscope | a suspension bridge at dawn | a swarm of locusts | a telescope dome
a termite mound | a toaster | a tortoise eating lettuce | a tram depot | a tray of croissants | a treasure map
a typewriter | a vending machine | a vineyard | a walrus | a warehouse full of pallets | a waterwheel
a whale breaching | a windmill in tulip fields | a wolf howling | a xylophone | a yoghurt pot
a zebra crossing the savannah | an abacus | an anchor chain | an apothecary's scales | an asteroid belt
an avocado cut in half | an eagle's nest | an espresso machine | an ice cream parlour menu | an igloo | an iguana
an oil painting of a duke | an ostrich farm | an owl at night | an x-ray of a hand | bacteria in a dish
balance sheet of a bank | bread recipe with sourdough | chemical formula of caffeine
""".replace("\n", " | ")
    .strip(" |")
    .split(" | ")
)
"""A hundred topics; `eval.cutoff.absent_from` leaves out those whose words do occur in a collection's captions."""

_LETTERS: Final = "bcdfghjklmnpqrstvwxzaeiouy"


def gibberish(count: int, seed: int) -> list[str]:
    """One to three words of random letters, of syllables, or of keys that lie together."""
    chance = random.Random(seed)

    def word() -> str:
        kind = chance.randrange(3)
        if kind == 0:
            return "".join(chance.choices(_LETTERS, k=chance.randint(4, 10)))
        if kind == 1:
            return "".join(
                chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(chance.randint(2, 4))
            )
        row = chance.choice(["qwertzuiop", "asdfghjkl", "yxcvbnm"])
        start = chance.randrange(len(row) - 3)
        return row[start : start + 4] * chance.randint(1, 2)

    return [" ".join(word() for _ in range(chance.randint(1, 3))) for _ in range(count)]
