"""The spaces of a collection and what random pairs score in it, each a document that several processes may write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final

from embeddings.encoder import Space
from retrieval.elastic.bulk import Action, write
from retrieval.elastic.docs import Doc
from retrieval.elastic.index import Index
from retrieval.store import Unrelated

SPACES: Final = "spaces"
UNRELATED: Final = "unrelated"


def held(index: Index) -> dict[str, Space]:
    """By name, in the order of names."""
    docs = index.get([SPACES])
    spaces = [Space(*values) for values in docs[SPACES]["held"]["spaces"]] if SPACES in docs else []
    return {space.name: space for space in sorted(spaces, key=lambda space: space.name)}


def record(index: Index, spaces: Iterable[Space], replace: bool) -> None:
    """Add these to what is recorded, or put them in place of those of their names; what another process records at the same
    moment is kept."""
    wanted = {space.name: space for space in spaces}
    while True:
        found = index.versioned([SPACES]).get(SPACES)
        recorded = {space.name: space for space in (Space(*v) for v in found[0]["held"]["spaces"])} if found else {}
        merged = {**recorded, **wanted} if replace else {**wanted, **recorded}
        rows = [[s.name, s.dim, s.model, s.revision, s.preprocessing] for s in merged.values()]
        doc: Doc = {"type": "spaces", "held": {"spaces": rows}}
        if not write(index.connection, [Action(index.name, SPACES, doc, found[1] if found else "absent")]):
            return


def keep_unrelated(index: Index, measured: Sequence[Unrelated]) -> None:
    doc: Doc = {"type": "unrelated", "held": {"unrelated": [asdict(one) for one in measured]}}
    write(index.connection, [Action(index.name, UNRELATED, doc)])


def unrelated(index: Index) -> list[Unrelated]:
    docs = index.get([UNRELATED])
    return [Unrelated(**one) for one in docs[UNRELATED]["held"]["unrelated"]] if UNRELATED in docs else []
