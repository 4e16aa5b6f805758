"""Read IPTC's "digital source type" from XMP: whether a file was captured, edited or generated.

The vocabulary is http://cv.iptc.org/newscodes/digitalsourcetype/; XMP (ISO 16684) carries it as
`Iptc4xmpExt:DigitalSourceType`, C2PA in its actions. A packet is searched, not parsed: nothing in it can be expanded.
"""

from __future__ import annotations

import html
import re
from typing import Final

from crossmedia.indexer.provenance.facts import CAPTURED, COMPOSITE, EDITED, GENERATED, Fact, plain

BY: Final = "iptc@1"
PACKET: Final = 1 << 20
"""Characters of XMP that are searched."""
MEANING: Final = {
    **dict.fromkeys(
        (
            "trainedalgorithmicmedia",
            "trainedalgorithmicdata",
            "algorithmicmedia",
            "datadrivenmedia",
            "virtualrecording",
        ),
        GENERATED,
    ),
    **dict.fromkeys(
        ("composite", "compositecapture", "compositesynthetic", "compositewithtrainedalgorithmicmedia"), COMPOSITE
    ),
    **dict.fromkeys(("algorithmicallyenhanced", "humanedits", "minorhumanedits"), EDITED),
    **dict.fromkeys(("digitalcapture", "computationalcapture", "negativefilm", "positivefilm", "print"), CAPTURED),
}
"""What a term says, in lower case. Terms that say neither (a drawing, a screen) are told as they are and mean nothing
here."""
_TERM: Final = re.compile(
    r"DigitalSourceType\s*(?:=\s*[\"']|(?:\s[^<>]{0,200})?>\s*|\s[^<>]{0,100}rdf:resource\s*=\s*[\"'])([^<>\"']{1,300})"
)
_TOOL: Final = re.compile(r"(?:CreatorTool|Credit)\s*(?:=\s*[\"']|>\s*)([^<>\"']{1,300})")


def term(told: object) -> str:
    """The last part of a term's address.

    >>> term("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia")
    'trainedAlgorithmicMedia'
    """
    return plain(str(told)[:400].strip().rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1])


def trust_meaning(name: str) -> str | None:
    """The value of `trust` that a term means."""
    return MEANING.get(name.lower())


def facts(packet: str) -> list[Fact]:
    """The facts that a packet of XMP states."""
    facts: list[Fact] = []
    for match in _TERM.finditer(packet[:PACKET]):
        name = term(html.unescape(match[1]))
        meaning = trust_meaning(name)
        facts.append(Fact("source-type", name, BY))
        facts += [Fact("trust", meaning, BY)] if meaning else []
    return facts


def tools(packet: str) -> list[str]:
    """The program that made a file and the credited person, as XMP names them."""
    return [html.unescape(match[1]) for match in _TOOL.finditer(packet[:PACKET])]
