"""Teach EfficientNet-Lite2 to see as CLIP ViT-B/16 does: `python -m crossmedia.embeddings.train.student --data
../shared/data --vectors FOLDER --out embeddings/bundled`.

A head on the bundled network's features learns from the vectors that the larger tower gives the same pictures (Hinton
et al., "Distilling the knowledge in a neural network", 2015): their directions from the mean, which of a batch's
vectors is a picture's own, how near each of many captions is (C. Yang et al., "CLIP-KD", 2024), and the objective of
`head.py` with the finished map of words. `clip_b16_words.py` comes before it and shares FOLDER. Needs the extra
`train`. Twenty minutes on two cores, most of them for looking at the pictures.
"""

from __future__ import annotations

import argparse
import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from crossmedia.embeddings import layers
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.clip_b16_words import MAP, MappedWords
from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture import FEATURES, HEAD, NETWORK
from crossmedia.embeddings.train import clip_b16_words, finetune, head, lite2, material, views
from crossmedia.embeddings.train.clip_b16_words import Sights

SEED: Final = 7
VIEWS: Final = 4
"""Of each picture: whole, mirrored, and two more."""
OF_THING: Final = (0, 1, 2, 7)
"""Which of those that `views.py` makes of a thing."""
WIDTH, DROPOUT = 2048, 0.3
EPOCHS, RATE, DECAY = 40, 1e-3, 0.05
PHOTOS, NAMED = 448, 128
"""Of each in a batch."""
CAPTIONS: Final = 768
"""Captions of a step that a picture's distances to are learned."""
SHARPNESS, LENGTH = 40.0, 10.0
"""Of the softmax over captions; of the features, which have unit length else."""
OF_CAPTIONS, OF_BATCH = 0.3, 0.3
"""Weights of these losses beside the direction's."""
OWN_SHARPNESS: Final = 20.0


class StudentNet(nn.Module):  # type: ignore[misc]
    """Unit features (N, 1280) → unit vectors (N, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(lite2.FEATURES, WIDTH), nn.Linear(WIDTH, DIM)
        # Features of unit length are small numbers; the first layer starts as if they were not.
        self.hidden.weight.data *= LENGTH
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, features: Tensor) -> Tensor:
        bent = nn.functional.gelu(self.hidden(features), approximate="tanh")
        return nn.functional.normalize(self.out(self.dropout(bent)), dim=1)


@dataclass(eq=False)
class Unmapped:
    """Towers for `head.Objective` whose vectors lie in the space already."""

    scale: Tensor

    def each(self, features: Tensor) -> list[Tensor]:
        return [features]

    def texts(self, vectors: Tensor) -> Tensor:
        return vectors


def distillation(seen: Tensor, taught: Tensor, mean: Tensor, captions: Tensor) -> Tensor:
    """The loss of unit vectors (B, 512) beside the teacher's; `captions`: (C, 512)."""
    ours, theirs = (nn.functional.normalize(rows - mean, dim=1) for rows in (seen, taught))
    direction = 1 - (ours * theirs).sum(1).mean()
    own = nn.functional.cross_entropy(OWN_SHARPNESS * ours @ theirs.T, torch.arange(len(seen)))
    near = (SHARPNESS * seen @ captions.T).log_softmax(1)
    wanted = (SHARPNESS * taught @ captions.T).softmax(1)
    return direction + OF_BATCH * own - OF_CAPTIONS * (wanted * near).sum(1).mean()


def train(
    said: material.Descriptions, features: NDArray[np.float32], taught: Vectors, unanswered: Vectors
) -> StudentNet:
    """`said`: with texts in the space; `features`: (N, V, 1280) unit rows, `taught`: (N, V, 512); `unanswered`: texts
    without a picture, in the space."""
    torch.manual_seed(SEED)
    chance = np.random.default_rng(SEED)
    net = StudentNet()
    average: StudentNet = copy.deepcopy(net).eval()
    towers = Unmapped(torch.tensor(np.log(head.LAST_SCALE), dtype=torch.float32))
    objective = head.Objective(said, unanswered, chance)
    read, known, captions = (torch.from_numpy(rows) for rows in (features, taught, said.texts))
    mean, steps = known[: said.photos, 0].mean(0), EPOCHS * said.photos // PHOTOS
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    batches = itertools.islice(finetune.batches(said.photos, features.shape[:2], (PHOTOS, NAMED), chance), steps)
    for number, (items, view) in enumerate(track(batches, "student", steps)):
        drawn = captions[chance.integers(len(captions), size=CAPTIONS)]
        seen = net(read[items, view])
        loss = distillation(seen, known[items, view], mean, drawn) + objective(towers, seen, items)
        finetune.step(optimiser, schedule, loss)
        finetune.follow(average, net, number)
    return average


def save(net: StudentNet, offset: float, path: Path) -> None:
    """As `picture.StudentHead` reads it."""
    parts = (clip_b16_words.packed(name, getattr(net, name)) for name in ("hidden", "out"))
    layers.write(path, *parts, {"offset": np.array(offset, np.float32)})


class Features:
    """What the network reads of the views of pictures, one file of `folder` for each kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._network = session(BUNDLED / NETWORK, None, [FEATURES])

    def __call__(
        self, name: str, items: Sequence[Any], show: Callable[[Any], NDArray[np.uint8]]
    ) -> NDArray[np.float32]:
        """(N, V, 1280) unit rows."""
        path = self._folder / f"features-{name}.npy"
        if not path.is_file():
            rows = [self._network.run((FEATURES,), {"pixels": show(item)})[0] for item in track(items, name)]
            np.save(path, np.stack(rows).astype(np.float16))
        return normalise(np.load(path))


def of_class(photo: clip_b16_words.ClassPhoto) -> NDArray[np.uint8]:
    """Views of a class's photo."""
    return views.of_whole(clip_b16_words.opened(photo), photo.path.name, VIEWS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, look, train and write."""
    parser = argparse.ArgumentParser(description="Teach the built-in picture tower CLIP's space.")
    clip_b16_words.add_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder with the map of words, which is written to")
    asked = parser.parse_args(arguments)
    sights = Sights.gather(asked)
    words = MappedWords(BUNDLED, asked.out / MAP)
    said = sights.said()
    placed = replace(said, texts=words.place(said.texts))
    unanswered = words.place(sights.unanswered())
    features = Features(asked.vectors)
    read = np.concatenate(
        [
            features("photos", sights.photos, lambda photo: views.of_photo(photo, VIEWS)),
            features("things", sights.known, lambda thing: views.of_thing(thing)[list(OF_THING)]),
            features("classes", sights.classes, of_class),
        ]
    )
    seen = sights.seen
    taught = np.concatenate([np.repeat(seen[:, :1], VIEWS - 1, axis=1), seen[:, 1:]], axis=1)
    net = train(placed, read, taught, unanswered)
    save(net, 0.0, asked.out / HEAD)


if __name__ == "__main__":
    main()
