"""CLIP ViT-B/16's picture tower, int8: pictures into the space of OpenAI's CLIP.

Radford et al., "Learning transferable visual models from natural language supervision" (2021). Its vectors are
near those of the float network (mean cosine 0.9985), so that CLIP's own text tower can search them. How the network is
made: `embeddings/train/clip_b16.py`; its weights come by `crossmedia models pull clip-b16` (`clip_b16_weights.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossmedia.embeddings.cards import CLIP_B16, COMMON
from crossmedia.embeddings.clip_b16_weights import GRAPH
from crossmedia.embeddings.encoder import Encoding, Modality, Space, Vector, Vectors, normalise
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture_recipe import PictureRecipe
from crossmedia.embeddings.query_bank import QueryBank

DIM: Final = 512
RECIPE: Final = PictureRecipe(
    224, "shortest", "bicubic", (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
)
OWN: Final = Space("picture", DIM, CLIP_B16.id, CLIP_B16.revision, str(RECIPE))
"""Its vectors as they are, for search by example."""


class ClipB16:
    """Encoder of pictures into `common` (514) and `picture` (512). `folder` holds the graph and its weights, `bank` is
    what the vectors are compared with; both are asked for with the first batch.

    One picture a run, as many runs at once as there are `threads`: that is faster than one run on all of them.
    """

    modality: Modality = "picture"
    spaces: tuple[Space, ...] = (COMMON, OWN)
    model: str = f"{CLIP_B16.id}@{CLIP_B16.revision}"

    def __init__(self, folder: Callable[[], Path], bank: Callable[[], QueryBank], threads: int | None = None) -> None:
        self._find = folder
        self._read_bank = bank
        self.threads = threads or len(os.sched_getaffinity(0))

    @cached_property
    def _network(self) -> Any:
        return session(self._find() / GRAPH, 1)

    @cached_property
    def _bank(self) -> QueryBank:
        return self._read_bank()

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        """Pictures of any size → unit vectors."""
        seen = self.look(batch)
        return Encoding({COMMON.name: self._bank.pictures(seen), OWN.name: seen})

    def look(self, batch: Sequence[Picture]) -> Vectors:
        """Pictures of any size → (N, 512) unit rows, as CLIP gives them."""
        rows = np.zeros((len(batch), DIM), np.float32)
        if len(batch):
            self._network  # noqa: B018 (opened once, before the threads ask for it)
            with ThreadPoolExecutor(self.threads) as pool:
                rows[:] = list(pool.map(self._encode, batch))
        return normalise(rows)

    def _encode(self, picture: Picture) -> Vector:
        vector: Vector = self._network.run(("vector",), {"pixels": RECIPE(picture)[None]})[0][0]
        return vector
