"""Sentences and paragraphs by any model of the sentence-transformers library (Reimers and Gurevych 2019)."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossmedia.embeddings.encoder import Encoding, Modality, Space, normalise
from crossmedia.embeddings.errors import ModelCorrupt
from crossmedia.embeddings.openclip_tokenizer import padding
from crossmedia.embeddings.text_recipe import TOKENIZER, TextRecipe
from crossmedia.embeddings.torch_runtime import (
    Graph,
    Precision,
    folder,
    hub,
    place,
    quiet,
    require,
    revision,
    weight_files,
)

MARKER: Final = "modules.json"


class SentenceTransformerEncoder:
    """Encoder of texts into `text`.

    `model`: a folder with a modules.json, or a name on the hub (`all-MiniLM-L6-v2`, `owner/name`). Texts are cut at
    the model's own length; its default prompt, if any, stands before each. `device`, `precision`: see
    `torch_runtime.place`; half precision keeps the space. Raises `ModelMissing`, `ModelCorrupt`, `DependencyMissing`,
    `DeviceMissing` or `UnknownPrecision`.
    """

    modality: Modality = "text"

    def __init__(
        self,
        model: str,
        device: str = "auto",
        precision: Precision = "auto",
        *,
        allow_hub: bool = False,
        batch_size: int = 32,
    ) -> None:
        library = require("sentence_transformers")
        self._placement = place(device, precision)
        self._batch_size = batch_size
        root = folder(model, MARKER, "sentence-transformers", allow_hub)
        name = root.resolve().name if Path(model).expanduser().is_dir() else model
        weights = weight_files(root)
        try:
            with hub(allow_hub), quiet():
                self._network = library.SentenceTransformer(
                    str(root), device=self._placement.device, local_files_only=not allow_hub
                ).eval()
        except Exception as error:
            # A folder that is no model fails in json, torch, safetensors or transformers, each in its own way.
            raise ModelCorrupt(f"{name} cannot be loaded: {error}", "fetch the model again") from error
        tokenizer = hashlib.sha256(padding(self._network.tokenizer).to_str().encode()).hexdigest()[:12]
        self.prompt = str(self._network.prompts.get(self._network.default_prompt_name or "", ""))
        self.length = int(self._network.max_seq_length)
        space = Space(
            "text",
            int(self._network.get_embedding_dimension()),
            f"st:{name}",
            revision(weights),
            f"prompt {self.prompt!r}, first {self.length} tokens of tokenizer {tokenizer}",
        )
        self.spaces: tuple[Space, ...] = (space,)
        self.model = f"{space.model}@{space.revision}"

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors, the longest texts first so that little is padding; results in the order given."""
        (space,) = self.spaces
        if not batch:
            return Encoding({space.name: np.zeros((0, space.dim), np.float32)})
        with self._placement.arithmetic():
            rows = self._network.encode(
                list(batch), batch_size=self._batch_size, show_progress_bar=False, convert_to_numpy=True
            )
        return Encoding({space.name: normalise(rows)})

    def graph(self) -> Graph:
        """For `export.export`: ids and mask, both (N, tokens) → vectors."""
        network = self._network if self._placement.device == "cpu" else copy.deepcopy(self._network).cpu()

        def forward(ids: Any, mask: Any) -> Any:
            return network({"input_ids": ids, "attention_mask": mask})["sentence_embedding"]

        torch = require("torch")
        ids = torch.ones(2, 5, dtype=torch.int64)
        return Graph(network, forward, ("ids", "mask"), (ids, torch.ones_like(ids)), ((0, 1), (0, 1)))

    def recipe(self) -> TextRecipe:
        """How texts become ids."""
        return TextRecipe(self.length, "none", padded=False, prompt=self.prompt)

    def save_files(self, folder: Path) -> None:
        """The tokenizer, as the recipe needs it."""
        padding(self._network.tokenizer).save(str(folder / TOKENIZER))
