"""The built-in picture tower: EfficientNet-Lite2, int8, with a head that learned to see as CLIP ViT-B/16 does.

Tan and Le, "EfficientNet" (2019), Lite variant. Its vectors lie in CLIP's space, near those of the larger tower, whose
student it is (Hinton et al., "Distilling the knowledge in a neural network", 2015). How it is made:
`embeddings/train/student.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.embeddings import layers
from crossmedia.embeddings.cards import COMMON, LITE2, STUDENT
from crossmedia.embeddings.encoder import Encoding, Modality, Space, Vectors, normalise
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.query_bank import QueryBank

SIDE: Final = 260
BATCH: Final = 8
"""Pictures a run: more of them cost memory and save no time."""

NETWORK, HEAD = "lite2-int8.onnx", "clip-b16-student.npz"
"""Its files."""
FEATURES: Final = "features"
"""The tensor within the network that the head reads, (N, 1280)."""
MAX_CLASS_NAMES: Final = 5
MIN_CLASS_PROBABILITY: Final = 0.1

PICTURE: Final = Space("picture", 256, LITE2.id, LITE2.revision, "padded to a square, 260 px, bicubic")


def prepare(picture: Picture) -> NDArray[np.uint8]:
    """Any picture → (260, 260, 3) uint8: whole, in its proportions, on the mean colour of its border."""
    image = Image.fromarray(picture.pixels)
    scale = SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0))
    if width == height:
        return small
    edge = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    square = np.empty((SIDE, SIDE, 3), np.uint8)
    square[:] = edge.mean(0).round().astype(np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    square[top : top + height, left : left + width] = small
    return square


@dataclass(frozen=True, eq=False)
class StudentHead:
    """Features → unit vectors (512) in CLIP's space. `offset`: what is taken off all their similarities to texts, so
    that the cut-off of the larger tower is theirs too."""

    hidden: layers.Layer
    out: layers.Layer
    offset: float

    @classmethod
    def read(cls, path: Path) -> StudentHead:
        """Raises `ModelMissing` or `ModelCorrupt`."""
        arrays = layers.read(path, "hidden", "out", "offset")
        return cls(layers.layer(arrays, "hidden"), layers.layer(arrays, "out"), float(arrays["offset"]))

    def __call__(self, features: NDArray[np.float32]) -> Vectors:
        """(N, 1280) → (N, 512)."""
        return normalise(self.out(layers.gelu(self.hidden(normalise(features)))))


class Lite2:
    """Encoder of pictures. Spaces: `common` (514) and `picture` (256); classes are ImageNet-1k names.

    `folder` holds `lite2-int8.onnx` and `classes.txt`, `head` is the file of the student's head, `bank` what the
    vectors are compared with; network and head are opened on the first batch.
    """

    modality: Modality = "picture"
    spaces: tuple[Space, ...] = (COMMON, PICTURE)
    model: str = f"{LITE2.id}@{LITE2.revision}+{STUDENT.id}@{STUDENT.revision}"

    def __init__(self, folder: Path, head: Path, bank: Callable[[], QueryBank], threads: int | None = None) -> None:
        self.folder = folder
        self._path = head
        self._read_bank = bank
        self.threads = threads or len(os.sched_getaffinity(0))

    @cached_property
    def _network(self) -> Any:
        return session(self.folder / NETWORK, self.threads, [FEATURES])

    @cached_property
    def _head(self) -> StudentHead:
        return StudentHead.read(self._path)

    @cached_property
    def _bank(self) -> QueryBank:
        return self._read_bank()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The thousand class names, in the order of the network's outputs."""
        return tuple((self.folder / "classes.txt").read_text(encoding="utf-8").splitlines())

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        """Pictures of any size → unit vectors, and the classes seen with probability ≥ 0.1 (at most five)."""
        if not batch:
            return Encoding({space.name: np.zeros((0, space.dim), np.float32) for space in self.spaces})
        outputs = (FEATURES, PICTURE.name, "probabilities")
        parts = [self._network.run(outputs, {"pixels": pixels}) for pixels in self._prepared(batch)]
        features, picture, chances = (np.concatenate(column) for column in zip(*parts, strict=True))
        common = self._bank.pictures(self._head(features), self._head.offset)
        return Encoding({COMMON.name: common, PICTURE.name: picture}, [self._classes(row) for row in chances])

    def _prepared(self, batch: Sequence[Picture]) -> Iterator[NDArray[np.uint8]]:
        """Stacks of at most `BATCH` prepared pictures, the next one made while the network reads the last."""
        chunks = [batch[i : i + BATCH] for i in range(0, len(batch), BATCH)]
        with ThreadPoolExecutor(self.threads) as pool:
            ahead = [pool.submit(prepare, item) for item in chunks[0]]
            for n in range(len(chunks)):
                ready = ahead
                ahead = [pool.submit(prepare, item) for item in chunks[n + 1]] if n + 1 < len(chunks) else []
                yield np.stack([done.result() for done in ready])

    def _classes(self, chances: NDArray[np.float32]) -> list[tuple[str, float]]:
        best = np.argsort(chances)[::-1][:MAX_CLASS_NAMES]
        return [(self.names[i], float(chances[i])) for i in best if chances[i] >= MIN_CLASS_PROBABILITY]
