"""A picture network's preprocessing as data: what OpenCLIP does with torchvision, here with Pillow and numpy.

The steps and their rounding are those of `open_clip.transform.image_transform` for inference; the result is the same
to the last bit of the pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Picture

Resize = Literal["shortest", "longest", "squash"]
Filter = Literal["bicubic", "bilinear"]

SLIMMEST: Final = 16
"""Pictures longer than so many times their width lose their ends: scaled by the short side they would fill the
memory."""


class UnknownRecipe(CrossmediaError):
    """A model prepares its input in a way that is not known here."""

    code = "unknown_recipe"
    status = 422


@dataclass(frozen=True)
class PictureRecipe:
    """Resize, cut or pad to a square of `side` pixels, scale to [0, 1], subtract `mean`, divide by `std` (per channel).

    `resize`: `shortest` side to `side` and cut the centre; `longest` side to `side` and pad with `fill` (0–255);
    `squash` to the square.
    """

    side: int
    resize: Resize
    interpolation: Filter
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fill: int = 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> PictureRecipe:
        """From OpenCLIP's `preprocess_cfg`. Raises `UnknownRecipe` for what a square recipe cannot say."""
        size = config["size"]
        height, width = size if isinstance(size, (tuple, list)) else (size, size)
        mean, std = config["mean"], config["std"]
        known = height == width and config["mode"] == "RGB" and len(mean) == len(std) == 3
        # `random` is a training-time choice; for inference OpenCLIP takes bicubic.
        interpolation: Any = "bicubic" if config["interpolation"] == "random" else config["interpolation"]
        if not known or config["resize_mode"] not in get_args(Resize) or interpolation not in get_args(Filter):
            raise UnknownRecipe(f"no recipe for pictures like {dict(config)}", "use the model with PyTorch, unexported")
        red, green, blue = (float(value) for value in mean)
        reds, greens, blues = (float(value) for value in std)
        return cls(
            int(height),
            config["resize_mode"],
            interpolation,
            (red, green, blue),
            (reds, greens, blues),
            int(config["fill_color"]),
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PictureRecipe:
        """What `as_json` gave."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        numbers = "/".join(f"{value:.6g}" for value in (*self.mean, *self.std))
        return f"{self.side} px, {self.resize}, {self.interpolation}, fill {self.fill}, {numbers}"

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """Any picture → (3, side, side) float32."""
        pixels = np.asarray(self._square(Image.fromarray(limit_proportions(picture).pixels)), np.float32) / np.float32(
            255
        )
        scaled = (pixels - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1))

    def _square(self, image: Image.Image) -> Image.Image:
        side = self.side
        filter_ = Image.Resampling.BICUBIC if self.interpolation == "bicubic" else Image.Resampling.BILINEAR
        width, height = image.size
        if self.resize == "squash":
            return image.resize((side, side), filter_)
        if self.resize == "shortest":
            short = min(width, height)
            width, height = int(side * width / short), int(side * height / short)
            left, top = round((width - side) / 2), round((height - side) / 2)
            return image.resize((width, height), filter_).crop((left, top, left + side, top + side))
        ratio = max(width / side, height / side)
        whole = image.resize((round(width / ratio), round(height / ratio)), filter_)
        square = Image.new("RGB", (side, side), (self.fill,) * 3)
        square.paste(whole, ((side - whole.width) // 2, (side - whole.height) // 2))
        return square


def limit_proportions(picture: Picture) -> Picture:
    """The picture without the ends of a side longer than `SLIMMEST` times the other."""
    longest = SLIMMEST * min(picture.width, picture.height)
    if max(picture.width, picture.height) <= longest:
        return picture
    left, top = max(0, picture.width - longest) // 2, max(0, picture.height - longest) // 2
    return Picture(np.ascontiguousarray(picture.pixels[top : top + longest, left : left + longest]))
