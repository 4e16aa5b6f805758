"""Teach MiniLM CLIP's space: `python -m crossmedia.embeddings.train.clip_b16_words --data ../shared/data --vectors
FOLDER --out embeddings/bundled`.

CLIP's text tower is in no package. A linear map of MiniLM's states, started as ridge regression onto the pictures of
the captions, and a small network beside it are trained against CLIP's picture vectors, which stay as they are, by the
objective of `head.py`: photos with captions, one photo of each of ImageNet's classes, clip art and emoji with names.
Needs the extra `train`, the Debian packages that `things.py` names, and `crossmedia models pull clip-b16`. Half an
hour on two cores, all but two minutes of it for looking at the pictures.
"""

from __future__ import annotations

import argparse
import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from crossmedia.embeddings import layers
from crossmedia.embeddings.builtin import teacher
from crossmedia.embeddings.catalog import BUNDLED, Catalog, sha256
from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.clip_b16 import DIM, ClipB16
from crossmedia.embeddings.clip_b16_words import MAP
from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.picture import prepare
from crossmedia.embeddings.text import NETWORK, TOKENIZER
from crossmedia.embeddings.train import bank, data, finetune, head, material, minilm, rarity, views
from crossmedia.embeddings.train.strangers import strangers
from crossmedia.embeddings.train.things import DrawnThing, things

SEED, STRANGERS = 7, 4000
HIDDEN, DROPOUT, FIRST_OUT = 1024, 0.3, 0.1
RIDGE: Final = 1.0
EPOCHS, RATE, DECAY = 30, 1e-3, 0.05
PHOTOS, NAMED = 448, 96
"""Of each in a batch."""
PART: Final = 100
"""Pictures a file."""


@dataclass(frozen=True)
class ClassPhoto:
    """A photo of ImageNet, named by its file: `nWNID_class_name.jpg`."""

    path: Path

    @property
    def texts(self) -> tuple[str, ...]:
        name = self.path.stem.split("_", 1)[1].replace("_", " ")
        return name, f"a photo of a {name}"


class WordHeads(nn.Module):  # type: ignore[misc]
    """`states` (N, 1152) → unit vectors (N, 512); pictures are as CLIP sees them."""

    def __init__(self, ridge: NDArray[np.float32]) -> None:
        """`ridge`: (512, 1152), where the linear map starts."""
        super().__init__()
        self.linear = nn.Linear(minilm.STATES, DIM, bias=False)
        self.linear.weight.data = torch.from_numpy(ridge)
        self.hidden, self.out = nn.Linear(minilm.STATES, HIDDEN), nn.Linear(HIDDEN, DIM)
        self.out.weight.data *= FIRST_OUT
        self.dropout = nn.Dropout(DROPOUT)
        self.scale = nn.Parameter(torch.tensor(np.log(head.FIRST_SCALE), dtype=torch.float32))

    def each(self, features: Tensor) -> list[Tensor]:
        """Pictures, as they are."""
        return [features]

    def texts(self, vectors: Tensor) -> Tensor:
        """Texts in CLIP's space."""
        bent = self.dropout(nn.functional.gelu(self.hidden(vectors), approximate="tanh"))
        return nn.functional.normalize(self.linear(vectors) + self.out(bent), dim=1)


def start(states: Vectors, seen: Vectors) -> NDArray[np.float32]:
    """Ridge regression from texts (N, 1152) to unit vectors of their pictures (N, 512), as long as those on average."""
    solved = np.linalg.solve(states.T @ states + RIDGE * np.eye(states.shape[1]), states.T @ seen)
    scaled: NDArray[np.float32] = (solved / np.linalg.norm(states @ solved, axis=1).mean()).T.astype(np.float32)
    return scaled


def train(
    said: material.Descriptions, seen: NDArray[np.float32], first: NDArray[np.float32], unanswered: Vectors
) -> WordHeads:
    """`seen`: (N, V, 512) unit vectors of the items' views; `first`: the linear map to start from."""
    torch.manual_seed(SEED)
    chance = np.random.default_rng(SEED)
    heads = WordHeads(first)
    average: WordHeads = copy.deepcopy(heads).eval()
    objective = head.Objective(said, unanswered, chance)
    features, steps = torch.from_numpy(seen), EPOCHS * said.photos // PHOTOS
    optimiser = torch.optim.AdamW(heads.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    batches = finetune.batches(said.photos, seen.shape[:2], (PHOTOS, NAMED), chance)
    for number, (items, view) in enumerate(itertools.islice(batches, steps)):
        finetune.step(optimiser, schedule, objective(heads, features[items, view], items))
        finetune.follow(average, heads, number)
    return average


def save(heads: WordHeads, further: Mapping[str, NDArray[Any]], path: Path) -> None:
    """As `MappedWords` reads it; `further`: the other arrays of the file."""
    layers.write(path, *(packed(name, getattr(heads, name)) for name in ("linear", "hidden", "out")), further)


def packed(name: str, layer: nn.Linear) -> dict[str, NDArray[Any]]:
    """A layer as the arrays of a file."""
    bias = None if layer.bias is None else layer.bias.detach().numpy()
    return layers.packed(name, layer.weight.detach().numpy().T, bias)


class Looked:
    """What the tower saw, some pictures a file of `folder`: a run that was interrupted goes on where it was."""

    def __init__(self, tower: ClipB16, folder: Path) -> None:
        self._tower = tower
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name: str, items: Sequence[Any], show: Callable[[Any], Picture]) -> Vectors:
        """(N, 512) unit vectors of the items' pictures."""
        parts = []
        for first, batch in zip(range(0, len(items), PART), chunks(items, PART), strict=True):
            path = self._folder / f"{name}-{first:05d}.npy"
            if not path.is_file():
                seen = self._tower.look([show(item) for item in batch])
                np.save(path.with_suffix(".new.npy"), seen)
                path.with_suffix(".new.npy").rename(path)
            parts.append(np.load(path))
        return np.concatenate(parts)


