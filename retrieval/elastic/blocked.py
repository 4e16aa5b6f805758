"""The assets that journals of decisions block: a document each, indexed or not, and a flag on all that is searched.

A filter that names every blocked asset is slow, and refused beyond some ten thousands; a flag costs a search nothing.
Flags follow from the documents, which are written before them; a write of an asset reads those again when it is done.
So of a decision and a write that meet, the later one sees the other, whichever that is. How far a journal was followed
is written last: whoever finds it behind, after a crash or in a copy of the index, does the rest once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from crossmedia.embeddings.chunks import chunks
from crossmedia.retrieval.blocking import Journal
from crossmedia.retrieval.elastic.bulk import Action, write
from crossmedia.retrieval.elastic.docs import Doc
from crossmedia.retrieval.elastic.index import among
from crossmedia.retrieval.elastic.writer import Writer

AT_ONCE: Final = 500
_BLOCKED: Final = "blocked:"


def followed_key(journal: str) -> str:
    """The id of the document that tells how far a journal was followed."""
    return f"followed:{journal}"


def followed(doc: Doc | None) -> int:
    return int(doc["held"]["entry"]) if doc else 0


def follow(writer: Writer, journal: Journal) -> None:
    """Bring documents and flags in line with a journal, from where it was followed to."""
    key = followed_key(journal.id)
    start: int | None = None
    while True:
        doc, version = writer.index.versioned([key]).get(key, (None, None))
        before = followed(doc)
        # Who was quicker may have known less: what this one began with is done again.
        start = before if start is None else min(start, before)
        undecided: Mapping[str, bool] = {}
        if journal.last() < before:
            # It is an older copy of the journal that was followed: what it does not tell was never decided.
            start, undecided = 0, dict.fromkeys(_of(writer, journal.id), False)
        last, decided = journal.since(start)
        assets = {**undecided, **decided}
        for some in chunks(list(assets), AT_ONCE):
            _note(writer, journal.id, {asset: assets[asset] for asset in some})
            mark(writer, some)
        action = Action(writer.index.target, key, {"type": "followed", "held": {"entry": last}}, version or "absent")
        if not write(writer.index.connection, [action]):
            return


def journals(writer: Writer, assets: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The journals that block each of these assets."""
    there = writer.index.versioned([_BLOCKED + asset for asset in assets])
    return {asset: tuple(there[key][0]["blocked"]) if (key := _BLOCKED + asset) in there else () for asset in assets}


def mark(writer: Writer, assets: Sequence[str]) -> None:
    """Flag those of the assets that are indexed, or take their flags off."""
    for some in chunks(assets, AT_ONCE):
        writer.again(partial(_mark, writer, some))


def _mark(writer: Writer, assets: Sequence[str]) -> None:
    wanted = journals(writer, assets)
    for asset, record in writer.records(assets).items():
        if record.blocked != wanted[asset]:
            record.blocked = wanted[asset]
            writer.rewrite(record)


def _note(writer: Writer, journal: str, blocks: Mapping[str, bool]) -> None:
    """Write, change or remove the documents of these assets, again while others change them."""
    while True:
        there = writer.index.versioned([_BLOCKED + asset for asset in blocks])
        actions: list[Action] = []
        for asset, block in blocks.items():
            doc, version = there.get(_BLOCKED + asset, (None, None))
            before = set(doc["blocked"]) if doc else set()
            after = before | {journal} if block else before - {journal}
            if after != before:
                new = {"type": "blocked", "blocked": sorted(after)} if after else None
                actions.append(Action(writer.index.target, _BLOCKED + asset, new, version or "absent"))
        if not write(writer.index.connection, actions):
            writer.index.wrote()
            return


def _of(writer: Writer, journal: str) -> Iterator[str]:
    for hit in writer.index.every(among(type="blocked", blocked=journal), [{"_doc": "asc"}]):
        yield hit["_id"].removeprefix(_BLOCKED)
