"""Recognise programs that generate pictures by the parameters they leave in a file.

Each of these is a habit of a program, none is signed: whoever wants can take it out or put it in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from crossmedia.indexer.provenance.facts import GENERATED, Fact, plain

BY: Final = "parameters@1"
MAX_SEARCHED_CHARACTERS: Final = 1 << 17
"""Characters of one text that are searched."""
DIFFUSION: Final = "Stable Diffusion"
_STEPS: Final = re.compile(r"\bSteps: ?\d{1,5}\b.{0,4000}?\b(?:Sampler|CFG scale|Seed|Model hash): ?\S", re.DOTALL)
_MODEL: Final = re.compile(r"\bModel: ?([^,\n]{1,80})")
_NODE: Final = re.compile(r'"class_type"\s*:\s*"')
_GRAPH: Final = re.compile(r'"nodes"\s*:\s*\[')
_JOB: Final = re.compile(
    r"\bJob ID: ?[0-9a-f]{8}-|(?:^|\s)--(?:v|niji|ar|stylize|chaos) [\w.:]+(?:\s|$)", re.IGNORECASE
)
GENERATOR_PATTERNS: Final[Mapping[str, str]] = {
    "Midjourney": r"\bmidjourney\b",
    "DALL-E": r"\bdall[-·. ]?e\b",
    "ChatGPT": r"\bchatgpt\b|\bgpt-4o\b|\bgpt-image\b",
    "Adobe Firefly": r"\bfirefly\b",
    "ComfyUI": r"\bcomfyui\b",
    "InvokeAI": r"\binvokeai\b",
    "NovelAI": r"\bnovelai\b",
    "Fooocus": r"\bfooocus\b",
    "Stable Diffusion": r"\bstable[ _-]?diffusion\b|\bsdxl\b|\bautomatic1111\b",
    "FLUX": r"\bblack forest labs\b|\bflux\.1\b",
    "Google AI": r"\bmade with google ai\b|\bimagen[ -]?[234]\b",
    "Bing Image Creator": r"\b(?:bing|microsoft) (?:image creator|designer)\b",
    "Leonardo.Ai": r"\bleonardo\.?ai\b",
    "Ideogram": r"\bideogram\b",
    "Sora": r"\bopenai sora\b",
    "Runway": r"\brunwayml\b|\brunway gen-?[234]\b",
    "Suno": r"\bsuno(?:\.ai|\.com| ai)\b|\bmade with suno\b",
    "Udio": r"\budio\.com\b|\bmade with udio\b",
    "ElevenLabs": r"\belevenlabs\b",
}
"""Programs by what names them in a field that says what made the file."""
_NAMED: Final = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in GENERATOR_PATTERNS.items()}
_MAKERS: Final = (
    "software",
    "creatortool",
    "make",
    "model",
    "encoder",
    "encoded_by",
    "source",
    "credit",
    "artist",
    "generator",
    "processingsoftware",
)
"""Fields that say what made a file. Elsewhere, in a title or a comment, a name is only what somebody writes about."""


def generator(key: str, text: str) -> str | None:
    """The program that a field of a file is of; None where it is of none that is known here.

    >>> generator("parameters", "a cat\\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Model: dream")
    'Stable Diffusion, dream'
    >>> generator("Comment", "I like Midjourney") is None
    True
    """
    text, name = text[:MAX_SEARCHED_CHARACTERS], key.lower()
    if _STEPS.search(text):
        model = _MODEL.search(text)
        return plain(f"{DIFFUSION}, {model[1].strip()}" if model else DIFFUSION)
    if (name in ("prompt", "comment") and _NODE.search(text)) or (
        name in ("workflow", "comment") and _GRAPH.search(text)
    ):
        return "ComfyUI"
    if name in ("sd-metadata", "invokeai_metadata", "invokeai_graph", "dream"):
        return "InvokeAI"
    if name == "fooocus_scheme":
        return "Fooocus"
    if name in ("description", "imagedescription") and _JOB.search(text):
        return "Midjourney"
    if name in _MAKERS:
        return next((program for program, pattern in _NAMED.items() if pattern.search(text)), None)
    return None


def facts(texts: Mapping[str, str]) -> list[Fact]:
    """What the fields of a file (name → text) say."""
    facts: list[Fact] = []
    for key, text in texts.items():
        program = generator(key, text)
        if program:
            facts += [Fact("trust", GENERATED, BY), Fact("generator", program, BY)]
    return facts
