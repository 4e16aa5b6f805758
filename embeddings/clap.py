"""Sounds and words in one space by any CLAP model of the transformers library (Wu et al. 2023, LAION-CLAP)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.encoder import Encoding, Modality, Space, Vectors, normalise
from crossmedia.embeddings.errors import ModelCorrupt
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.torch_runtime import (
    Placement,
    Precision,
    folder,
    hub,
    place,
    quiet,
    require,
    revision,
    weight_files,
)

MARKER: Final = "preprocessor_config.json"
MIN_WINDOW_SECONDS: Final = 1.0
"""What remains after the last whole window counts only if it is at least so long, s."""


TAPS: Final = 64
"""Half the length of the resampling filter, in samples at the lower rate."""
CUT_OFF_SHARE: Final = 0.95
"""Its half-power point as a part of the lower rate's band."""


@dataclass(frozen=True, eq=False)
class _Loaded:
    network: Any
    tokenizer: Any
    features: Any
    placement: Placement
    batch_size: int
    space: Space

    def run(self, forward: Callable[..., Any], inputs: dict[str, Any]) -> Vectors:
        moved = {name: value.to(self.placement.device) for name, value in inputs.items()}
        with require("torch").inference_mode(), self.placement.arithmetic():
            vectors = forward(**moved).pooler_output
        return normalise(vectors.float().cpu().numpy())


class Clap:
    """The two towers of a model, `text` and `sound`, which share `space`.

    `model`: a folder of `save_pretrained`, or a name on the hub (`laion/clap-htsat-unfused`). `space`: the name both
    towers fill; another than `common` beside a model whose `common` is another network's. `device`, `precision`: see
    `torch_runtime.place`. Raises `ModelMissing`, `ModelCorrupt`, `DependencyMissing`, `DeviceMissing` or
    `UnknownPrecision`.
    """

    def __init__(
        self,
        model: str,
        device: str = "auto",
        precision: Precision = "auto",
        *,
        space: str = "common",
        allow_hub: bool = False,
        batch_size: int = 16,
    ) -> None:
        library = require("transformers")
        require("scipy")
        placement = place(device, precision)
        root = folder(model, MARKER, "laion", allow_hub)
        name = root.resolve().name if Path(model).expanduser().is_dir() else model
        weights = weight_files(root)
        try:
            with hub(allow_hub), quiet():
                network = library.ClapModel.from_pretrained(root, local_files_only=True)
                tokenizer = library.AutoTokenizer.from_pretrained(root, local_files_only=True)
                features = library.ClapFeatureExtractor.from_pretrained(root, local_files_only=True)
        except Exception as error:
            # A folder that is no model fails in json, torch, safetensors or transformers, each in its own way.
            raise ModelCorrupt(f"{name} cannot be loaded: {error}", "fetch the model again") from error
        self.space = Space(
            space,
            int(network.config.projection_dim),
            f"clap:{name}",
            revision(weights),
            f"{features.sampling_rate} Hz, windows of {features.max_length_s} s averaged, {features.truncation}, "
            f"{features.padding}; words {type(tokenizer).__name__}",
        )
        network = network.eval().to(placement.device)
        loaded = _Loaded(network, tokenizer, features, placement, batch_size, self.space)
        self.text = ClapText(loaded)
        self.sound = ClapSound(loaded)


class ClapText:
    """Encoder of descriptions of sounds. Texts are cut at the length of the model's text tower."""

    modality: Modality = "text"

    def __init__(self, loaded: _Loaded) -> None:
        self._loaded = loaded
        self.spaces: tuple[Space, ...] = (loaded.space,)
        self.model = f"{loaded.space.model}@{loaded.space.revision}"
        # RoBERTa numbers positions from two on.
        places = int(loaded.network.config.text_config.max_position_embeddings) - 2
        self.length = min(places, int(loaded.tokenizer.model_max_length))

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors."""
        loaded = self._loaded
        rows = [np.zeros((0, loaded.space.dim), np.float32)]
        for part in chunks(batch, loaded.batch_size):
            written = loaded.tokenizer(
                list(part), padding=True, truncation=True, max_length=self.length, return_tensors="pt"
            )
            inputs = {"input_ids": written["input_ids"], "attention_mask": written["attention_mask"]}
            rows.append(loaded.run(loaded.network.get_text_features, inputs))
        return Encoding({loaded.space.name: np.concatenate(rows)})


class ClapSound:
    """Encoder of sounds of any length."""

    modality: Modality = "sound"

    def __init__(self, loaded: _Loaded) -> None:
        self._loaded = loaded
        self.spaces: tuple[Space, ...] = (loaded.space,)
        self.model = f"{loaded.space.model}@{loaded.space.revision}"

    def encode(self, batch: Sequence[Waveform]) -> Encoding:
        """Waveforms → unit vectors: the mean over windows of the model's length, weighted by their length.

        Transformers would take one window at random instead, another one each time.
        """
        loaded = self._loaded
        windows = [(owner, part) for owner, sound in enumerate(batch) for part in self._windows(sound)]
        total = np.zeros((len(batch), loaded.space.dim), np.float32)
        for group in chunks(windows, loaded.batch_size):
            vectors = loaded.run(loaded.network.get_audio_features, self._inputs([part for _, part in group]))
            for (owner, part), vector in zip(group, vectors, strict=True):
                total[owner] += np.float32(len(part)) * vector
        return Encoding({loaded.space.name: normalise(total)})

    def _windows(self, sound: Waveform) -> list[NDArray[np.float32]]:
        """Stretches at 16 kHz, at least one of them, each of at least one sample."""
        size = int(self._loaded.features.max_length_s * SAMPLE_RATE)
        samples = sound.samples if len(sound.samples) else np.zeros(SAMPLE_RATE, np.float32)
        parts = [samples[first : first + size] for first in range(0, len(samples), size)]
        return [part for n, part in enumerate(parts) if n == 0 or len(part) >= MIN_WINDOW_SECONDS * SAMPLE_RATE]

    def _inputs(self, windows: Sequence[NDArray[np.float32]]) -> dict[str, Any]:
        torch, features = require("torch"), self._loaded.features
        raw = [resample(window, features.sampling_rate) for window in windows]
        spectra = features(raw, sampling_rate=features.sampling_rate, return_tensors="pt")["input_features"]
        # No window is longer than the model's; the extractor calls one of them so at random if none is.
        return {"input_features": spectra, "is_longer": torch.zeros(len(raw), 1, dtype=torch.bool)}


def resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """From 16 kHz to `rate` Hz by a polyphase filter: flat up to 7.2 kHz, images over 8 kHz at least 60 dB down."""
    signal = require("scipy.signal")
    if rate == SAMPLE_RATE:
        return samples
    divisor = int(np.gcd(rate, SAMPLE_RATE))
    up, down = rate // divisor, SAMPLE_RATE // divisor
    finer = max(up, down)
    taps = signal.firwin(2 * TAPS * finer + 1, CUT_OFF_SHARE / finer, window=("kaiser", 8.0))
    made: NDArray[np.float32] = signal.resample_poly(samples, up, down, window=taps).astype(np.float32)
    return made
