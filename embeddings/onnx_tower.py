"""Towers that `export.export` wrote, served with onnxruntime, tokenizers, Pillow and numpy alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.encoder import Encoding, Modality, Space, Vectors, normalise
from crossmedia.embeddings.errors import CrossmediaError, ModelCorrupt, ModelMissing
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture_recipe import PictureRecipe
from crossmedia.embeddings.text_recipe import TextRecipe, Tokens

MANIFEST: Final = "tower.json"
NETWORK: Final = "network.onnx"
VECTOR: Final = "vector"
BATCH: Final = 16
FORMAT: Final = 1


class WrongModality(CrossmediaError):
    """An exported tower reads another medium than it was opened for."""

    code = "wrong_modality"
    status = 422


@dataclass(frozen=True)
class TowerManifest:
    """What an exported tower is: the spaces and id of the tower it was made from, its recipe, its `network_hash`."""

    modality: Literal["text", "picture"]
    model: str
    spaces: tuple[Space, ...]
    recipe: PictureRecipe | TextRecipe
    sha256: str

    def write(self, folder: Path) -> None:
        """As `tower.json`."""
        values = {**asdict(self), "format": FORMAT, "recipe": self.recipe.as_json()}
        (folder / MANIFEST).write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> TowerManifest:
        """Of an exported tower. Raises `ModelMissing` or `ModelCorrupt`, the latter also for a changed network."""
        path = folder / MANIFEST
        if not path.is_file():
            raise ModelMissing(f"{folder.name} is no exported tower: it has no {MANIFEST}", "export the tower again")
        try:
            manifest = cls._of(json.loads(path.read_text("utf-8")))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelCorrupt(f"{MANIFEST} of {folder.name}: {error!r}", "export the tower again") from error
        if (folder / NETWORK).is_file() and network_hash(folder) != manifest.sha256:
            raise ModelCorrupt(f"{NETWORK} of {folder.name} is not the one exported", "export the tower again")
        return manifest

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> TowerManifest:
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']} instead of {FORMAT}")
        kinds: dict[str, type[PictureRecipe] | type[TextRecipe]] = {"picture": PictureRecipe, "text": TextRecipe}
        recipe = kinds[values["modality"]].from_json(values["recipe"])
        spaces = tuple(Space(**space) for space in values["spaces"])
        return cls(values["modality"], values["model"], spaces, recipe, values["sha256"])


class OnnxText:
    """Encoder of texts from a folder of `export.export`; its spaces are those of the tower exported.

    Raises `ModelMissing`, `ModelCorrupt` or `WrongModality`.
    """

    modality: Modality = "text"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        manifest = TowerManifest.read(folder)
        if not isinstance(manifest.recipe, TextRecipe):
            raise WrongModality(f"{folder.name} reads {manifest.modality}s, not texts", "open it as a picture tower")
        self.spaces = manifest.spaces
        self.model = manifest.model
        self._tokens = Tokens(manifest.recipe, folder)
        self._network = session(folder / NETWORK, threads)
        self._inputs = [entry.name for entry in self._network.get_inputs()]

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors. Texts of like length run together, so that little is padding."""
        order = sorted(range(len(batch)), key=lambda n: len(batch[n]))
        rows = np.zeros((len(batch), self.spaces[0].dim), np.float32)
        for part in chunks(order, BATCH):
            ids, mask = self._tokens([batch[n] for n in part])
            given = {"ids": ids, "mask": mask}
            rows[list(part)] = self._network.run((VECTOR,), {name: given[name] for name in self._inputs})[0]
        return _everywhere(self.spaces, rows)


class OnnxPicture:
    """Encoder of pictures from a folder of `export.export`; its spaces are those of the tower exported.

    Raises `ModelMissing`, `ModelCorrupt` or `WrongModality`.
    """

    modality: Modality = "picture"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        manifest = TowerManifest.read(folder)
        if not isinstance(manifest.recipe, PictureRecipe):
            raise WrongModality(f"{folder.name} reads {manifest.modality}s, not pictures", "open it as a text tower")
        self.spaces = manifest.spaces
        self.model = manifest.model
        self._recipe = manifest.recipe
        self._threads = threads or len(os.sched_getaffinity(0))
        self._network = session(folder / NETWORK, self._threads)

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        """Pictures of any size → unit vectors."""
        rows = [np.zeros((0, self.spaces[0].dim), np.float32)]
        with ThreadPoolExecutor(self._threads) as pool:
            for part in chunks(batch, BATCH):
                pixels = np.stack(list(pool.map(self._recipe, part)))
                rows.append(self._network.run((VECTOR,), {"pixels": pixels})[0])
        return _everywhere(self.spaces, np.concatenate(rows))


def network_hash(folder: Path) -> str:
    """SHA-256 of the network's file, followed by that of its weights where they have one of their own, in hex."""
    return "".join(sha256(path) for path in sorted(folder.glob(f"{NETWORK}*")))


def open_tower(folder: Path, threads: int | None = None) -> OnnxText | OnnxPicture:
    """An exported tower of either kind. Raises `ModelMissing` or `ModelCorrupt`."""
    return (OnnxText if TowerManifest.read(folder).modality == "text" else OnnxPicture)(folder, threads)


def _everywhere(spaces: Sequence[Space], rows: Vectors) -> Encoding:
    unit = normalise(rows)
    return Encoding({space.name: unit for space in spaces})
