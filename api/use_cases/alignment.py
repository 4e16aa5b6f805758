"""What a person teaches a collection: heads trained on pairs, and the collection's vectors made anew with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossmedia.api.runtime import Runtime
from crossmedia.embeddings.align import Head, applied_heads
from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.heads import Card, check_name
from crossmedia.retrieval.calibration import refresh

if TYPE_CHECKING:
    from crossmedia.indexer.reindex import ReindexReport


class HeadInUse(CrossmediaError):
    """A collection's vectors were made with this head."""

    code = "head_in_use"
    status = 409


@dataclass(frozen=True)
class Trained:
    """`card` is None where the head was not saved because it brings nothing. `report`: figures and counts for JSON."""

    card: Card | None
    report: dict[str, Any]


class Alignment:
    """Heads over the encoders, and the vectors they make."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def train(
        self,
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
        base = self._runtime.base_profile
        encoded = encode_pairs(table, base, self._runtime.example_pool, space, skip=skip, tick=tick)
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
        report = {
            "anchor": encoded.anchor,
            "file": {"name": pairs.name, "sha256": table.sha256, "lines": len(table.rows)},
            "duplicates": encoded.duplicates,
            "left_out": list(encoded.left_out),
            "better": learnt.better,
            "figures": learnt.figures,
        }
        made = datetime.now(UTC).isoformat(timespec="seconds")
        card = self._runtime.heads.save(head, {"made": made, **report}) if learnt.better or force else None
        return Trained(
            card,
            {
                "head": head.id,
                "space": head.native.name,
                "modality": head.modality,
                **report,
                "saved": card is not None,
            },
        )

    def reindex(
        self,
        head: str | None = None,
        *,
        builtin: bool = False,
        again: bool = False,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[int], None] = lambda count: None,
        stop: threading.Event | None = None,
    ) -> tuple[ReindexReport, list[str]]:
        """Make the collection's vectors anew: with one more head, with none (`builtin`), or with those it has, by the
        models that are installed now. Returns the report and the heads that are then in use. Raises NoHead,
        HeadUnfit."""
        from crossmedia.indexer.reindex import Reindex

        runtime = self._runtime
        runtime.require_collection()
        store, base, pool, heads = runtime.store, runtime.base_profile, runtime.pool, runtime.heads
        chosen = [] if builtin else [heads.load(name) for name in self.in_use()]
        if head is not None:
            new = heads.load(head)
            chosen = [*(other for other in chosen if other.modality != new.modality), new]
        needed = again or Reindex(store, base, chosen, pool).needed
        target = store.successor() if needed else store
        while True:
            report = Reindex(target, base, chosen, pool).run(again=again, plan=plan, tell=tell, stop=stop)
            if not (needed and report.finished and store.succeed(target)):
                break
        if report.finished:
            # What other vectors scored says nothing of these.
            store.keep_random_pairs([])
            refresh(store, self._runtime.profile)
        return report, [each.id for each in chosen]

    def in_use(self) -> tuple[str, ...]:
        """Ids of the heads the collection is, or is being, made with."""
        if not self._runtime.has_collection:
            return ()
        common = self._runtime.store.spaces().get(COMMON)
        return applied_heads(common.revision) if common else ()

    def remove(self, name: str) -> Card:
        """Delete a head's files. Raises NoHead, HeadInUse."""
        card = self._runtime.heads.find(name)
        common = self._runtime.store.spaces().get(COMMON) if self._runtime.has_collection else None
        if common is not None and card.id in common.revision:
            raise HeadInUse(
                f"the collection's vectors were made with {card.id}",
                "run crossmedia reindex --builtin first, which removes it from the vectors",
            )
        return self._runtime.heads.remove(card.id)


def _name(pairs: Path) -> str:
    """A name for a head, from that of its pairs."""
    cleaned = "".join(c if c.isascii() and c.isalnum() else "_" for c in pairs.stem.lower()).strip("_")
    return cleaned[:40] or "pairs"
