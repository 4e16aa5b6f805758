"""What a person teaches a collection: heads trained on pairs, and the collection's vectors made anew with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossmedia.embeddings.align import Head, aligned, applied
from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.heads import Card, Heads, check_name
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.calibration import refresh

if TYPE_CHECKING:
    from crossmedia.api.service import Service
    from crossmedia.indexer.reindex import ReindexReport


class HeadInUse(CrossmediaError):
    """A collection's vectors were made with this head."""

    code = "head_in_use"
    status = 409


@dataclass(frozen=True)
class Trained:
    """`card` is None where the head was not saved because it brings nothing. `told`: figures and counts, JSON-ready."""

    card: Card | None
    told: dict[str, Any]


def with_heads(base: Profile, heads: Heads, revision: str) -> Profile:
    """The profile that a collection was made with, whose common space has this revision."""
    return aligned(base, [heads.load(name) for name in applied(revision)])


def train(
    service: Service,
    pairs: Path,
    *,
    space: str | None = None,
    name: str | None = None,
    held_out: float = 0.2,
    passes: int | None = None,
    skip: bool = False,
    force: bool = False,
    plan: Callable[[str, int], None] = lambda stage, total: None,
    tick: Callable[[int], None] = lambda count: None,
) -> Trained:
    """Learn a head from a CSV of pairs and save it if it is better on pairs it has not seen, or if `force`.

    `name` is the CSV's own unless given. `plan` hears what begins and how many ticks it has. Raises PairsUnusable,
    TooFewPairs.
    """
    from crossmedia.embeddings.alignment.learn import learn, work
    from crossmedia.indexer.pair_vectors import encode_pairs
    from crossmedia.indexer.pairs import read_pairs

    called = _name(pairs) if name is None else name
    check_name(called)
    table = read_pairs(pairs)
    plan("encoding", len(table.rows))
    base = service.base
    encoded = encode_pairs(table, base, service.example_pool, space, skip=skip, tick=tick)
    plan("learning", work(encoded.paired, held_out, passes))
    learnt = learn(
        encoded.paired,
        held_out=held_out,
        passes=passes,
        liftable=encoded.modality != "text" and base.spaces[COMMON].extra == 2,
        known=base.calibrations.get((COMMON, encoded.anchor, encoded.modality)),
        tick=lambda: tick(1),
    )
    calibration = learnt.calibration if encoded.anchor == "text" else None
    head = Head(called, encoded.modality, encoded.space, base.spaces[COMMON], learnt.residual, calibration)
    told = {
        "anchor": encoded.anchor,
        "file": {"name": pairs.name, "sha256": table.sha256, "lines": len(table.rows)},
        "duplicates": encoded.duplicates,
        "left_out": list(encoded.left_out),
        "better": learnt.better,
        "figures": learnt.figures,
    }
    made = datetime.now(UTC).isoformat(timespec="seconds")
    card = service.heads.save(head, {"made": made, **told}) if learnt.better or force else None
    return Trained(
        card, {"head": head.id, "space": head.native.name, "modality": head.modality, **told, "saved": card is not None}
    )


def reindex(
    service: Service,
    head: str | None = None,
    *,
    builtin: bool = False,
    again: bool = False,
    plan: Callable[[int], None] = lambda total: None,
    tell: Callable[[int], None] = lambda count: None,
    stop: threading.Event | None = None,
) -> tuple[ReindexReport, list[str]]:
    """Make the collection's vectors anew: with one more head, with none (`builtin`), or with those it has by the models
    that are installed now. Returns the report and the heads that are then in use. Raises NoHead, HeadUnfit."""
    from crossmedia.indexer.reindex import Reindex

    service.require_collection()
    chosen = [] if builtin else [service.heads.load(name) for name in in_use(service)]
    if head is not None:
        new = service.heads.load(head)
        chosen = [*(other for other in chosen if other.modality != new.modality), new]
    needed = again or Reindex(service.store, service.base, chosen, service.pool).needed
    target = service.store.successor() if needed else service.store
    while True:
        report = Reindex(target, service.base, chosen, service.pool).run(again=again, plan=plan, tell=tell, stop=stop)
        if not (needed and report.finished and service.store.succeed(target)):
            break
    if report.finished:
        # What other vectors scored says nothing of these.
        service.store.keep_random_pairs([])
        refresh(service.store, service.profile)
    return report, [each.id for each in chosen]


def in_use(service: Service) -> tuple[str, ...]:
    """Ids of the heads the collection is, or is being, made with."""
    if not service.has_collection:
        return ()
    common = service.store.spaces().get(COMMON)
    return applied(common.revision) if common else ()


def remove(service: Service, name: str) -> Card:
    """Delete a head's files. Raises NoHead, HeadInUse."""
    card = service.heads.find(name)
    common = service.store.spaces().get(COMMON) if service.has_collection else None
    if common is not None and card.id in common.revision:
        raise HeadInUse(
            f"the collection's vectors were made with {card.id}", "crossmedia reindex --builtin takes it off them first"
        )
    return service.heads.remove(card.id)


def _name(pairs: Path) -> str:
    """A name for a head, from that of its pairs."""
    cleaned = "".join(c if c.isascii() and c.isalnum() else "_" for c in pairs.stem.lower()).strip("_")
    return cleaned[:40] or "pairs"
