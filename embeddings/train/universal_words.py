"""Teach the multilingual sentence encoder both spaces of texts: `python -m crossmedia.embeddings.train.universal_words
--data ../shared/data --vectors FOLDER --out embeddings/bundled`.

One linear map of its means and a small network beside it learn CLIP's space from the pictures that captions in several
languages tell of, and from emoji with their names; and from texts with a translation where its English lies, in CLIP's
space as `clip_b16_words.py` maps it and in MiniLM's (Reimers and Gurevych, "Making monolingual sentence embeddings
multilingual using knowledge distillation", 2020). Comes after `clip_b16_words.py` and shares FOLDER. Needs the extra
`train` and the Debian packages that `translations.py` and `things.py` name. Twenty-five minutes on two cores, most of
them for reading.
"""

from __future__ import annotations

import argparse
import copy
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from crossmedia.embeddings import layers
from crossmedia.embeddings.cards import UNIVERSAL
from crossmedia.embeddings.catalog import BUNDLED, Catalog, sha256
from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.clip_b16_words import MAP, MappedWords
from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.embeddings.text import NETWORK, TEXT, TOKENIZER
from crossmedia.embeddings.train import clip_b16_words, data, finetune, head, minilm, translations
from crossmedia.embeddings.train.clip_b16_words import Sights
from crossmedia.embeddings.train.translations import Translation
from crossmedia.embeddings.universal import WIDTH, UniversalNetwork
from crossmedia.embeddings.universal_words import HEAD

SEED: Final = 7
HIDDEN, DROPOUT, FIRST_OUT = 1024, 0.3, 0.1
STEPS, RATE, DECAY = 1700, 1e-3, 0.05
PICTURES, CAPTIONS, PAIRS = 480, 2, 600
"""Pictures of a step, texts of each, and texts with a translation."""
LANGUAGE_WEIGHTS: Final = {"zh": 0.5, "en": 0.2, "ar": 0.15, "de": 0.05, "fr": 0.05, "cs": 0.05}
"""How often a photo is shown with a caption of each language, of those that it has. English ones are read by MiniLM
later, and are learned from for what they share with other languages."""
OF_PICTURES, OF_SIMILARITIES = 2.0, 100.0
"""Weights of the loss of pictures, and of squared differences of cosines with pictures, beside those of directions."""
EMOJI_SHARE: Final = 0.15
"""Of the pictures."""
SHARPNESS, CONTRAST = 20.0, 0.3
"""Of the softmax over translations, and its weight beside their direction."""
ENTRIES, DEFINITIONS, KEYWORDS = 40_000, 16_000, 8_000
"""Of the dictionary, of WordNet, and of captions of which single words are left, that are learned."""
KIND_SHARES: Final = {"captions": 0.2, "names": 0.25, "entries": 0.25, "english": 0.15, "keywords": 0.15}
"""What the texts with a translation are drawn from."""
PART: Final = 4000


class UniversalHeads(nn.Module):  # type: ignore[misc]
    """Scaled means (N, 1280) → unit vectors (N, 512) in CLIP's space and (N, 384) in that of sentences."""

    def __init__(self, ridge: NDArray[np.float32]) -> None:
        """`ridge`: (512, 1280), where the linear map into CLIP's space starts."""
        super().__init__()
        self.linear = nn.Linear(WIDTH, DIM + TEXT.dim)
        self.linear.weight.data[:DIM] = torch.from_numpy(ridge)
        self.hidden, self.out = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, DIM + TEXT.dim)
        self.out.weight.data *= FIRST_OUT
        self.dropout = nn.Dropout(DROPOUT)
        self.scale = nn.Parameter(torch.tensor(np.log(head.FIRST_SCALE), dtype=torch.float32))

    def forward(self, means: Tensor) -> tuple[Tensor, Tensor]:
        bent = self.dropout(nn.functional.gelu(self.hidden(means), approximate="tanh"))
        both = self.linear(means) + self.out(bent)
        return nn.functional.normalize(both[:, :DIM], dim=1), nn.functional.normalize(both[:, DIM:], dim=1)


class Read:
    """The means of texts, in files of `folder`: a run that was interrupted goes on where it was."""

    def __init__(self, network: UniversalNetwork, folder: Path) -> None:
        self._network = network
        self._folder = folder

    def __call__(self, name: str, texts: Sequence[str]) -> NDArray[np.float16]:
        """(N, 1280)."""
        path = self._folder / f"universal-{name}.npy"
        if not path.is_file():
            parts = [self._network.run(self._network.pieces(batch)) for batch in track(chunks(texts, 200), name)]
            np.save(path, np.concatenate(parts).astype(np.float16))
        stored: NDArray[np.float16] = np.load(path)
        if len(stored) != len(texts):
            raise ValueError(f"{path} holds {len(stored)} texts, not {len(texts)}: delete it")
        return stored