def on_white(thing: DrawnThing) -> Picture:
    """Whole, on a white square."""
    return Picture(prepare(thing.picture()))


def on_another_backdrop(thing: DrawnThing) -> Picture:
    """Smaller, on grey or a colour."""
    return Picture(views.of_thing(thing)[-1])


def opened(photo: ClassPhoto) -> Picture:
    """The decoded photo."""
    return Picture(np.asarray(Image.open(photo.path).convert("RGB")))


@dataclass(frozen=True, eq=False)
class Sights:
    """All pictures of the training, photos, then things, then photos of classes, as CLIP sees them: `seen` (N, 2, 512)
    unit vectors of two views, which are the same of photos; `dev` and `unseen` are kept for measuring."""

    tower: ClipB16
    texts: minilm.States
    photos: Sequence[data.Photo]
    dev: Sequence[data.Photo]
    known: Sequence[DrawnThing]
    unseen: Sequence[DrawnThing]
    classes: Sequence[ClassPhoto]
    seen: Vectors

    @classmethod
    def gather(cls, asked: argparse.Namespace) -> Sights:
        """Looks at every picture, where `vectors` does not hold it yet."""
        tower = teacher(Catalog(asked.models))
        looked = Looked(tower, asked.vectors)
        photos, dev = (data.flickr8k(asked.data / "flickr8k", split) for split in ("train", "dev"))
        every = things(data.vocabulary([*photos, *dev], data.class_names()))
        known = [thing for thing in every if thing.split == "train"]
        unseen = [thing for thing in every if thing.split == "dev" and thing.tangible]
        classes = [ClassPhoto(path) for path in sorted((asked.data / "imagenet-sample").rglob("*.jpg"))]
        plain, single = looked("photos", photos, data.picture), looked("classes", classes, opened)
        drawn = [looked(show.__name__, known, show) for show in (on_white, on_another_backdrop)]
        seen = np.concatenate([np.stack(pair, axis=1) for pair in ((plain, plain), drawn, (single, single))])
        texts = minilm.States(BUNDLED / NETWORK, BUNDLED / TOKENIZER, inner=True)
        return cls(tower, texts, photos, dev, known, unseen, classes, seen)

    def said(self) -> material.Descriptions:
        """What is said of the pictures, as states of MiniLM."""
        return material.describe(self.texts, self.photos, [*self.known, *self.classes], SEED)

    def unanswered(self) -> Vectors:
        """States of texts without a picture."""
        return self.texts(strangers(STRANGERS, SEED))


def learn(sights: Sights) -> WordHeads:
    """The map of words towards what was seen."""
    plain = sights.seen[: len(sights.photos), 0]
    captions = np.stack([sights.texts(photo.captions).mean(0) for photo in sights.photos])
    return train(sights.said(), sights.seen, start(captions, plain), sights.unanswered())


@torch.no_grad()  # type: ignore[untyped-decorator]
def placed(heads: WordHeads, states: Vectors) -> Vectors:
    """States of MiniLM among the pictures."""
    rows: Vectors = heads.texts(torch.from_numpy(states)).numpy()
    return rows


def count_pieces(sights: Sights) -> NDArray[np.uint8]:
    """How many captions and names of things contain each word piece. Names of classes are left out: a map that saw one
    photo of each calls too much by them."""
    written = [caption for photo in sights.photos for caption in photo.captions]
    named = sorted({thing.name for thing in sights.known})
    return rarity.count_pieces(BUNDLED / TOKENIZER, [*written, *named])


def query_bank(place: Callable[[Vectors], Vectors], sights: Sights) -> Vectors:
    """Centres of the captions, and names of things."""
    captions = place(sights.texts([caption for photo in sights.photos for caption in photo.captions]))
    named = sorted({thing.name for thing in sights.known})
    return np.concatenate([bank.centres(captions, bank.CAPTIONS), place(sights.texts(data.every(named, bank.NAMES)))])


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the commands are told that learn from what CLIP sees."""
    parser.add_argument("--data", type=Path, required=True, help="folder with flickr8k and imagenet-sample")
    parser.add_argument("--models", type=Path, help="folder of models, where it is not the usual one")
    parser.add_argument("--vectors", type=Path, required=True, help="folder that keeps what was seen")


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, look, train and write."""
    parser = argparse.ArgumentParser(description="Learn the map of words into CLIP's space.")
    add_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder the map is written to")
    asked = parser.parse_args(arguments)
    sights = Sights.gather(asked)
    heads = learn(sights)
    arrays = {**layers.packed("bank", query_bank(partial(placed, heads), sights)), "met": count_pieces(sights)}
    save(heads, arrays, asked.out / MAP)
    print(f'{{ name = "{MAP}", sha256 = "{sha256(asked.out / MAP)}", size = {(asked.out / MAP).stat().st_size:_} }},')


if __name__ == "__main__":
    main()
