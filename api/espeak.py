"""Text → speech, in process: eSpeak NG through its C interface (speak_lib.h)."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.errors import CrossmediaError, DependencyMissing
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform

_RETRIEVAL: Final = 1
_DONT_EXIT: Final = 0x8000
_RATE: Final = 1
_UTF8: Final = 1
_CHARACTERS: Final = 1
_MIN_SPEED, _MAX_SPEED = 80, 450
_CALLBACK: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
# The library keeps its voice and its callback in globals.
_lock: Final = Lock()


class VoiceFailed(CrossmediaError):
    """eSpeak NG refused a voice or could not start."""

    code = "voice_failed"


def say(text: str, speed: int = 160, voice: str = "en") -> Waveform:
    """`text` spoken at `speed` words a minute (80 to 450) by an eSpeak voice (`en`, `en-us`, `de`, `en+f3`, …).

    Raises `DependencyMissing` where eSpeak NG is not installed, `VoiceFailed` for a voice it does not have.
    """
    heard: list[Any] = []

    def receive(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    callback = _CALLBACK(receive)
    encoded = text.encode()
    with _lock:
        library, rate = _library()
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise VoiceFailed(f"eSpeak NG has no voice {voice!r}", 'use one such as "en", "en-us" or "de"')
        library.espeak_SetParameter(_RATE, min(_MAX_SPEED, max(_MIN_SPEED, speed)), 0)
        library.espeak_SetSynthCallback(callback)
        library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, _CHARACTERS, 0, _UTF8, None, None)
        library.espeak_Synchronize()
    samples = np.concatenate(heard) if heard else np.zeros(0, dtype=np.int16)
    return Waveform(_resample(np.asarray(samples / 32768, dtype=np.float32), rate))


@cache
def _library() -> tuple[Any, int]:
    """The library, started, and its sample rate in Hz."""
    path, data = _locate()
    library = ctypes.CDLL(path)
    rate = int(library.espeak_Initialize(_RETRIEVAL, 500, data, _DONT_EXIT))
    if rate <= 0:
        raise VoiceFailed("eSpeak NG did not start", 'pip install --force-reinstall "espeakng-loader"')
    return library, rate


def _locate() -> tuple[str, bytes | None]:
    """The library and its voices (None: where the library itself looks): the package's, or else the system's."""
    try:
        import espeakng_loader
    except ImportError as error:
        system = ctypes.util.find_library("espeak-ng")
        if system is None:
            hint = 'pip install "crossmedia[demo]", or apt-get install libespeak-ng1'
            raise DependencyMissing("eSpeak NG is not installed", hint) from error
        return system, None
    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path().encode()


def _resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Through the spectrum, which is exact for the whole recording and needs no filter of its own."""
    if not samples.size or rate == SAMPLE_RATE:
        return samples
    count = round(len(samples) * SAMPLE_RATE / rate)
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(count // 2 + 1, dtype=spectrum.dtype)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return np.clip(np.fft.irfft(kept, count) * (count / len(samples)), -1.0, 1.0).astype(np.float32)
