"""Read the letters of a plate from several views, by their probabilities and by how plates are built.

Probability of a text: A. Graves et al., "Connectionist temporal classification" (2006), the forward sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.retrieval.plates import folded

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MIN_LETTERS: Final = 4
MAX_LETTERS: Final = 9
SHAPES: Final = frozenset(
    # The commonest of the United States and of Europe: L a letter, D a digit.
    "LLLDDD DDDLLL LLLDDDD DLLLDDD DDDDLLL LLDDDDD LDDDDDD LLDLDL LLDDLL DDDLDD DDLLLD DLLDDDD DDDDDLD LLDDDD DDLLDDD "
    "LLDDDLL LLDDLLL LLLDDLL LLDDDDL LDDDLLL  LLLDDDDD LLDDDLLL DDLLDD DDDLL LDDDD LLLDD".split()
)
"""How most plates are built. Others are read as well, but have to be plainer."""
UNUSUAL: Final = -4.0
"""What the logarithm of the probability of a text loses that is of no such shape."""
LOOK_ALIKE: Final = tuple(
    (pair[0], pair[1]) for pair in "0D 8B 5S 2Z 6G 4A 4L 7Z VY WN 1T 1L 7T UV HN MH MN EF CG PF 8S Q0".split()
)
"""What is taken for each other on small plates, in either direction."""
MIN_LOG_PROBABILITY: Final = -8.0
"""A look of less than this log-probability shows something else, a frame or a sticker, and counts as this."""
VARIED_CANDIDATES: Final = 6
"""Candidates that are changed in every way."""
_FLOOR: Final = 1e-4

Chances = NDArray[np.float32]
"""(T, 37): at each step from left to right, nothing and then each of the alphabet."""


@dataclass(frozen=True)
class PlateReading:
    """`text`, as it stands there without separators; `evidence`: mean log-probability of a look."""

    text: str
    evidence: float
    looks: int

    @property
    def usual(self) -> bool:
        """Built as most plates are."""
        return has_plate_shape(self.text)


def read_letters(looks: Sequence[Chances]) -> PlateReading | None:
    """The likeliest plate over several views of the same place; None where none of them reads 4 to 9 characters."""
    own = [greedy(look) for look in looks]
    candidates = {folded(text) for text in own if MIN_LETTERS <= len(text) <= MAX_LETTERS}
    if not candidates:
        return None
    merged = [_fold(look) for look in looks]
    scores = _scores(merged, candidates, loose=True)
    best = sorted(scores, key=lambda text: -scores[text])[:VARIED_CANDIDATES]
    scores |= _scores(merged, set(_variants(best)) - set(scores), loose=True)
    likeliest = max(sorted(scores), key=lambda text: scores[text])
    evidence = scores[likeliest] - (0.0 if has_plate_shape(likeliest, loose=True) else UNUSUAL)
    return PlateReading(_unfold(looks, likeliest, own), evidence, len(looks))


def greedy(look: Chances) -> str:
    """The likeliest character of each step, repetitions merged."""
    steps = look.argmax(axis=1).tolist()
    return "".join(ALPHABET[n - 1] for n, before in zip(steps, [0, *steps], strict=False) if n and n != before)


def has_plate_shape(text: str, loose: bool = False) -> bool:
    """Whether a text has the shape of a plate; `loose`: 0 and 1 may be letters.

    >>> has_plate_shape("RK755AJ"), has_plate_shape("0Y09FEU"), has_plate_shape("0Y09FEU", loose=True)
    (True, False, True)
    """
    kinds = ["DL" if loose and c in "01" else "D" if c.isdigit() else "L" for c in text]
    return any(
        len(shape) == len(kinds) and all(c in kind for c, kind in zip(shape, kinds, strict=True)) for shape in SHAPES
    )


def likelihoods(look: Chances, texts: Sequence[str]) -> NDArray[np.float64]:
    """Of each text the log-probability that a look shows just it, over all ways to align the two: (N,)."""
    logs = np.log(np.maximum(look.astype(np.float64), _FLOOR))
    states = np.zeros((len(texts), 2 * max(map(len, texts)) + 1), np.int64)
    for row, text in zip(states, texts, strict=True):
        row[1 : 2 * len(text) : 2] = [1 + ALPHABET.index(c) for c in text]
    skipping = np.zeros(states.shape, bool)
    skipping[:, 2:] = (states[:, 2:] != 0) & (states[:, 2:] != states[:, :-2])
    ways = np.full(states.shape, -np.inf)
    ways[:, :2] = logs[0, states[:, :2]]
    for step in logs[1:]:
        stepped, skipped = np.full(states.shape, -np.inf), np.full(states.shape, -np.inf)
        stepped[:, 1:], skipped[:, 2:] = ways[:, :-1], ways[:, :-2]
        skipped[~skipping] = -np.inf
        ways = np.logaddexp(np.logaddexp(ways, stepped), skipped) + step[states]
    rows, ends = np.arange(len(texts)), np.array([2 * len(text) for text in texts])
    return np.asarray(np.logaddexp(ways[rows, ends], ways[rows, ends - 1]))


def _scores(looks: Sequence[Chances], texts: Iterable[str], loose: bool) -> dict[str, float]:
    """Mean log-probability of a look, less what an unusual shape costs."""
    listed = sorted(texts)
    if not listed:
        return {}
    means = np.mean([likelihoods(look, listed).clip(MIN_LOG_PROBABILITY) for look in looks], axis=0)
    return {
        text: float(mean) + (0.0 if has_plate_shape(text, loose) else UNUSUAL)
        for text, mean in zip(listed, means, strict=True)
    }


def _variants(texts: Iterable[str]) -> Iterable[str]:
    """Texts without one of their characters, which may be a picture between them, or with a look-alike of one."""
    alike: dict[str, str] = {}
    for one, other in LOOK_ALIKE:
        alike[one] = alike.get(one, "") + other
        alike[other] = alike.get(other, "") + one
    for text in texts:
        for n, character in enumerate(text):
            if len(text) > MIN_LETTERS:
                yield text[:n] + text[n + 1 :]
            yield from (folded(text[:n] + other + text[n + 1 :]) for other in alike.get(character, ""))


def _fold(look: Chances) -> Chances:
    """What speaks for O speaks for 0 as well, for I as well for 1."""
    merged = look.copy()
    for digit, letter in ("0O", "1I"):
        merged[:, 1 + ALPHABET.index(digit)] += look[:, 1 + ALPHABET.index(letter)]
    return merged


def _unfold(looks: Sequence[Chances], text: str, own: Iterable[str]) -> str:
    """0 or O, 1 or I: as one of the usual shapes has it or a look reads it, whichever the looks speak for."""
    ways = {one for one in own if folded(one) == text} | {text}
    for shape in SHAPES:
        if len(shape) == len(text):
            lettered = [
                {"0": "O", "1": "I"}.get(c, c) if kind == "L" else c for c, kind in zip(text, shape, strict=True)
            ]
            ways.add("".join(lettered))
    scores = _scores(looks, ways, loose=False)
    return max(sorted(scores), key=lambda one: scores[one])
