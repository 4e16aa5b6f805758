"""Vectors as NumPy's `.npy`: (N, dim) float32, little-endian, written row by row and mapped when read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

import numpy as np
from numpy.lib import format as npy

from crossmedia.embeddings.encoder import Vector, Vectors
from crossmedia.retrieval.archive.manifest import HINT, ArchiveUnusable

TOLERANCE: Final = 1e-3
"""How far from 1 the length of a stored vector may be: those of the encoders are within 1e-6."""
_HEADER: Final = re.compile(
    rb"\{'descr': '(<f[248])', 'fortran_order': False, 'shape': \(((?:[0-9]{1,18}, ){0,7}(?:[0-9]{1,18},?)?)\), \} *\n"
)
CHECKED_AT_ONCE: Final = 65_536


class RowsWriter:
    """The header is written again at the end, when the number of rows is known; NumPy leaves room in it for that."""

    def __init__(self, path: Path, dim: int) -> None:
        self.rows = 0
        self._dim = dim
        self._file = path.open("xb")
        self._header()
        self._begin = self._file.tell()

    def add(self, vector: Vector) -> int:
        """Returns the row's number. Raises ValueError for what could not be read back."""
        if vector.shape != (self._dim,) or not bool(unit_or_zero(vector[None])[0]):
            raise ValueError(f"no unit vector of {self._dim} dimensions")
        self._file.write(np.ascontiguousarray(vector, "<f4").tobytes())
        self.rows += 1
        return self.rows - 1

    def close(self) -> None:
        self._file.seek(0)
        self._header()
        if self._file.tell() != self._begin:
            raise RuntimeError("NumPy's header has grown over the first row")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        self._file.close()

    def _header(self) -> None:
        npy.write_array_header_1_0(
            self._file, {"descr": "<f4", "fortran_order": False, "shape": (self.rows, self._dim)}
        )


def open_rows(path: Path, rows: int, dim: int) -> Vectors:
    """(rows, dim), mapped. Raises ArchiveUnusable where the file holds anything else, or rows that are no vectors."""
    with path.open("rb") as file:
        shape, dtype = declared(file, path)
        begin = file.tell()
    if shape != (rows, dim) or dtype != np.dtype("<f4"):
        raise ArchiveUnusable(f"{path} holds {shape} {dtype}, not ({rows}, {dim}) float32", HINT)
    if path.stat().st_size != begin + 4 * rows * dim:
        raise ArchiveUnusable(f"{path} is cut short, or has more in it than its header says", HINT)
    mapped: Vectors = np.memmap(path, "<f4", "r", begin, (rows, dim))
    for first in range(0, rows, CHECKED_AT_ONCE):
        good = unit_or_zero(mapped[first : first + CHECKED_AT_ONCE])
        if not good.all():
            raise ArchiveUnusable(f"row {first + int(np.argmin(good))} of {path} is no unit vector", HINT)
    return mapped


def declared(file: BinaryIO | IO[bytes], path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type that the header of a `.npy` file of floats tells, without allocating any of it; the file stands
    behind the header then. NumPy's own reader evaluates the header as Python. Raises ArchiveUnusable for anything
    else."""
    start = file.read(10)
    found = None
    if len(start) == 10 and start[:8] == npy.magic(1, 0):
        found = _HEADER.fullmatch(file.read(int.from_bytes(start[8:], "little")))
    if found is None:
        raise ArchiveUnusable(f"{path} is no .npy file of floats in rows, as crossmedia writes them", HINT)
    return tuple(int(length) for length in found[2].split(b",") if length.strip()), np.dtype(found[1].decode())


def unit_or_zero(rows: Vectors) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(N, dim) → (N,): whether each is of length 1, or all zeros, as `normalise` leaves nothing. NaN is neither."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
    good: np.ndarray[Any, np.dtype[np.bool_]] = (np.abs(lengths - 1) <= TOLERANCE) | (lengths == 0)
    return good
