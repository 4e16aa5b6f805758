"""Choose the texts of a query bank (`embeddings/query_bank.py`)."""

from __future__ import annotations

import numpy as np

from crossmedia.embeddings.encoder import Vectors, normalise

CAPTIONS, NAMES = 2000, 800
"""Rows of the bank: centres of the captions, and names of things, without which a drawing of one is nobody's hub."""
ROUNDS, SEED = 6, 1


def centres(rows: Vectors, count: int) -> Vectors:
    """`count` unit rows that stand for the unit rows (N, dim): k-means by cosine. They normalise as well as four times
    as many single captions."""
    means = rows[np.random.default_rng(SEED).permutation(len(rows))[:count]]
    for _ in range(ROUNDS):
        sums = np.zeros_like(means)
        np.add.at(sums, (rows @ means.T).argmax(1), rows)
        means = np.where(sums.any(1, keepdims=True), normalise(sums), means)
    return means
