"""All searches of a query in one round trip: kNN by vector and BM25 by word, in one `_msearch`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from crossmedia.embeddings.encoder import Vector
from crossmedia.retrieval.elastic import labels, text
from crossmedia.retrieval.elastic.connection import explain_status as failure
from crossmedia.retrieval.elastic.docs import Doc, unpack, vector_field
from crossmedia.retrieval.elastic.filters import conditions
from crossmedia.retrieval.elastic.index import Index
from crossmedia.retrieval.elastic.spaces import ASKED, Facts
from crossmedia.retrieval.labels import LabelQuery
from crossmedia.retrieval.store import Found, SpaceMismatch, StoreBusy, TextQuery, VectorMatch, VectorQuery

OVERSAMPLE: Final = 1.5
"""Candidates fetched per wanted hit, ranked again by their stored floats: those of an 8-bit index are near, not
exact."""
MIN_MATCHES: Final = 10
CANDIDATES: Final = 2.0
"""Candidates that each shard looks at, per one that is fetched."""
MIN_CANDIDATES: Final = 150
PATIENCE: Final = 5.0
"""Somebody waits for the answer: a server that is away is asked again for so many seconds at most."""
MAX_RESULT_WINDOW: Final = 10_000
"""The server gives no more at once."""


def search(
    index: Index,
    near: Sequence[VectorQuery],
    said: Sequence[TextQuery],
    named: Sequence[LabelQuery],
    stems: text.Analysed,
    facts: Facts,
) -> Found:
    """What `Store.search` promises. Raises SpaceMismatch where the collection was made anew since its spaces were
    read."""
    index.refresh()
    behind = (facts.bound()[1] or index.behind()) if said else ""
    analyser, ours = index.analyser(behind) if said else ("", False)
    reading = text.Reading(ours, stems.by(analyser))
    words = [reading.words(one.text) for one in said]
    asked = [
        *([body] if (body := _knn(index, one)) else [] for one in near),
        *(
            [reading.query(one, some.terms), reading.counts(some.terms)] if some.terms else []
            for one, some in zip(said, words, strict=True)
        ),
        *([labels.query(one)] if one.values and one.k else [] for one in named),
    ]
    if not any(asked):
        return [[] for _ in near], [[] for _ in said], [[] for _ in named]
    *rest, current = _together(index, [*(body for bodies in asked for body in bodies), ASKED])
    now = current["hits"]["hits"]
    reread = any(said and index.analyser(hit["_index"]) != (analyser, ours) for hit in now)
    if reread or not facts.met({hit["_id"]: hit["_source"] for hit in now}):
        facts.outdate()
        raise SpaceMismatch("the collection was reindexed just now", "ask again")
    answers = iter(rest)
    told = [[next(answers) for _ in bodies] for bodies in asked]
    found = [
        rescored(answer[0]["hits"]["hits"], one.space, one.query)[: one.k] if answer else []
        for one, answer in zip(near, told, strict=False)
    ]
    matched = [
        reading.matches(answer[0]["hits"]["hits"], answer[1], some, one.least) if answer else []
        for one, some, answer in zip(said, words, told[len(near) : len(near) + len(said)], strict=True)
    ]
    bearing = [
        labels.matches(answer[0]["hits"]["hits"], one) if answer else []
        for one, answer in zip(named, told[len(near) + len(said) :], strict=True)
    ]
    return found, matched, bearing


def rescored(hits: Sequence[Mapping[str, Any]], space: str, query: Vector) -> list[VectorMatch]:
    """By the exact inner product of the stored vectors, best first; ties by id."""
    held = [(hit["_id"], hit["_source"]["held"]["packed"][space]) for hit in hits]
    if not held:
        return []
    scores = np.stack([unpack(packed) for _, packed in held]) @ query
    order = sorted(range(len(held)), key=lambda i: (-scores[i], held[i][0]))
    return [VectorMatch(held[i][0], float(scores[i])) for i in order]


def _knn(index: Index, near: VectorQuery) -> Doc | None:
    """The search body; None where no vector of this field was ever written."""
    field = vector_field(near.space, near.modality, len(near.query))
    if near.k < 1 or not index.searched(field):
        return None
    fetched = min(MAX_RESULT_WINDOW, max(near.k + MIN_MATCHES, round(OVERSAMPLE * near.k)))
    knn: Doc = {
        "field": f"vector.{field}",
        "query_vector": np.ascontiguousarray(near.query, dtype=np.float32),
        "k": fetched,
        "num_candidates": min(MAX_RESULT_WINDOW, max(MIN_CANDIDATES, round(CANDIDATES * fetched))),
    }
    if filters := conditions(near.filters):
        knn["filter"] = filters
    return {"knn": knn, "size": fetched, "_source": [f"held.packed.{near.space}"], "track_total_hits": False}


def _together(index: Index, bodies: Sequence[Doc]) -> list[Mapping[str, Any]]:
    searches: list[Doc] = []
    for body in bodies:
        searches += [{"index": index.name}, body]

    def ask() -> list[Mapping[str, Any]]:
        answers = index.client.msearch(searches=searches)["responses"]
        for answer in answers:
            if "error" in answer:
                cause = (answer["error"].get("root_cause") or [answer["error"]])[0]
                raise failure(answer["status"], f"{cause.get('type')}: {cause.get('reason')}", index.connection.address)
            shards = answer["_shards"]
            if shards["failed"]:
                reason = shards.get("failures", [{}])[0].get("reason", {}).get("reason", "")
                told = f"{shards['failed']} of {shards['total']} shards of {index.name} do not answer: {reason}"
                raise StoreBusy(told, "look at the cluster's health")
        return list(answers)

    return index.connection.insist(ask, PATIENCE)
