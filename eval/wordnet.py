"""Similarity of two nouns in WordNet by Wu and Palmer (ACL 1994), from Debian's dictionary files.

WUPS (M. Malinowski and M. Fritz, NIPS 2014) compares answers by it, and what is less near than its threshold counts a
tenth.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import DependencyMissing

FOLDER: Final = Path("/usr/share/wordnet")
FAR_FACTOR: Final = 0.1
"""What a nearness below the threshold is multiplied with."""


class Nouns:
    """WordNet's nouns; raises DependencyMissing where they are not installed."""

    def __init__(self, folder: Path = FOLDER) -> None:
        if not (folder / "data.noun").is_file():
            raise DependencyMissing(f"no WordNet in {folder}", "apt-get install wordnet-base")
        self._folder = folder

    @cached_property
    def senses(self) -> dict[str, tuple[str, ...]]:
        """Word → the synsets it stands in, by their places in the file."""
        synsets: dict[str, tuple[str, ...]] = {}
        for line in (self._folder / "index.noun").read_text(encoding="latin-1").splitlines():
            if not line.startswith(" "):
                parts = line.split()
                synsets[parts[0]] = tuple(parts[-int(parts[2]) :])
        return synsets

    @cached_property
    def above(self) -> dict[str, tuple[str, ...]]:
        """Synset → what it is a kind or an instance of."""
        kinds_of: dict[str, tuple[str, ...]] = {}
        for line in (self._folder / "data.noun").read_text(encoding="latin-1").splitlines():
            if line.startswith(" "):
                continue
            parts = line.split(" | ")[0].split()
            words = int(parts[3], 16)
            pointers = parts[5 + 2 * words :]
            kinds = [pointers[n + 1] for n in range(0, 4 * int(parts[4 + 2 * words]), 4) if pointers[n] in ("@", "@i")]
            kinds_of[parts[0]] = tuple(kinds)
        return kinds_of

    def ancestors(self, synset: str) -> dict[str, int]:
        """What is above a synset, itself included, with the fewest steps to it."""
        steps, waiting = {synset: 0}, deque([synset])
        while waiting:
            one = waiting.popleft()
            for kind in self.above.get(one, ()):
                if kind not in steps:
                    steps[kind] = steps[one] + 1
                    waiting.append(kind)
        return steps

    @lru_cache(maxsize=100_000)  # noqa: B019 -- one dictionary lives as long as the program
    def depth(self, synset: str) -> int:
        """Steps from the root, which has 1."""
        return 1 + max((self.depth(kind) for kind in self.above.get(synset, ())), default=0)

    def near(self, one: str, other: str) -> float:
        """Twice the depth of what both are a kind of, over the depths of both: the nearest senses, in [0, 1]."""
        if one == other:
            return 1.0
        best = 0.0
        for a in self.senses.get(_entry(one), ()):
            over = self.ancestors(a)
            for b in self.senses.get(_entry(other), ()):
                for shared in over.keys() & self.ancestors(b).keys():
                    steps = over[shared] + self.ancestors(b)[shared]
                    best = max(best, 2 * self.depth(shared) / (2 * self.depth(shared) + steps))
        return best


def wups(told: str, truth: str, nouns: Nouns, threshold: float = 0.9) -> float:
    """Of one answer, several things joined by `, `: each of the one side by the nearest of the other, both ways, the
    smaller."""
    ours, theirs = [x.strip() for x in told.split(",")], [x.strip() for x in truth.split(",")]

    def score(one: str, other: str) -> float:
        value = nouns.near(one, other)
        return value if value >= threshold else FAR_FACTOR * value

    def one_way(some: list[str], others: list[str]) -> float:
        product = 1.0
        for one in some:
            product *= max(score(one, other) for other in others)
        return product

    return min(one_way(ours, theirs), one_way(theirs, ours))


def _entry(word: str) -> str:
    """How the files write a word."""
    return word.lower().replace(" ", "_")
