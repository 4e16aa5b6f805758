"""The detector of synthetic speech: AASIST-L on raw sound, without PyTorch.

J. Jung et al., "AASIST: audio anti-spoofing using integrated spectro-temporal graph attention networks" (ICASSP 2022,
arXiv:2110.01200); the bundled network is made by `embeddings/train/spoof.py`, its card is `bundled/spoof.md`. It was
trained on one corpus and is wrong of much that it never heard: what it gives is an indication, never a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import SPOOF
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.media import Waveform
from crossmedia.embeddings.onnx import session

SAMPLES: Final = 64_600
"""What the network reads at once, 4.04 s. Shorter speech is repeated until it is as long, as its authors do."""
MIN_SPOOF_SECONDS: Final = 2.0
"""Seconds of speech that a score needs: of a second repeated, real voices and made ones are confused that are not of
two (`crossmedia eval trust`)."""
MARGIN: Final = 0.3
"""Around what is spoken, s: it was trained on recordings that begin and end in a room's silence, and takes a real voice
that was cut out tightly for a made one."""
MAX_WINDOWS: Final = 16
"""Windows of one stretch, evenly spread where it is longer than a minute: a mean of more says nothing more."""
HIGH_SPOOF_SCORE: Final = 0.995
"""Score from which an answer calls it high; how many real readings reach it tells `crossmedia eval trust`."""


class SpoofDetector:
    """Speech → how much it sounds synthesised or converted. `folder` holds `spoof.onnx`, opened at the first; safe for
    several threads."""

    model: str = f"{SPOOF.id}@{SPOOF.revision}"

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None, name: str = SPOOF.files[0].name) -> None:
        self.path = folder / name
        self._threads = threads

    @cached_property
    def _network(self) -> Any:
        return session(self.path, self._threads, lean=True)

    def score(self, speech: Waveform) -> float | None:
        """The network's own probability in [0, 1] that it is spoofed, from the mean of its windows' logits; None of
        less than `MIN_SPOOF_SECONDS` s and of silence. It ranks; it is no measured frequency of being right."""
        margin = self.margin(speech) if speech.seconds >= MIN_SPOOF_SECONDS and speech.pcm.any() else None
        return None if margin is None else float(1 / (1 + np.exp(-margin)))

    def score_of(self, recording: Waveform, start: float, end: float) -> float | None:
        """The score of what is spoken between two times, s, heard with what is around it; None of less than
        `MIN_SPOOF_SECONDS` s."""
        return None if end - start < MIN_SPOOF_SECONDS else self.score(recording.cut(start - MARGIN, end + MARGIN))

    def margin(self, speech: Waveform) -> float:
        """Logit of spoofed less that of bona fide, mean over the windows; of at least one sample."""
        # One a run: the activations of several leave the cache.
        logits = [self._network.run(("logits",), {"sound": window[None]})[0][0] for window in windows(speech)]
        spoofed, real = np.mean(logits, axis=0).tolist()
        return float(spoofed - real)


def windows(speech: Waveform) -> Iterator[NDArray[np.float32]]:
    """(64,600,) samples each: all of it, the last window ending with it; what is shorter than one, repeated."""
    if len(speech.pcm) < SAMPLES:
        yield np.resize(speech.samples, SAMPLES)
        return
    last = len(speech.pcm) - SAMPLES
    count = min(MAX_WINDOWS, 1 + int(np.ceil(last / SAMPLES)))
    for start in np.linspace(0, last, count).astype(np.int64).tolist():
        yield np.ascontiguousarray(Waveform(speech.pcm[start : start + SAMPLES]).samples)
