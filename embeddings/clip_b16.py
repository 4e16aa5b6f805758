"""CLIP ViT-B/16's picture tower, int8: pictures into the space of OpenAI's CLIP.

Radford et al., "Learning transferable visual models from natural language supervision" (2021). Its vectors are
near those of the float network (mean cosine 0.9985), so that CLIP's own text tower can search them. How the network is
made: `embeddings/train/clip_b16.py`; its weights come by `crossmedia models pull clip-b16` (`clip_b16_weights.py`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.clip_b16_weights import GRAPH
from crossmedia.embeddings.encoder import COMMON, Encoding, Modality, Space, Vector, normalise
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture_recipe import PictureRecipe

DIM: Final = 512
RECIPE: Final = PictureRecipe(
    224, "shortest", "bicubic", (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
)
SPACE: Final = Space(COMMON, DIM, CLIP_B16.id, CLIP_B16.revision, str(RECIPE))
"""Whatever writes words into it must give exactly this space."""
OWN: Final = replace(SPACE, name="picture")
"""The same vectors for search by example."""


class ClipB16:
    """Encoder of pictures into `common` and `picture`, both 512-d. `folder` holds the graph and its weights, which are
    read with the first batch.

    One picture a run, as many runs at once as there are `threads`: that is faster than one run on all of them.
    """

    modality: Modality = "picture"
    spaces: tuple[Space, ...] = (SPACE, OWN)
    model: str = f"{CLIP_B16.id}@{CLIP_B16.revision}"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        self.folder = folder
        self.threads = threads or len(os.sched_getaffinity(0))

    @cached_property
    def _network(self) -> Any:
        return session(self.folder / GRAPH, 1)

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        """Pictures of any size → unit vectors."""
        rows = np.zeros((len(batch), DIM), np.float32)
        if len(batch):
            self._network  # noqa: B018 (opened once, before the threads ask for it)
            with ThreadPoolExecutor(self.threads) as pool:
                rows[:] = list(pool.map(self._encode, batch))
        vectors = normalise(rows)
        return Encoding({space.name: vectors for space in self.spaces})

    def _encode(self, picture: Picture) -> Vector:
        vector: Vector = self._network.run(("vector",), {"pixels": RECIPE(picture)[None]})[0][0]
        return vector
