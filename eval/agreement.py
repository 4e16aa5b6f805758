"""Compare two stores of the same collection: the first ten hits of every query of a data set, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from crossmedia.api.service import Service
from crossmedia.eval.run import build_query, index_gallery
from crossmedia.eval.task import Task, TaskQuery
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import Store

COMPARED_HITS: Final = 10
COPIED_AT_ONCE: Final = 200


@dataclass(frozen=True)
class Agreement:
    """Of `queries`: how many got the same ten in the same order, the same ten in any, and the mean share of ten in
    common."""

    task: str
    queries: int
    same_order: float
    same_hits: float
    overlap: float


def agreement(here: Service, there: Store, task: Task, room: Path, tell: Callable[[str], None]) -> Agreement:
    """Index a task's gallery here, copy all of it there, and ask both with the cut-off off and nothing folded."""
    collection, _ = index_gallery(here, task, room, tell)
    copy(here.runtime.store, there)
    filters = Filters(media=(task.medium,), collection=collection)
    tell(f"{task.name}: asking {len(task.queries)} twice")
    pairs = [_ask_twice(here, there, asked, filters) for asked in task.queries]
    count = len(pairs)
    return Agreement(
        task.name,
        count,
        sum(one == other for one, other in pairs) / count,
        sum(set(one) == set(other) for one, other in pairs) / count,
        sum(len(set(one) & set(other)) / max(len(one), len(other), 1) for one, other in pairs) / count,
    )


def copy(here: Store, there: Store) -> None:
    """Everything that is not there yet, and what random pairs score."""
    there.bind(here.spaces().values())
    known = set(there.asset_ids())
    missing = (asset for asset in here.asset_ids() if asset not in known)
    with there.loading():
        while some := list(islice(missing, COPIED_AT_ONCE)):
            there.restore(here.stored_assets(some))
    there.keep_random_pairs(here.random_pairs())


def _ask_twice(here: Service, there: Store, asked: TaskQuery, filters: Filters) -> tuple[list[str], list[str]]:
    query = build_query(here, asked, filters, COMPARED_HITS)
    engines = (here.runtime.engine, type(here.runtime.engine)(there, here.runtime.profile))
    one, other = ([hit.moment for hit in engine.search(query).hits] for engine in engines)
    return one, other


def rows(found: Sequence[Agreement]) -> list[tuple[str, str, str, str, str]]:
    return [(a.task, str(a.queries), f"{a.same_order:.1%}", f"{a.same_hits:.1%}", f"{a.overlap:.2%}") for a in found]
