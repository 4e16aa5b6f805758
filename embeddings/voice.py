"""The voice encoder: who speaks, whatever is said. GE2E (Wan et al. 2018) with the weights of Resemblyzer.

A network of three LSTM layers reads 1.6 s of a mel spectrogram and gives a direction; that of a recording is the mean
of its windows, as in the paper and in Resemblyzer. Here each window is brought to one level by itself, so a voice that
comes nearer or goes away stays the same, and windows far quieter than the loud ones, which hold pauses, do not count.
How the network is made and what its cosines mean: `embeddings/train/voice.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import VOICE
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.encoder import Encoding, Modality, Space, normalise
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.onnx import session

WINDOW: Final = 1.6
"""What the network reads at once, s. A shorter recording is repeated until it is as long."""
STEP: Final = 0.8
"""At most this lies between the beginnings of two windows, s."""
MAX_VOICE_WINDOWS: Final = 128
"""Windows of one recording, evenly spread where it is longer than 100 s: a mean of more says nothing more."""
DIM: Final = 256
BATCH: Final = 16
"""Windows a run: more of them save no time."""

_HOP: Final = SAMPLE_RATE // 100
_FRAME: Final = SAMPLE_RATE // 40
_FRAMES: Final = round(WINDOW * 100)
_BANDS: Final = 40
_READ: Final = (_FRAMES - 1) * _HOP + _FRAME
_LEVEL: Final = 10 ** (-30 / 20)
_QUIETEST: Final = 1e-5
_RANGE: Final = 10 ** (-12 / 20)


class Voice:
    """An `Encoder[Waveform]` of the space `voice` (256). `folder` holds `voice.onnx`, opened at the first recording."""

    modality: Modality = "voice"
    spaces: tuple[Space, ...] = (
        Space("voice", DIM, VOICE.id, VOICE.revision, "16 kHz mel, windows of 1.6 s at -30 dB"),
    )
    model: str = f"{VOICE.id}@{VOICE.revision}"

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None) -> None:
        self.folder = folder
        self.threads = threads

    @cached_property
    def _network(self) -> Any:
        return session(self.folder / "voice.onnx", self.threads)

    def encode(self, batch: Sequence[Waveform]) -> Encoding:
        """Waveforms of any length → (N, 256) unit rows. Silence has the direction that the network gives it."""
        sums = np.zeros((len(batch), DIM), dtype=np.float32)
        windows = ((owner, window) for owner, waveform in enumerate(batch) for window in _windows(waveform))
        while some := list(islice(windows, BATCH)):
            mels = np.stack([_mel(window) for _, window in some])
            np.add.at(sums, [owner for owner, _ in some], self._network.run(("voice",), {"mel": mels})[0])
        return Encoding({"voice": normalise(sums)})


def _windows(waveform: Waveform) -> Iterator[NDArray[np.float32]]:
    """(25,840,) samples each, of one level: what the 160 frames of a window see, as far as the recording goes."""
    pcm = waveform.pcm
    if len(pcm) < _FRAMES * _HOP:
        pcm = np.resize(pcm if len(pcm) else np.zeros(1, pcm.dtype), _FRAMES * _HOP)
    last = len(pcm) - _FRAMES * _HOP
    count = min(MAX_VOICE_WINDOWS, 1 + int(np.ceil(last / (STEP * SAMPLE_RATE))))
    starts = np.linspace(0, last, count).astype(np.int64).tolist()
    levels = np.array([_level(_floats(pcm[start : start + _FRAMES * _HOP])) for start in starts])
    # Not the loudest: one bang would be all that is heard of an hour.
    loud = float(np.quantile(levels, 0.9))
    for start, level in zip(starts, levels.tolist(), strict=True):
        if level >= loud * _RANGE:
            first = start - _FRAME // 2
            seen = _floats(pcm[max(0, first) : first + _READ])
            before = max(0, -first)
            yield np.pad(seen * np.float32(_LEVEL / level), (before, _READ - before - len(seen)))


def _floats(pcm: NDArray[np.float32] | NDArray[np.int16]) -> NDArray[np.float32]:
    return Waveform(pcm).samples


def _level(samples: NDArray[np.float32]) -> float:
    """Root mean square, at least `_QUIETEST`: silence is not made loud."""
    return max(_QUIETEST, float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))))


def _mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """(25,840,) → (160, 40) power in mel bands, 100 frames a second, not in decibels."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.asarray(power.astype(np.float32) @ _filters())


@cache
def _hann() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)).astype(np.float32)


@cache
def _filters() -> NDArray[np.float32]:
    """(201, 40): triangles of equal area on Slaney's mel scale (1998), 0 to 8 kHz; the network was trained with
    these."""
    steps = np.linspace(0, 15 + np.log(SAMPLE_RATE / 2 / 1000) / _OCTAVE, _BANDS + 2)
    edges = np.where(steps < 15, steps * 200 / 3, 1000 * np.exp((steps - 15) * _OCTAVE))
    frequencies = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE)[:, None]
    rising = (frequencies - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - frequencies) / np.diff(edges)[1:]
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    return np.asarray(triangles, dtype=np.float32)


_OCTAVE: Final = float(np.log(6.4) / 27)
"""Of Slaney's scale over 1 kHz: the logarithm of what one mel step multiplies a frequency by."""
