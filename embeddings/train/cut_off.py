"""Choose the settings of the query bank and the weight of a text's rarity.

    python -m crossmedia.embeddings.train.cut_off --data ../shared/data --vectors FOLDER

The map of words is learned without a fifth of the photos, twice, and 500 of those are the gallery. Prints recall for
settings of the bank; then for weights of the rarity, where each fold's cut-off is the other's: the share of right
captions that stay, how many photos a caption finds, the share of frequent words that are answered, how many photos they
find and how many of theirs, and of texts without an answer the share that finds nothing. Needs what
`clip_b16_words.py` needs and shares FOLDER. Eight minutes on two cores.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from crossmedia.embeddings import query_bank
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.rarity import rarity
from crossmedia.embeddings.stop_words import STOP_WORDS
from crossmedia.embeddings.text import NETWORK, TOKENIZER, SentenceNetwork
from crossmedia.embeddings.train import calibrate, clip_b16_words, probes
from crossmedia.embeddings.train.clip_b16_words import Sights

FOLDS, TRIED = 5, 2
GALLERY: Final = 500
SETTINGS: Final = ((1.0, 0.0), (20.0, 0.5), (40.0, 0.5), (40.0, 0.8), (40.0, 1.0), (60.0, 0.5), (60.0, 0.8))
"""Sharpness and share of the bank."""
CHOSEN: Final = (query_bank.SHARPNESS, query_bank.SHARE)
UNANSWERED: Final = ("names", "topics", "made up")
KEPT: Final = 0.955
"""Share of the captions with their photo among the best ten that the cut-off keeps."""
TRIED_WEIGHTS: Final = (0.0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08)
FREQUENT: Final = 8
"""Photos of which two people each use a word, for it to be frequent."""


@dataclass(frozen=True, eq=False)
class Fold:
    """A gallery (500, 512), a bank of texts, and the texts of each kind as vectors, with the rarity of each. `shown`:
    (words, 500) which photos two people use a word of."""

    gallery: Vectors
    bank: Vectors
    texts: Mapping[str, tuple[Vectors, Vectors]]
    shown: NDArray[np.bool_]

    def similarities(self, kind: str, setting: tuple[float, float]) -> Vectors:
        """Texts → (N, 500), less what the bank takes off."""
        sharpness, share = setting
        offset = share / sharpness * np.log(np.exp(sharpness * self.gallery @ self.bank.T).mean(axis=1))
        lowered: Vectors = self.texts[kind][0] @ self.gallery.T - offset
        return lowered

    def scores(self, kind: str, weight: float) -> Vectors:
        """The same less what is taken off for rarity."""
        lowered: Vectors = self.similarities(kind, CHOSEN) - weight * self.texts[kind][1][:, None]
        return lowered

    def answered(self, weight: float) -> Vectors:
        """The scores of captions with their own photo, where it is among the best ten."""
        scores = self.scores("captions", weight)
        return calibrate.answered_cosines(scores, np.arange(len(scores)) // (len(scores) // GALLERY))

    def judge(self, weight: float, cut: float) -> dict[str, float]:
        """What a cut-off is worth: shares, and how many photos a text finds."""
        words, captions = self.scores("words", weight) >= cut, self.scores("captions", weight) >= cut
        seen = [float(row[of].mean()) for row, of in zip(words, self.shown, strict=True)]
        silent = {kind: float((self.scores(kind, weight).max(axis=1) < cut).mean()) for kind in UNANSWERED}
        return {
            "captions kept": float((self.answered(weight) >= cut).mean()),
            "photos a caption": float(captions.sum(axis=1).mean()),
            "words answered": float(words.any(axis=1).mean()),
            "photos a word": float(words.sum(axis=1).mean()),
            "of a word's photos": float(np.mean(seen)),
            **{f"{kind}, silent": share for kind, share in silent.items()},
        }


def content(text: str) -> set[str]:
    """Its words that mean something."""
    return {word for word in re.findall("[a-z]+", text.lower()) if word not in STOP_WORDS and len(word) > 2}


def twice(captions: Sequence[str]) -> set[str]:
    """Words that two of them use."""
    said = Counter(word for caption in captions for word in content(caption))
    return {word for word, times in said.items() if times >= 2}


def folds(sights: Sights) -> Iterator[Fold]:
    """Learns the words without a fold and looks at a part of it."""
    network = SentenceNetwork(BUNDLED / NETWORK, BUNDLED / TOKENIZER)
    chance = np.random.default_rng(1)
    part = np.arange(len(sights.photos)) % FOLDS
    for number in range(TRIED):
        learned, plain = part != number, sights.seen[: len(sights.photos), 0]
        rest = replace(
            sights,
            photos=[photo for photo, inside in zip(sights.photos, learned, strict=True) if inside],
            seen=np.concatenate([sights.seen[: len(learned)][learned], sights.seen[len(learned) :]]),
        )
        heads = clip_b16_words.learn(rest)

        def place(texts: Sequence[str], heads: clip_b16_words.WordHeads = heads) -> Vectors:
            rows: Vectors = clip_b16_words.placed(heads, sights.texts(texts))
            return rows

        names = sorted({thing.name for thing in rest.known} | {photo.texts[0] for photo in rest.classes})
        met = clip_b16_words.count_pieces(rest)
        shown = chance.choice(np.flatnonzero(~learned), GALLERY, replace=False)
        captions = [caption for n in shown for caption in sights.photos[n].captions]
        present = set().union(*map(content, captions))
        agreed = [twice(sights.photos[n].captions) for n in shown]
        counted = Counter(word for words in agreed for word in words)
        frequent = [word for word, photos in counted.items() if photos >= FREQUENT]
        texts = {
            "captions": captions,
            "words": frequent,
            "names": [name for name in names if content(name) and not content(name) & present],
            "topics": [topic for topic in probes.ABSENT if not content(topic) & present],
            "made up": probes.gibberish(50, seed=3),
        }
        vectors = {kind: place(each) for kind, each in texts.items()}
        rare = {
            kind: np.array([rarity(met[ids]) for ids in network.pieces(each)], np.float32)
            for kind, each in texts.items()
        }
        bank = clip_b16_words.query_bank(partial(clip_b16_words.placed, heads), rest)
        named = np.array([[word in words for words in agreed] for word in frequent])
        yield Fold(plain[shown], bank, {kind: (vectors[kind], rare[kind]) for kind in texts}, named)


def main() -> None:
    """Parse the command line, learn each fold, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    clip_b16_words.add_options(parser)
    torch.manual_seed(clip_b16_words.SEED)
    each = list(folds(Sights.gather(parser.parse_args())))
    for setting in SETTINGS:
        recalls = []
        for fold in each:
            scores = fold.similarities("captions", setting)
            rank = calibrate.ranks(scores, np.arange(len(scores)) // (len(scores) // GALLERY))
            recalls.append([float((rank < k).mean()) for k in (1, 5, 10)])
        means = np.mean(recalls, axis=0).round(3)
        print("sharpness {}, share {}: text to image recall@1, 5, 10".format(*setting), means)
    for weight in TRIED_WEIGHTS:
        judged = []
        for fold in each:
            others = np.concatenate([other.answered(weight) for other in each if other is not fold])
            judged.append(fold.judge(weight, float(np.quantile(others, 1 - KEPT))))
        print(f"weight {weight}:", {k: round(np.mean([j[k] for j in judged]), 3) for k in judged[0]})


if __name__ == "__main__":
    main()
