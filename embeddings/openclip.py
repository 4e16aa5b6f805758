"""Pictures and words in one space by any OpenCLIP model: CLIP, SigLIP, EVA, multilingual text towers, …

Radford et al., "Learning transferable visual models from natural language supervision" (2021); Ilharco et al.,
"OpenCLIP" (2021), whose own preprocessing, tokenizers and weights these towers use.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.encoder import Encoding, Modality, Space, Vectors, normalise
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.openclip_checkpoint import Checkpoint, find
from crossmedia.embeddings.openclip_tokenizer import convert
from crossmedia.embeddings.picture_recipe import PictureRecipe, limit_proportions
from crossmedia.embeddings.text_recipe import TOKENIZER, TextRecipe
from crossmedia.embeddings.torch_runtime import ALLOW_HUB, Graph, Placement, Precision, hub, place, require


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A model on its device, with what goes before it and the space it maps into."""

    network: Any
    tokenizer: Any
    transform: Callable[[Image.Image], Any]
    placement: Placement
    batch_size: int
    space: Space

    def run(self, forward: Callable[[Any], Any], inputs: Any) -> Vectors:
        with require("torch").inference_mode(), self.placement.arithmetic():
            vectors = forward(inputs.to(self.placement.device, non_blocking=True))
        return normalise(vectors.float().cpu().numpy())

    def on_cpu(self) -> Any:
        """The network where it can be traced: itself, or a copy if it lies on a GPU."""
        return self.network if self.placement.device == "cpu" else copy.deepcopy(self.network).cpu()


class OpenClip:
    """The two towers of a model, `text` and `picture`; both map into `space`, which is named `common`.

    `spec`: see `openclip_checkpoint.find`. `device`, `precision`: see `torch_runtime.place`. Half precision is autocast
    and keeps the space: its vectors lie within cosine 0.999 of those in float32. `batch_size`: items a run of the
    network. The hub is asked only if `allow_hub`. Raises `ModelMissing`, `ModelCorrupt`, `DependencyMissing`,
    `DeviceMissing` or `UnknownPrecision`.
    """

    def __init__(
        self,
        spec: str,
        device: str = "auto",
        precision: Precision = "auto",
        *,
        allow_hub: bool = False,
        batch_size: int = 32,
    ) -> None:
        library = require("open_clip")
        placement = place(device, precision)
        checkpoint = find(spec, allow_hub)
        network, tokenizer = _load(library, checkpoint, placement, allow_hub)
        prepared = dict(network.visual.preprocess_cfg)
        words = f"{type(tokenizer).__name__}, {tokenizer.context_length} tokens"
        self.space = Space(
            "common",
            checkpoint.dim,
            f"openclip:{checkpoint.name}",
            checkpoint.revision,
            f"pictures {json.dumps(prepared, sort_keys=True)}; words {words}",
        )
        transform = library.transform.image_transform_v2(library.transform.PreprocessCfg(**prepared), is_train=False)
        loaded = _Loaded(network, tokenizer, transform, placement, batch_size, self.space)
        self.text = OpenClipText(loaded)
        self.picture = OpenClipPicture(loaded)


class OpenClipText:
    """Encoder of captions and queries into `common`. Longer texts than the model's context (77 tokens) are cut."""

    modality: Modality = "text"

    def __init__(self, loaded: _Loaded) -> None:
        self._loaded = loaded
        self.spaces: tuple[Space, ...] = (loaded.space,)
        self.model = f"{loaded.space.model}@{loaded.space.revision}"

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors."""
        loaded = self._loaded
        rows = [np.zeros((0, loaded.space.dim), np.float32)]
        rows += [
            loaded.run(loaded.network.encode_text, loaded.tokenizer(list(part)))
            for part in chunks(batch, loaded.batch_size)
        ]
        return Encoding({loaded.space.name: np.concatenate(rows)})

    def graph(self) -> Graph:
        """For `export.export`: ids (N, context) → vectors."""
        network = self._loaded.on_cpu()
        ids = self._loaded.tokenizer(["a photo of a dog", "two"])
        return Graph(network, network.encode_text, ("ids",), (ids,), ((0,),))

    def recipe(self) -> TextRecipe:
        """How texts become ids. Raises `UnknownRecipe`."""
        return convert(self._loaded.tokenizer)[1]

    def save_files(self, folder: Path) -> None:
        """The tokenizer, as the recipe needs it."""
        convert(self._loaded.tokenizer)[0].save(str(folder / TOKENIZER))


class OpenClipPicture:
    """Encoder of pictures into `common`; `picture` holds the same vectors, for search by example."""

    modality: Modality = "picture"

    def __init__(self, loaded: _Loaded) -> None:
        self._loaded = loaded
        common = loaded.space
        own = Space("picture", common.dim, common.model, common.revision, common.preprocessing)
        self.spaces: tuple[Space, ...] = (common, own)
        self.model = f"{common.model}@{common.revision}"

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        """Pictures of any size → unit vectors. The model's own resizing; ends of extreme panoramas are left out."""
        loaded, torch = self._loaded, require("torch")
        rows = [np.zeros((0, loaded.space.dim), np.float32)]
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for part in chunks(batch, loaded.batch_size):
                ready = list(pool.map(self._prepared, part))
                rows.append(loaded.run(loaded.network.encode_image, torch.stack(ready)))
        vectors = np.concatenate(rows)
        return Encoding({space.name: vectors for space in self.spaces})

    def _prepared(self, picture: Picture) -> Any:
        return self._loaded.transform(Image.fromarray(limit_proportions(picture).pixels))

    def graph(self) -> Graph:
        """For `export.export`: pixels (N, 3, side, side) → vectors."""
        network, side = self._loaded.on_cpu(), self.recipe().side
        pixels = require("torch").zeros(2, 3, side, side)
        return Graph(network, network.encode_image, ("pixels",), (pixels,), ((0,),))

    def recipe(self) -> PictureRecipe:
        """How pictures become pixels. Raises `UnknownRecipe`."""
        return PictureRecipe.of(self._loaded.network.visual.preprocess_cfg)

    def save_files(self, folder: Path) -> None:
        """Nothing: the recipe says all."""


def _load(library: Any, checkpoint: Checkpoint, placement: Placement, allow_hub: bool) -> tuple[Any, Any]:
    try:
        with hub(allow_hub):
            network = library.create_model(
                checkpoint.architecture,
                str(checkpoint.weights) if checkpoint.weights else None,
                device=placement.device,
                force_quick_gelu=checkpoint.quick_gelu,
                force_preprocess_cfg=dict(checkpoint.preprocess),
                require_pretrained=True,
            )
            tokenizer = library.get_tokenizer(checkpoint.architecture)
    except OSError as error:
        # Text towers of other libraries have their configuration and tokenizer on the hub, besides the weights.
        raise ModelMissing(f"{checkpoint.name} needs a file that is not here: {error}", ALLOW_HUB) from error
    except Exception as error:
        # A file that is no checkpoint fails in torch, pickle or safetensors, each with exceptions of its own.
        raise ModelCorrupt(f"{checkpoint.name} cannot be loaded: {error}", "fetch its weights again") from error
    return network.eval(), tokenizer
