"""One FAISS index over the vectors of one field, derived from the store and disposable."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
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
    """How far an index has followed the store: the last vector id and the last deletion it has seen."""

    vector: int = 0
    gone: int = 0


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

    def save(self, folder: Path, field: str) -> None:
        """Write the index under a name that tells its generation; the rename is what makes it count."""
        with self._lock:
            folder.mkdir(parents=True, exist_ok=True)
            g = self.generation
            name = f"{_stem(field)}.{g.vector}.{g.gone}.{self._trained_on}.faiss"
            for left in folder.glob(f".{_stem(field)}.*.partial"):
                left.unlink(missing_ok=True)  # of a crash
            partial = folder / f".{name}.partial"
            faiss.write_index(self._index, str(partial))
            partial.replace(folder / name)
            for old in folder.glob(f"{_stem(field)}.*.faiss"):
                if old.name != name:
                    old.unlink(missing_ok=True)

    @classmethod
    def open(cls, folder: Path, field: str, dim: int, newest: Generation) -> VectorIndex:
        """The saved index, or an empty one if there is none, it is unreadable, or it is ahead of the store."""
        for path in sorted(folder.glob(f"{_stem(field)}.*.faiss"), key=_told, reverse=True):
            vector, gone, trained_on = _told(path)
            if vector > newest.vector or gone > newest.gone:
                continue  # another process has seen more than this snapshot
            try:
                loaded = faiss.read_index(str(path))
            except RuntimeError:
                path.unlink(missing_ok=True)
                continue
            if loaded.d != dim:
                path.unlink(missing_ok=True)
                continue
            index = cls(dim)
            index._index, index._trained_on, index.generation = loaded, trained_on, Generation(vector, gone)
            return index
        return cls(dim)

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


def files(folder: Path, field: str) -> list[Path]:
    """Every file of a field's index, whole or not."""
    return [*folder.glob(f"{_stem(field)}.*.faiss"), *folder.glob(f".{_stem(field)}.*.partial")]


def remove(folder: Path, field: str) -> None:
    for path in files(folder, field):
        path.unlink(missing_ok=True)


def _flat(dim: int) -> Any:
    return faiss.IndexIDMap2(faiss.IndexFlatIP(dim))


def _told(path: Path) -> tuple[int, int, int]:
    """Last vector, last deletion and training size, from the name; zeros for a name that is none of ours."""
    parts = path.name.split(".")[1:4]
    if len(parts) < 3 or not all(part.isdigit() for part in parts):
        return 0, 0, 0
    return int(parts[0]), int(parts[1]), int(parts[2])


def _stem(field: str) -> str:
    return field.replace("/", "-")