class English:
    """Where English texts lie in both spaces, by MiniLM and its map, kept in files of `folder`."""

    def __init__(self, words: MappedWords, folder: Path) -> None:
        self._states = minilm.States(BUNDLED / NETWORK, BUNDLED / TOKENIZER, inner=True)
        self._words = words
        self._folder = folder

    def __call__(self, name: str, texts: Sequence[str]) -> tuple[Vectors, Vectors]:
        """(N, 512), (N, 384)."""
        path = self._folder / f"english-{name}.npz"
        if not path.is_file():
            parts = [self._states(batch) for batch in track(chunks(texts, PART), f"english {name}")]
            states = np.concatenate(parts)
            np.savez(path, common=self._words.place(states), text=normalise(states[:, : TEXT.dim]))
        with np.load(path) as stored:
            return stored["common"], stored["text"]


@dataclass(frozen=True, eq=False)
class Seen:
    """Pictures with their texts: `pictures` (N, 512), of each the rows of `means` (M, 1280) that tell of it, by their
    languages."""

    pictures: Vectors
    means: NDArray[np.float16]
    tell: Sequence[Mapping[str, Sequence[int]]]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Texts with where their English lies: (N, 1280), (N, 512), (N, 384)."""

    means: NDArray[np.float16]
    common: Vectors
    text: Vectors


@dataclass(frozen=True, eq=False)
class Lessons:
    """All that is learned from."""

    photos: Seen
    emoji: Seen
    pairs: dict[str, Pairs]


def gather(sights: Sights, root: Path, read: Read, english: English) -> Lessons:
    """Reads every text, where the folder does not hold it yet."""
    names = [photo.path.name for photo in sights.photos]
    seen = sights.seen
    captions = translations.captions(root, "train")
    translated = translations.translated_captions(root, "train")
    tell: list[dict[str, list[int]]] = [{} for _ in names]
    place = {name: n for n, name in enumerate(names)}
    means: list[NDArray[np.float16]] = []
    count = 0
    for language, of_photo in captions.items():
        flat = [(place[name], text) for name, texts in of_photo.items() for text in texts if name in place]
        means.append(read(f"captions-{language}", [text for _, text in flat]))
        for n, (photo, _) in enumerate(flat):
            tell[photo].setdefault(language, []).append(count + n)
        count += len(flat)
    pairs: dict[str, list[Pairs]] = {kind: [] for kind in KIND_SHARES}
    of_english = [text for name in captions["en"] for text in captions["en"][name]]
    pairs["english"].append(Pairs(means[0], *english("captions", of_english)))
    for language, sentences in translated.items():
        rows = read(f"translated-{language}", [each.text for _, each in sentences])
        for n, (name, _) in enumerate(sentences):
            if name in place:
                tell[place[name]].setdefault(language, []).append(count + n)
        means.append(rows)
        count += len(rows)
        pairs["captions"].append(Pairs(rows, *english("translated", [each.english for _, each in sentences])))
    photos = Seen(seen[: len(names), 0], np.concatenate(means), tell)

    drawn = {thing.source: n for n, thing in enumerate(sights.known) if isinstance(thing.source, str)}
    shown = {glyph: seen[len(names) + n, 0] for glyph, n in drawn.items()}
    held_out = {thing.name for thing in sights.unseen}
    of_emoji: dict[str, dict[str, list[int]]] = {glyph: {} for glyph in shown}
    called, count = [], 0
    written = translations.emoji_names()
    for language, of_glyph in written.items():
        known = [
            (glyph, Translation(name, written["en"][glyph]))
            for glyph, name in of_glyph.items()
            if glyph in written["en"] and written["en"][glyph] not in held_out
        ]
        rows = read(f"emoji-{language}", [each.text for _, each in known])
        pairs["names"].append(Pairs(rows, *english(f"emoji-{language}", [each.english for _, each in known])))
        for n, (glyph, _) in enumerate(known):
            if glyph in of_emoji:
                of_emoji[glyph].setdefault(language, []).append(count + n)
        called.append(rows)
        count += len(rows)
    emoji = Seen(
        np.stack([shown[glyph] for glyph in of_emoji]),
        np.concatenate(called),
        list(of_emoji.values()),
    )
    chance = random.Random(SEED)
    entries = chance.sample([entry for entry in translations.dictionary() if entry.english not in held_out], ENTRIES)
    rows = read("entries", [entry.text for entry in entries])
    pairs["entries"].append(Pairs(rows, *english("entries", [entry.english for entry in entries])))
    few = [data.keywords(caption, chance) for caption in chance.sample(of_english, KEYWORDS)]
    pairs["keywords"].append(Pairs(read("keywords", few), *english("keywords", few)))
    said = chance.sample(translations.definitions(), DEFINITIONS)
    pairs["english"].append(Pairs(read("definitions", said), *english("definitions", said)))
    return Lessons(photos, emoji, {kind: joined(parts) for kind, parts in pairs.items()})


def joined(parts: Sequence[Pairs]) -> Pairs:
    """All of them as one."""
    return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("means", "common", "text")))


@dataclass(frozen=True, eq=False)
class Scaled:
    """Means less their mean, at the length of about one: what the heads read."""

    mean: NDArray[np.float32]
    factor: float

    @classmethod
    def of(cls, means: NDArray[np.float16]) -> Scaled:
        rows = means.astype(np.float32)
        mean = rows.mean(axis=0)
        return cls(mean, float(3 / np.linalg.norm(rows - mean, axis=1).mean()))

    def __call__(self, means: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy((means.astype(np.float32) - self.mean) * np.float32(self.factor))


def start(scaled: Scaled, seen: Seen) -> NDArray[np.float32]:
    """Ridge regression from captions to unit vectors of their photos, as long as those on average."""
    pairs = [(row, n) for n, each in enumerate(seen.tell) for rows in each.values() for row in rows]
    captions, photos = np.array(pairs).T
    return clip_b16_words.start(scaled(seen.means[captions]).numpy(), seen.pictures[photos])


def drawn(seen: Seen, items: NDArray[np.int64], chance: np.random.Generator) -> NDArray[np.float16]:
    """A text of each of these pictures."""
    chosen = []
    for item in items:
        languages = list(seen.tell[item])
        weights = np.array([LANGUAGE_WEIGHTS.get(language, 1.0) for language in languages])
        rows = seen.tell[item][languages[chance.choice(len(languages), p=weights / weights.sum())]]
        chosen.append(rows[chance.integers(len(rows))])
    texts: NDArray[np.float16] = seen.means[chosen]
    return texts


def follows(ours: Tensor, theirs: Tensor) -> Tensor:
    """The loss of unit vectors (B, dim) that are to be where others are."""
    own = nn.functional.cross_entropy(SHARPNESS * ours @ theirs.T, torch.arange(len(ours)))
    return 1 - (ours * theirs).sum(1).mean() + CONTRAST * own


def train(lessons: Lessons, scaled: Scaled) -> UniversalHeads:
    torch.manual_seed(SEED)
    chance = np.random.default_rng(SEED)
    heads = UniversalHeads(start(scaled, lessons.photos))
    average: UniversalHeads = copy.deepcopy(heads).eval()
    optimiser = torch.optim.AdamW(heads.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS + 1)
    emoji = round(EMOJI_SHARE * PICTURES)
    sources = ((lessons.photos, PICTURES - emoji), (lessons.emoji, emoji))
    target = torch.arange(PICTURES)
    for number in track(range(STEPS), "learning"):
        shown = [(seen, chance.choice(len(seen.pictures), size, replace=False)) for seen, size in sources]
        pictures = torch.from_numpy(np.concatenate([seen.pictures[items] for seen, items in shown]))
        scale = heads.scale.clamp(max=np.log(head.LAST_SCALE)).exp()
        losses = []
        for _ in range(CAPTIONS):
            said, _ = heads(scaled(np.concatenate([drawn(seen, items, chance) for seen, items in shown])))
            scores = scale * pictures @ said.T
            losses += [nn.functional.cross_entropy(one, target) for one in (scores, scores.T)]
        loss = OF_PICTURES * torch.stack(losses).mean()
        for kind, share in KIND_SHARES.items():
            pairs = lessons.pairs[kind]
            rows = chance.integers(len(pairs.means), size=round(share * PAIRS))
            common, text = heads(scaled(pairs.means[rows]))
            wanted = torch.from_numpy(pairs.common[rows])
            apart = ((common - wanted) @ pictures.T).square().mean()
            of_text = follows(text, torch.from_numpy(pairs.text[rows]))
            loss = loss + share * (follows(common, wanted) + OF_SIMILARITIES * apart + of_text)
        finetune.step(optimiser, schedule, loss)
        finetune.follow(average, heads, number)
    return average


def save(heads: UniversalHeads, scaled: Scaled, further: dict[str, NDArray[Any]], path: Path) -> None:
    """As `UniversalWords` reads it: what scales the means is part of the first layers."""
    parts = []
    for name in ("linear", "hidden"):
        layer = getattr(heads, name)
        weight = (layer.weight.detach().numpy() * np.float32(scaled.factor)).T
        parts.append(layers.packed(name, weight, layer.bias.detach().numpy() - scaled.mean @ weight))
    layers.write(path, *parts, clip_b16_words.packed("out", heads.out), further)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, read, train and write."""
    parser = argparse.ArgumentParser(description="Learn the maps of the multilingual sentence encoder.")
    clip_b16_words.add_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder with the map of words, which is written to")
    asked = parser.parse_args(arguments)
    words = MappedWords(BUNDLED, asked.out / MAP)
    read = Read(UniversalNetwork(Catalog(asked.models).resolve(UNIVERSAL.id)), asked.vectors)
    lessons = gather(Sights.gather(asked), asked.data, read, English(words, asked.vectors))
    scaled = Scaled.of(lessons.photos.means[::7])
    heads = train(lessons, scaled)
    save(heads, scaled, {}, asked.out / HEAD)
    print(
        f'{{ name = "{HEAD}", sha256 = "{sha256(asked.out / HEAD)}", size = {(asked.out / HEAD).stat().st_size:_} }},'
    )


if __name__ == "__main__":
    main()
