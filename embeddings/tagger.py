"""Tag sounds with AudioSet's 527 classes: EfficientAT's mn04 over log-mel spectrograms as its authors make them.

F. Schmid, K. Koutini and G. Widmer (ICASSP 2023); J. Gemmeke et al., "Audio Set" (ICASSP 2017). The bundled network is
made by `embeddings/train/tagger.py`, its card is `bundled/tagger.md`.
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from crossmedia.embeddings.cards import TAGGER
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.onnx import session

RATE: Final = 32_000
"""What it was trained at; ours is half of it, so nothing is heard above 8 kHz."""
FFT, WINDOW, HOP, MELS = 1024, 800, 320, 128
TOP_FREQUENCY: Final = 15_000.0
"""The highest mel band ends here, Hz."""
EMPHASIS: Final = 0.97
SECONDS: Final = 10.0
"""Of sound that are looked at together, as in training."""
MIN_TAGGER_SECONDS: Final = 1.0
"""What is shorter is padded with silence to so many seconds."""


class Tagger:
    """Waveforms → classes with the network's own probabilities. `folder` holds `tagger.onnx`, opened at the first; safe
    for several threads."""

    model: str = f"{TAGGER.id}@{TAGGER.revision}"

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None, name: str = TAGGER.files[0].name) -> None:
        self.path = folder / name
        self._threads = threads

    @cached_property
    def _network(self) -> Any:
        return session(self.path, self._threads, lean=True)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """AudioSet's names in lower case, in the network's order; it brings them along."""
        return tuple(self._network.get_modelmeta().custom_metadata_map["classes"].split("\n"))

    def tags(self, sound: Waveform) -> NDArray[np.float32]:
        """(527,) in [0, 1]: of each class the highest probability among stretches of ten seconds."""
        count = max(1, int(np.ceil(sound.seconds / SECONDS - 0.1)))
        parts = [sound.cut(n * SECONDS, min(sound.seconds, (n + 1) * SECONDS)) for n in range(count)]
        chances: NDArray[np.float32] = np.max([self._of(part) for part in parts], axis=0)
        return chances

    def best(self, sound: Waveform, least: float, most: int) -> list[tuple[str, float]]:
        """The likeliest classes of at least this probability, best first."""
        chances = self.tags(sound)
        order = np.argsort(-chances, kind="stable")[:most]
        return [(self.classes[n], float(chances[n])) for n in order.tolist() if chances[n] >= least]

    def _of(self, sound: Waveform) -> NDArray[np.float32]:
        (logits,) = self._network.run(("logits",), {"mels": log_mels(sound.samples)[None, None]})
        chances: NDArray[np.float32] = 1 / (1 + np.exp(-np.clip(logits[0], -60, 60)))
        return chances


def log_mels(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """16 kHz mono in [-1, 1] → (128, frames), a frame 10 ms, scaled as the network was trained."""
    least = round(MIN_TAGGER_SECONDS * SAMPLE_RATE)
    padded = np.pad(samples, (0, max(0, least - len(samples))))
    sound = resample_poly(padded, RATE // SAMPLE_RATE, 1).astype(np.float64)
    sound = sound[1:] - EMPHASIS * sound[:-1]
    around = np.pad(sound, FFT // 2, mode="reflect")
    window = np.pad(np.hanning(WINDOW), (FFT - WINDOW) // 2)
    count = 1 + (len(around) - FFT) // HOP
    frames = np.lib.stride_tricks.sliding_window_view(around, FFT)[: count * HOP : HOP] * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    scaled: NDArray[np.float32] = ((np.log(mel_bands() @ power.T + 1e-5) + 4.5) / 5).astype(np.float32)
    return scaled


@cache
def mel_bands() -> NDArray[np.float64]:
    """(128, 513): triangles of equal width in Kaldi's mels, from 0 to 15 kHz."""

    def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0), dtype=np.float64)

    edges = np.linspace(mel(0.0), mel(TOP_FREQUENCY), MELS + 2)
    at = mel(np.arange(FFT // 2) * RATE / FFT)
    rising = (at[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - at[None]) / (edges[2:] - edges[1:-1])[:, None]
    return np.pad(np.maximum(0, np.minimum(rising, falling)), ((0, 0), (0, 1)))
