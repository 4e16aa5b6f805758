"""Chromaprint of a recording: AcoustID's fingerprint (LGPL), through `pyacoustid`'s binding and the system's
library."""

from __future__ import annotations

from typing import Final

import numpy as np

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.media import FULL_SCALE, SAMPLE_RATE, Waveform
from crossmedia.retrieval.banks.hashes import BadHash, Hash

SECONDS: Final = 120.0
"""How much of the beginning is fingerprinted, as fpcalc and AcoustID do."""


class ChromaprintHasher:
    """Raises DependencyMissing without `pyacoustid` or without libchromaprint.

    It is fed what the decoder's own process decoded: no program of another's reads a foreign file here.
    """

    def __init__(self) -> None:
        try:
            import chromaprint
        except ImportError as error:
            if "libchromaprint" in str(error):
                hint = "apt-get install libchromaprint-tools, or your system's package of Chromaprint"
                raise DependencyMissing("libchromaprint is not installed", hint) from error
            raise DependencyMissing("pyacoustid is not installed", 'pip install "crossmedia[banks]"') from error
        self._new = chromaprint.Fingerprinter
        version = chromaprint._libchromaprint.chromaprint_get_version().decode()
        self.model = f"chromaprint-{version}"

    def __call__(self, waveform: Waveform) -> Hash | None:
        """None where there are fewer than about five seconds of sound."""
        cut = waveform.cut(0.0, SECONDS).pcm
        pcm = cut if cut.dtype == np.int16 else np.clip(cut * FULL_SCALE, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
        printer = self._new()
        printer.start(SAMPLE_RATE, 1)
        printer.feed(pcm.tobytes())
        try:
            return Hash.of("chromaprint", printer.finish().decode())
        except BadHash:
            return None
