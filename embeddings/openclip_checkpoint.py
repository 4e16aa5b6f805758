"""Find the weights of an OpenCLIP model and how they have to be loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing
from crossmedia.embeddings.torch_runtime import ALLOW_HUB, folder, hub, require, revision, weight_files

CONFIG: Final = "open_clip_config.json"
HUB: Final = "hf-hub:"
MAX_LISTED: Final = 12


@dataclass(frozen=True)
class Checkpoint:
    """`name`: the model as a space names it, free of paths; `architecture`: as OpenCLIP's factory names it.

    `weights`: the file, None where `architecture` is a folder that holds it; `preprocess`, `quick_gelu`: what the
    weights were trained with, where it differs from the architecture's own.
    """

    name: str
    architecture: str
    dim: int
    weights: Path | None
    revision: str
    preprocess: Mapping[str, Any] = field(default_factory=dict)
    quick_gelu: bool = False


def find(spec: str, allow_hub: bool = False) -> Checkpoint:
    """A specification → its checkpoint on this machine.

    `FOLDER` with an open_clip_config.json; `hf-hub:OWNER/NAME`, the same from the hub; `MODEL/TAG`, both names of
    OpenCLIP's registry; `MODEL/PATH`, a file with weights of that architecture (`ViT-B-32//data/w.safetensors`). Raises
    `ModelMissing`, `ModelCorrupt`, or `DependencyMissing` without the library.
    """
    require("open_clip")
    if spec.startswith(HUB):
        name = spec.removeprefix(HUB)
        return _from_folder(name, folder(name, CONFIG, "laion", allow_hub))
    local = Path(spec).expanduser()
    if local.is_dir():
        return _from_folder(local.resolve().name, folder(str(local), CONFIG, "", allow_hub=False))
    architecture, _, pretrained = spec.partition("/")
    return _from_registry(architecture, pretrained, allow_hub)


def _from_folder(name: str, root: Path) -> Checkpoint:
    try:
        dim = int(json.loads((root / CONFIG).read_text("utf-8"))["model_cfg"]["embed_dim"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelCorrupt(
            f"{CONFIG} of {name} does not describe a model: {error!r}", "fetch the folder again"
        ) from error
    return Checkpoint(name, f"local-dir:{root}", dim, None, revision(weight_files(root)))


def _from_registry(architecture: str, pretrained: str, allow_hub: bool) -> Checkpoint:
    library = require("open_clip")
    models = library.list_models()
    if architecture not in models:
        near = get_close_matches(architecture, models, MAX_LISTED, 0.5) or models[:MAX_LISTED]
        raise ModelMissing(f"OpenCLIP has no model {architecture!r}", f"near it: {', '.join(near)}; or give a folder")
    dim = int(library.get_model_config(architecture)["embed_dim"])
    path = Path(pretrained).expanduser()
    if pretrained and path.is_file():
        return Checkpoint(f"{architecture}/{path.name}", architecture, dim, path, revision([path]))
    tag = library.get_pretrained_cfg(architecture, pretrained)
    if not tag:
        tags = ", ".join(library.list_pretrained_tags_by_model(architecture)) or "none"
        raise ModelMissing(
            f"{architecture} has no weights {pretrained!r}, nor is there such a file", f"its weights: {tags}; or a path"
        )
    weights = _fetch(f"{architecture}/{pretrained}", tag, allow_hub)
    return Checkpoint(
        f"{architecture}/{pretrained}",
        architecture,
        dim,
        weights,
        revision([weights]),
        {key: tag[key] for key in ("mean", "std", "interpolation", "resize_mode") if tag.get(key) is not None},
        bool(tag.get("quick_gelu")),
    )


def _fetch(name: str, tag: Mapping[str, Any], allow_hub: bool) -> Path:
    """The file of a registered tag, from the caches of the hub's client and of OpenCLIP, or downloaded if allowed."""
    if not allow_hub and not tag.get("hf_hub"):
        # OpenCLIP would download from a plain address whatever the hub's client is told.
        cached = Path.home() / ".cache" / "clip" / Path(str(tag.get("url"))).name
        if cached.is_file():
            return cached
        raise ModelMissing(f"the weights {name} are not on this machine", ALLOW_HUB)
    try:
        with hub(allow_hub):
            return Path(require("open_clip").download_pretrained(tag))
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelMissing(f"the weights {name} are not on this machine: {error}", ALLOW_HUB) from error
