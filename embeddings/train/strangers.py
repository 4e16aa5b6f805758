"""Texts that fit no photo, as negatives in training: made-up words, and titles of papers on abstract subjects.

Without them a text far from every caption still lies near some photo, and no cut-off tells the two apart. Things that
can be photographed are left out on purpose: whoever indexes elephants must find them.
"""

from __future__ import annotations

import random
from typing import Final

SUBJECTS: Final = tuple(
    line.strip()
    for line in """algebraic topology
    inflation and monetary policy
    contract law
    insurance claims
    database indexing
    compiler optimisation
    cell metabolism
    organic chemistry
    thermodynamics
    number theory
    machine learning
    tectonic plates
    philosophy of mind
    medieval history
    comparative linguistics
    tariff negotiations
    income statistics
    supply chain logistics
    employment regulations
    protein folding
    immunology
    cardiology
    kidney function
    relativity theory
    semiconductor physics
    particle accelerators
    radio astronomy
    planetary orbits
    microbiology
    soil chemistry
    hydraulic pressure
    gearbox assembly
    aircraft wiring
    reactor safety
    plumbing layout
    cryptography
    network protocols
    operating systems
    user interface
    web server configuration
    pension funds
    corporate governance
    election polling
    foreign diplomacy
    census data
    patent application
    copyright dispute
    musical harmony
    poetry translation
    grammar exercises
    ancient coins
    weather models
    seismology
    epidemic modelling
    vaccine trials
    nutrition labels
    medical imaging
    surgery techniques
    pharmacology
    dentistry
    archaeology
    theology
    genealogy
    accounting
    invoice numbers
    job vacancies
    warranty terms
    train timetable
    exam questions
    steam engine design
    bridge load calculation
    metallurgy
    glass manufacturing
    textile dyeing
    wine chemistry
    bread fermentation
    cheese ripening
    plant genetics
    insect anatomy
    telescope optics
    satellite telemetry
    rocket propulsion
    microscope slides
    blood test results
    crystal structure""".splitlines()
)
PAPER_KINDS: Final = (
    "article",
    "conference",
    "course",
    "definition",
    "documentation",
    "equation",
    "essay",
    "glossary",
    "guidelines",
    "hypothesis",
    "index",
    "interview",
    "minutes",
    "overview",
    "policy",
    "questionnaire",
    "report",
    "slides",
    "statistics",
    "theory",
)
LETTERS: Final = "bcdfghjklmnpqrstvwxyzaeiou"


def strangers(count: int, seed: int) -> list[str]:
    """`count` such texts, half made-up words, half subjects with or without the kind of paper they stand in."""
    chance = random.Random(seed)
    return [_nonsense(chance) if n % 2 else _paper(chance) for n in range(count)]


def _nonsense(chance: random.Random) -> str:
    words = ("".join(chance.choices(LETTERS, k=chance.randint(4, 12))) for _ in range(chance.randint(1, 4)))
    return " ".join(words)


def _paper(chance: random.Random) -> str:
    subject = chance.choice(SUBJECTS)
    return f"{subject} {chance.choice(PAPER_KINDS)}" if chance.random() < 0.7 else subject
