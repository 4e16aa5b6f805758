"""Does the default cut-off mean something: what returns nothing, what still answers, and is relevance reliable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossmedia.api.service import Service
from crossmedia.embeddings.stop_words import STOP_WORDS
from crossmedia.eval.metrics import mean
from crossmedia.eval.probes import ABSENT, gibberish
from crossmedia.retrieval.query import DEFAULT_MIN_RELEVANCE, Filters, Query

COMMON_WORD = 8
"""A word that stands in captions of as many photos, by two people each, is what a collection is about."""
MAX_HITS = 10
BINS = 10


def measure(service: Service, collection: str, captions: dict[Path, tuple[str, ...]]) -> dict[str, Any]:
    """Shares over one collection of captioned photos, and the reliability of relevance on balanced pairs."""
    filters = Filters(media=("image",), collection=collection)

    def hits(text: str, **options: Any) -> list[tuple[str, float]]:
        answer = service.searching.search(Query(texts=(text,), filters=filters, k=MAX_HITS, fold=False, **options)).hits
        return [(Path(hit.path).name, hit.relevance) for hit in answer]

    nonsense = [not hits(text) for text in gibberish(50, seed=1)]
    absent = [not hits(text) for text in absent_from(captions)]
    asked = [(caption, path.name) for path, texts in captions.items() for caption in texts]
    kept: list[bool] = []
    pairs: list[tuple[float, bool]] = []
    for caption, name in asked:
        uncut = dict(hits(caption, min_relevance=0))
        if name in uncut:
            # The cut-off leaves out the hits below it and changes nothing else, so that one search tells both.
            kept.append(uncut[name] >= DEFAULT_MIN_RELEVANCE)
            pairs.append((uncut[name], True))
            wrong = [relevance for other, relevance in uncut.items() if other != name]
            pairs.extend((relevance, False) for relevance in wrong[-1:])
    words = frequent_words(captions)
    answered = [bool(hits(word)) for word in words]
    return {
        "shares": [
            {"what": "gibberish that returns nothing", "share": mean(_floats(nonsense)), "of": len(nonsense)},
            {"what": "absent topics that return nothing", "share": mean(_floats(absent)), "of": len(absent)},
            {"what": "right hits among the first ten that stay", "share": mean(_floats(kept)), "of": len(kept)},
            {
                "what": "one-word queries about what is there that answer",
                "share": mean(_floats(answered)),
                "of": len(answered),
            },
        ],
        "reliability": _reliability(pairs),
    }


def absent_from(captions: dict[Path, tuple[str, ...]]) -> list[str]:
    """The probes none of whose content words stands in any caption of the collection."""
    present = {word for texts in captions.values() for text in texts for word in _words(text)}
    return [text for text in ABSENT if not set(_words(text)) & present]


def frequent_words(captions: dict[Path, tuple[str, ...]]) -> list[str]:
    """Words that at least two people used of at least COMMON_WORD photos each, most frequent first."""
    counted: Counter[str] = Counter()
    for texts in captions.values():
        said = Counter(word for text in texts for word in set(_words(text)))
        counted.update(word for word, times in said.items() if times >= 2)
    return [word for word, count in counted.most_common() if count >= COMMON_WORD]


def _words(text: str) -> list[str]:
    return [w for w in re.findall(r"[a-z]+", text.lower()) if w not in STOP_WORDS and len(w) > 2]


def _reliability(pairs: Sequence[tuple[float, bool]]) -> list[dict[str, float]]:
    """Mean relevance and share of right ones, in bins of equal width that hold something."""
    bins = []
    for number in range(BINS):
        inside = [
            (r, y) for r, y in pairs if number / BINS <= r < (number + 1) / BINS or (r == 1 and number == BINS - 1)
        ]
        if inside:
            bins.append(
                {
                    "relevance": mean([r for r, _ in inside]),
                    "right": mean(_floats([y for _, y in inside])),
                    "pairs": len(inside),
                }
            )
    return bins


def _floats(values: Sequence[bool]) -> list[float]:
    return [float(value) for value in values]
