"""Export a PyTorch encoder as ONNX, and keep the export only if it gives the same vectors."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np

from crossmedia.embeddings.encoder import Encoding, Space
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx_tower import MANIFEST, NETWORK, VECTOR, TowerManifest, network_hash, open_tower
from crossmedia.embeddings.picture_recipe import PictureRecipe
from crossmedia.embeddings.text_recipe import TextRecipe
from crossmedia.embeddings.torch_runtime import Graph, require

MIN_COSINE: Final = 0.999
OPSET: Final = 20
INLINE: Final = 1_500_000_000
"""Bytes of weights up to which they lie in the network's own file; the format ends at 2 GB."""

TEXTS: Final = (
    "",
    "dog",
    "A brown dog runs along the beach.",
    "“Curly quotes”, an em dash — and the café’s naïve façade",
    "bread &amp; butter &lt;b&gt;",
    "  two\tspaces\nand a line  ",
    "DON'T SHOUT, it's 2024: 50% off!!!",
    "日本語の文章 и немного русского",
    "🐶🏽‍🚀 ｆｕｌｌ ｗｉｄｔｈ ﬁsh",
    "word " * 600,
)
"""Sample texts: what tokenizers and cleaning get wrong."""
SIZES: Final = ((224, 224), (640, 480), (480, 641), (97, 31), (1, 1), (900, 20), (333, 1000))
"""Sample pictures, width and height: shrinking and growing, odd proportions."""


class ParityFailed(CrossmediaError):
    """An exported network gives other vectors than the tower it was made from."""

    code = "parity_failed"
    status = 500


class ExportTargetInUse(CrossmediaError):
    """The folder to export into holds something else than an exported tower."""

    code = "export_target_in_use"
    status = 409


class Exportable(Protocol):
    """What `export` needs of a tower; those of `openclip` and `sentence_transformer` have it."""

    @property
    def modality(self) -> Any: ...
    @property
    def spaces(self) -> tuple[Space, ...]: ...
    @property
    def model(self) -> str: ...
    def encode(self, batch: Sequence[Any]) -> Encoding: ...
    def graph(self) -> Graph: ...
    def recipe(self) -> PictureRecipe | TextRecipe: ...
    def save_files(self, folder: Path) -> None: ...


@dataclass(frozen=True)
class ParityReport:
    """How near the exported tower is to its original over `samples` inputs, preprocessing included.

    `difference`: the largest between two components of unit vectors; `cosine`: the smallest; `size`: bytes written.
    """

    modality: Literal["text", "picture"]
    samples: int
    difference: float
    cosine: float
    size: int


def export(tower: Exportable, out: Path, samples: Sequence[Any] | None = None) -> ParityReport:
    """Write `tower` as a folder for `onnx_tower.open_tower`, and compare the two on `samples`.

    Default samples: texts and seeded random pictures that strain the preprocessing. An earlier export in `out` is
    replaced, but only by one that passes. Raises `ParityFailed` under cosine 0.999, `UnknownRecipe`,
    `ExportTargetInUse`, or `DependencyMissing` without PyTorch or the onnx packages.
    """
    if out.exists() and not (out / MANIFEST).is_file():
        raise ExportTargetInUse(f"{out} exists and is no exported tower", "choose another folder, or remove that one")
    out.parent.mkdir(parents=True, exist_ok=True)
    recipe = tower.recipe()
    modality: Literal["text", "picture"] = "text" if isinstance(recipe, TextRecipe) else "picture"
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        fresh = Path(scratch) / out.name
        fresh.mkdir()
        _trace(tower.graph(), fresh / NETWORK)
        tower.save_files(fresh)
        TowerManifest(modality, tower.model, tower.spaces, recipe, network_hash(fresh)).write(fresh)
        report = compare(tower, fresh, list(samples) if samples is not None else sample_inputs(modality))
        if out.exists():
            shutil.rmtree(out)
        fresh.rename(out)
    return report


def compare(tower: Exportable, folder: Path, samples: Sequence[Any]) -> ParityReport:
    """The tower against its export in `folder`. Raises `ParityFailed` if a sample's cosine is under 0.999."""
    served: Any = open_tower(folder)
    expected, found = (whole.encode(samples).vectors for whole in (tower, served))
    differences = [float(np.abs(expected[name] - found[name]).max()) for name in expected]
    cosines = [np.sum(expected[name] * found[name], axis=1) for name in expected]
    # A vector of zeros or not-a-numbers has no cosine that passes.
    least = float(np.min(np.nan_to_num(np.concatenate(cosines), nan=-1.0)))
    if least < MIN_COSINE:
        worst = int(np.argmin(np.nan_to_num(cosines[0], nan=-1.0)))
        raise ParityFailed(
            f"the exported network is {least:.5f} near its original at sample {worst}, less than {MIN_COSINE}",
            "use the model with PyTorch, unexported",
        )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return ParityReport(served.modality, len(samples), max(differences), least, size)


def sample_inputs(modality: Literal["text", "picture"]) -> list[Any]:
    """The default samples: `TEXTS`, or pictures of noise over a gradient in each of `SIZES`."""
    return list(TEXTS) if modality == "text" else [_noise(n, *size) for n, size in enumerate(SIZES)]


def _noise(seed: int, width: int, height: int) -> Picture:
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    smooth = np.stack([x, y, (x + y) / 2], axis=-1) * rng.uniform(0.3, 1, 3)
    pixels = 200 * smooth + rng.uniform(0, 55, smooth.shape)
    return Picture(pixels.astype(np.uint8))


def _trace(graph: Graph, path: Path) -> None:
    torch = require("torch")
    require("onnxscript")

    class Traced(torch.nn.Module):  # type: ignore[misc, name-defined]
        """A module whose forward is the tower's own function."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = graph.module

        def forward(self, *inputs: Any) -> Any:
            return graph.forward(*inputs)

    size = sum(parameter.numel() * parameter.element_size() for parameter in graph.module.parameters())
    shapes = tuple(dict.fromkeys(axes, torch.export.Dim.DYNAMIC) for axes in graph.axes)
    with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        # The exporter warns of its own internals; what it made is judged by its vectors.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Traced().eval(),
            graph.example,
            str(path),
            input_names=list(graph.inputs),
            output_names=[VECTOR],
            dynamic_shapes=(shapes,),
            opset_version=OPSET,
            dynamo=True,
            external_data=size > INLINE,
            verbose=False,
        )
