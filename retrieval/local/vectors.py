"""One FAISS index over the vectors of one field, derived from the store and disposable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Vector, Vectors

Ids = NDArray[np.int64]

EXACT_UP_TO = 30_000
"""Below this many vectors a scan of all is as fast as anything else (`python -m crossmedia.eval.bench.index`)."""
RETRAIN_FACTOR = 3
"""An approximate index is trained again when it holds this many times what it was trained on."""
TRAIN_PER_LIST = 40
PROBES = 32
OVERSAMPLE = 4
"""Candidates fetched per wanted hit; the store ranks them again by their exact similarity."""


@dataclass(frozen=True)
class Generation:
    """How far an index has followed the store: the last vector id and the last deletion it has seen, and the epoch of
    the store in which it has seen them."""

    vector: int = 0
    gone: int = 0
    epoch: str = ""


class VectorIndex:
    """Ids and inner products over unit vectors: a flat scan while small, IVF with 8-bit codes when large.

    IVF (Sivic & Zisserman 2003) with scalar quantisation keeps a million 384-d vectors in 400 MB. `search` returns
    candidates; their similarities are approximate once the index is.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.generation = Generation()
        self._lock = threading.RLock()
        self._index = _flat(dim)
        self._trained_on = 0

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def exact(self) -> bool:
        return self._trained_on == 0

    def follow(self, ids: Ids, rows: Vectors, gone: Ids, generation: Generation) -> None:
        """Add and remove in one step, so that a search sees one generation or the next."""
        with self._lock:
            if len(ids):
                self._index.add_with_ids(np.ascontiguousarray(rows, dtype=np.float32), ids)
            if len(gone):
                self._index.remove_ids(faiss.IDSelectorBatch(gone))
            self.generation = generation

    def search(self, query: Vector, k: int, allowed: Ids | None = None) -> Ids:
        """Ids of at least min(k, matching) best candidates, roughly best first. `allowed`: only among these."""
        with self._lock:
            wanted = min(k if self.exact else k * OVERSAMPLE, len(self))
            if wanted == 0:
                return np.empty(0, dtype=np.int64)
            row = np.ascontiguousarray(query.reshape(1, -1), dtype=np.float32)
            if allowed is None:
                found = self._ask(row, wanted, None, PROBES)
            else:
                # Few of many: the probed lists may hold none of the allowed, so more lists are read, in the end all.
                wanted = min(wanted, len(allowed))
                share = max(len(allowed) / len(self), 1e-9)
                found = self._ask(row, wanted, allowed, int(PROBES / share) + 1)
            if len(found) < min(k, wanted):
                found = self._ask(row, wanted, allowed, self._lists)
            return found

    def train(self, sample: Vectors, total: int) -> VectorIndex:
        """A new, empty approximate index for about `total` vectors, trained on a sample of them."""
        lists = int(np.clip(4 * np.sqrt(total), 64, len(sample) // TRAIN_PER_LIST))
        quantiser = faiss.IndexFlatIP(self.dim)
        index = faiss.IndexIVFScalarQuantizer(
            quantiser, self.dim, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.niter = 10
        index.cp.seed = 7
        if faiss.get_num_gpus():
            # The clustering, which takes nearly all of the time. The index itself stays: those of GPUs can neither
            # forget single vectors nor search among some of them.
            clustering = faiss.index_cpu_to_all_gpus(faiss.IndexFlatIP(self.dim))
            index.clustering_index = clustering
        index.train(np.ascontiguousarray(sample, dtype=np.float32))
        index.clustering_index = None
        index.own_fields = True
        quantiser.this.disown()
        fresh = VectorIndex(self.dim)
        fresh._index = index
        fresh._trained_on = total
        return fresh

    def wants_training(self) -> bool:
        return len(self) > EXACT_UP_TO and (self.exact or len(self) > RETRAIN_FACTOR * self._trained_on)

    def outdate(self) -> None:
        """Most of what it was trained on is gone: its lists fit other vectors."""
        self._trained_on = min(self._trained_on, 1)

    def ids(self) -> Ids:
        """Every id held, sorted."""
        with self._lock:
            if self.exact:
                return np.sort(faiss.vector_to_array(self._index.id_map)).astype(np.int64)
            lists = self._index.invlists
            parts = [
                faiss.rev_swig_ptr(lists.get_ids(i), lists.list_size(i)).copy()
                for i in range(lists.nlist)
                if lists.list_size(i)
            ]
            return np.sort(np.concatenate(parts)).astype(np.int64) if parts else np.empty(0, dtype=np.int64)

    @contextmanager
    def held(self) -> Iterator[tuple[Any, Generation, int]]:
        """The FAISS index, how far it has followed the store, and on how many it was trained: unchanged inside."""
        with self._lock:
            yield self._index, self.generation, self._trained_on

    @classmethod
    def holding(cls, content: Any, generation: Generation, trained_on: int) -> VectorIndex:
        """What `held` gave once, read from a file."""
        index = cls(content.d)
        index._index, index.generation, index._trained_on = content, generation, trained_on
        return index

    def rows(self, most: int | None = None) -> Iterator[tuple[Ids, Vectors]]:
        """What is held, as (ids, vectors) in parts of no order; at most about `most` of them, drawn at random. Once
        approximate, the vectors are."""
        with self._lock:
            rng = np.random.default_rng()
            if len(self) == 0:
                return
            if self.exact:
                ids = faiss.vector_to_array(self._index.id_map)
                flat = faiss.downcast_index(self._index.index)
                held = faiss.rev_swig_ptr(flat.get_xb(), len(ids) * self.dim).reshape(-1, self.dim)
                chosen = _drawn(rng, len(ids), most)
                yield ids[chosen], held[chosen].copy()
                return
            lists = self._index.invlists
            sizes = np.array([lists.list_size(number) for number in range(lists.nlist)])
            ends = np.cumsum(sizes)
            chosen = _drawn(rng, int(ends[-1]), most)
            numbers = np.searchsorted(ends, chosen, side="right")
            for number in np.unique(numbers).tolist():
                offsets = chosen[numbers == number] - (ends[number] - sizes[number])
                ids = faiss.rev_swig_ptr(lists.get_ids(number), int(sizes[number]))[offsets]
                rows = np.empty((len(offsets), self.dim), dtype=np.float32)
                for row, offset in zip(rows, offsets.tolist(), strict=True):
                    self._index.reconstruct_from_offset(number, offset, faiss.swig_ptr(row))
                yield ids, rows

    @property
    def _lists(self) -> int:
        return 1 if self.exact else int(self._index.nlist)

    def _ask(self, row: Vectors, k: int, allowed: Ids | None, probes: int) -> Ids:
        selector = None if allowed is None else faiss.IDSelectorBatch(allowed)
        parameters: Any
        if self.exact:
            parameters = faiss.SearchParameters(sel=selector) if selector else None
        else:
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=min(probes, self._lists))
        _, ids = self._index.search(row, k, params=parameters)
        found: Ids = ids[0]
        return found[found >= 0]


def _flat(dim: int) -> Any:
    return faiss.IndexIDMap2(faiss.IndexFlatIP(dim))


def _drawn(rng: np.random.Generator, count: int, most: int | None) -> Ids:
    """At most so many of `count` numbers, ascending."""
    if most is None or most >= count:
        return np.arange(count)
    return np.sort(rng.choice(count, most, replace=False))
