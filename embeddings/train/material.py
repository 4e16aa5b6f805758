"""The training material as arrays: what the lower part of the picture network sees, what the text network says."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.train import backbone, views
from crossmedia.embeddings.train.data import Photo, keywords, words
from crossmedia.embeddings.train.things import DrawnThing

KEYWORD_RATE: Final = 0.2
"""How often a photo is shown with one or two words of a caption: without them a single word finds nothing."""
NAME_RATE: Final = 0.5
"""How often a thing is shown with its bare name; else with any of its texts."""
NEEDS: Final = 4
"""Words of a name that are compared."""
NEVER, ALWAYS = 0, 1
"""Columns of `tells` that no item and every item has."""
GROUP, AHEAD = 4, 4
"""Items a run of the network, and runs prepared ahead."""


class Named(Protocol):
    """A picture of one thing. `texts`: its name first, then its name with more."""

    @property
    def texts(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, eq=False)
class Descriptions:
    """What is said of N items, photos and then things: any number of texts each.

    `texts`: (M, 1152) text vectors. `reach`: (M,) rising; item i has the texts with reach in (i, i + 1], each as often
    as its step is wide. `needs`: (M, 4) words, as columns of `tells`, that make another item answer the text too;
    `tells`: (N, W) which words are said of an item. `photos`: how many of the items are photos.
    """

    texts: Vectors
    reach: NDArray[np.float64]
    needs: NDArray[np.int64]
    tells: NDArray[np.bool_]
    photos: int

    def draw(self, items: NDArray[np.int64], chance: np.random.Generator) -> NDArray[np.int64]:
        """For each item one of its texts at random, as row numbers of `texts`."""
        return np.searchsorted(self.reach, items + 1 - chance.random(len(items)))


@dataclass(frozen=True, eq=False)
class Material(Descriptions):
    """The same items as the networks see them, in V views each.

    `maps`: (N, V, C, H, W) uint8, where the trained part of the network begins; `logits`: (N, V, 1000) float16 of the
    untrained network.
    """

    maps: NDArray[np.uint8]
    logits: NDArray[np.float16]


def gather(
    network: backbone.Tapped, texts: Any, photos: Sequence[Photo], things: Sequence[DrawnThing], seed: int
) -> Material:
    """Run both networks over everything. `texts`: strings → (N, 1152)."""
    said = describe(texts, photos, things, seed)
    seen = [_encode_pictures(network, views.of_photo, photos), _encode_pictures(network, views.of_thing, things)]
    maps, logits = (np.concatenate([part[n] for part in seen]) for n in (0, 1))
    return Material(said.texts, said.reach, said.needs, said.tells, said.photos, maps, logits)


def describe(texts: Any, photos: Sequence[Photo], things: Sequence[Named], seed: int) -> Descriptions:
    """Their texts as vectors. `texts`: strings → (N, 1152)."""
    chance = random.Random(seed)
    offered = [_of_photo(photo, chance) for photo in photos] + [_of_thing(thing) for thing in things]
    flat = [text for several in offered for text in several]
    distinct = sorted({text.written for text in flat})
    row = {text: n for n, text in enumerate(distinct)}
    vectors = texts(distinct)[[row[text.written] for text in flat]]
    # Whole numbers at the items' ends: rounding must not let a text spill into the next item.
    reach = np.concatenate([n + np.cumsum([t.share for t in several]) for n, several in enumerate(offered)])
    reach[np.cumsum([len(several) for several in offered]) - 1] = np.arange(1, len(offered) + 1)
    said = [" ".join(photo.captions) for photo in photos] + [" ".join(thing.texts) for thing in things]
    return Descriptions(vectors, reach, *_vocabulary(flat, said), len(photos))


@dataclass(frozen=True)
class _Text:
    """`share`: how often it stands for its item. `common`: whether other items may answer it as well."""

    written: str
    share: float
    common: bool


def _of_photo(photo: Photo, chance: random.Random) -> list[_Text]:
    count = len(photo.captions)
    whole = [_Text(caption, (1 - KEYWORD_RATE) / count, False) for caption in photo.captions]
    return whole + [_Text(keywords(caption, chance), KEYWORD_RATE / count, True) for caption in photo.captions]


def _of_thing(thing: Named) -> list[_Text]:
    any_text = (1 - NAME_RATE) / len(thing.texts)
    return [_Text(text, any_text + NAME_RATE * (n == 0), True) for n, text in enumerate(thing.texts)]


def _vocabulary(texts: Sequence[_Text], said: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """`needs` and `tells` of `Material`. `said`: of each item everything in one string."""
    known = sorted({word for text in texts if text.common for word in words(text.written)})
    column = {word: n for n, word in enumerate(known, start=2)}
    tells = np.zeros((len(said), len(column) + 2), np.bool_)
    tells[:, ALWAYS] = True
    for n, everything in enumerate(said):
        tells[n, [column[word] for word in words(everything) if word in column]] = True
    needs = np.full((len(texts), NEEDS), ALWAYS)
    for n, text in enumerate(texts):
        wanted = [column[word] for word in words(text.written)[:NEEDS]] if text.common else []
        needs[n, : max(1, len(wanted))] = wanted or NEVER
    return needs, tells


def _encode_pictures(
    network: backbone.Tapped, show: Callable[[Any], NDArray[np.uint8]], items: Sequence[Photo | DrawnThing]
) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    maps, logits = [], []
    for pixels in _ahead(lambda group: np.concatenate([show(item) for item in group]), items):
        seen, said = network(pixels)
        maps.append(seen.reshape(-1, views.VIEWS, *seen.shape[1:]))
        logits.append(said.reshape(-1, views.VIEWS, said.shape[1]).astype(np.float16))
    return np.concatenate(maps), np.concatenate(logits)


def _ahead(prepare: Callable[[Sequence[Any]], NDArray[np.uint8]], items: Sequence[Any]) -> Iterator[NDArray[np.uint8]]:
    """Groups of items prepared by threads a little ahead of their use."""
    groups = iter([items[n : n + GROUP] for n in range(0, len(items), GROUP)])
    with ThreadPoolExecutor(2) as threads:
        waiting: deque[Future[NDArray[np.uint8]]] = deque()
        for group in groups:
            waiting.append(threads.submit(prepare, group))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
