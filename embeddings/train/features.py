"""What the frozen networks say of the training material: picture features, and sentence vectors of every text."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from embeddings.onnx import session
from embeddings.train.data import Photo, class_names, keywords, pixels, words

BATCH = 32


@dataclass(frozen=True, eq=False)
class Material:
    """`features`: (N, 2, 1280) pooled and raw, of each photo and of its mirror image; `captions`, `keywords`:
    (N, 5, 384) unit vectors. `needs`: (N, 5, 2) numbers of the words in each keyword text (a single one twice);
    `tells`: (N, V) which words the captions of each photo hold."""

    features: NDArray[np.float32]
    captions: NDArray[np.float32]
    keywords: NDArray[np.float32]
    needs: NDArray[np.int64]
    tells: NDArray[np.bool_]


def material(backbone: Path, texts: Any, photos: Sequence[Photo], seed: int) -> Material:
    """Run both networks over a split. `backbone`: the int8 ONNX file; `texts`: strings → (N, 384)."""
    chance = random.Random(seed)
    said = [caption for photo in photos for caption in photo.captions]
    cut = [keywords(caption, chance) for caption in said]
    distinct = sorted(set(said) | set(cut))
    row = {text: n for n, text in enumerate(distinct)}
    vectors = texts(distinct)
    shape = (len(photos), -1, vectors.shape[1])
    return Material(
        pictures(backbone, photos),
        vectors[[row[text] for text in said]].reshape(shape),
        vectors[[row[text] for text in cut]].reshape(shape),
        *vocabulary(photos, cut),
    )


def vocabulary(photos: Sequence[Photo], cut: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """`needs` and `tells` of `Material`. `cut`: the keyword texts, of each photo as many as captions."""
    number = {word: n for n, word in enumerate(sorted({word for text in cut for word in words(text)}))}
    tells = np.zeros((len(photos), len(number)), np.bool_)
    for n, photo in enumerate(photos):
        tells[n, [number[word] for word in words(" ".join(photo.captions)) if word in number]] = True
    needs = np.array([[number[word] for word in (words(text) * 2)[:2]] for text in cut], np.int64)
    return needs.reshape(len(photos), -1, 2), tells


def pictures(backbone: Path, photos: Sequence[Photo]) -> NDArray[np.float32]:
    """(N, 2, 1280) features of photos and of their mirror images."""
    network = session(backbone)
    views = []
    for i in range(0, len(photos), BATCH):
        straight = pixels(photos[i : i + BATCH])
        both = (straight, np.ascontiguousarray(straight[:, :, ::-1]))
        views.append(np.stack([network.run(("features",), {"pixels": view})[0] for view in both], axis=1))
    return np.concatenate(views)


def class_vectors(texts: Any) -> Vectors:
    """(1000, 384) sentence vectors of "a photo of a <class>"."""
    vectors: Vectors = texts([f"a photo of a {name}" for name in class_names()])
    return vectors
