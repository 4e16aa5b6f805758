"""Is what is said written down: word error rate, when words are said, and nothing where nobody speaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.profile import Transcriber, Word
from crossmedia.embeddings.train.sound_stats import read_sound
from crossmedia.embeddings.train.synthetic import SECONDS, coloured_noise, make
from crossmedia.eval.datasets import spoken_captions
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.planted import Planted

MAX_WORD_SHIFT: Final = 0.3
"""Seconds a word may be off."""
MINUTES: Final = 10
_ROOM: Final = 1e-3
"""Deviation of the noise of a quiet room, of full scale."""
RESAMPLES: Final = 1000


def errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Words put in, left out and exchanged at least: the distance of Levenshtein (1966).

    >>> errors("the cat sat down".split(), "a cat sat".split())
    2
    """
    row = np.arange(len(heard) + 1)
    for number, word in enumerate(reference, start=1):
        diagonal = row[:-1] + np.array([word != other for other in heard], dtype=np.int64)
        best = np.concatenate([[number], np.minimum(diagonal, row[1:] + 1)])
        # What is put in: each place may be reached from any before it, at one a word.
        row = np.minimum.accumulate(best - np.arange(len(best))) + np.arange(len(best))
    return int(row[-1])


def normaliser() -> Callable[[str], str]:
    """English as Whisper's paper compares it (Radford et al. 2022, appendix C). Raises `DependencyMissing`."""
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError as error:
        raise DependencyMissing("whisper-normalizer is not installed", 'pip install "crossmedia[eval]"') from error
    plain: Callable[[str], str] = EnglishTextNormalizer()
    return plain


def word_errors(transcriber: Transcriber, folder: Path, plain: Callable[[str], str]) -> Section:
    """Over all words of the recordings; the interval is over recordings."""
    wrong, spoken = [], []
    for path, text in spoken_captions(folder).items():
        heard = " ".join(utterance.text for utterance in transcriber.transcribe(read_sound(path)))
        reference = plain(text).split()
        wrong.append(errors(reference, plain(heard).split()))
        spoken.append(len(reference))
    rate, low, high = ratio(np.array(wrong), np.array(spoken))
    return Section(
        "Word error rate",
        "Spoken captions of Flickr8k, text normalised as Whisper's paper does (`whisper-normalizer`).",
        (
            Figure("word error rate", rate, "%", sum(spoken), low, high),
            share("recordings without an error", [not count for count in wrong]),
        ),
    )


def ratio(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> tuple[float, float, float]:
    """The sum of the parts over that of the wholes, with its 95 % percentile bootstrap interval over cases."""
    chance = np.random.default_rng(0)
    drawn = chance.integers(0, len(parts), (RESAMPLES, len(parts)))
    low, high = np.percentile(parts[drawn].sum(axis=1) / wholes[drawn].sum(axis=1), [2.5, 97.5])
    return float(parts.sum() / wholes.sum()), float(low), float(high)


def word_times(planted: Planted, transcribed: Sequence[Word]) -> Section:
    """Where each known sentence and word begins and ends, against the first and last word heard in it."""
    own = assign([(start, end) for _, start, end in planted.words], transcribed)
    starts = [abs(words[0].start - start) for (_, start, _), words in zip(planted.words, own, strict=True) if words]
    ends = [abs(words[-1].end - end) for (_, _, end), words in zip(planted.words, own, strict=True) if words]
    off = np.array([*starts, *ends])
    figures = [share("known sentences and words that are heard", [bool(words) for words in own])]
    for what, values in (("beginnings", starts), ("ends", ends), ("both", off.tolist())):
        figures.append(share(f"{what} within {MAX_WORD_SHIFT} s", [value <= MAX_WORD_SHIFT for value in values], "all"))
        figures.append(Figure(f"{what}, median off", float(np.median(values)), "s", len(values)))
        figures.append(Figure(f"{what}, 95th percentile off", float(np.percentile(values, 95)), "s", len(values)))
    details = [
        f"“{text}” ({start:.2f}–{end:.2f} s) is heard as “{' '.join(word.text for word in words)}”"
        + (f" ({words[0].start:.2f}–{words[-1].end:.2f} s)" if words else "")
        for (text, start, end), words in zip(planted.words, own, strict=True)
        if not words or max(abs(words[0].start - start), abs(words[-1].end - end)) > MAX_WORD_SHIFT
    ]
    note = (
        "Sentences and single words of the planted video, spoken by eSpeak NG at known times: their first and last "
        "sound."
    )
    return Section("Word times", note, tuple(figures), tuple(details))


def assign(spans: Sequence[tuple[float, float]], words: Sequence[Word]) -> list[list[Word]]:
    """Each word to the span that is nearest to its middle, in order."""
    own: list[list[Word]] = [[] for _ in spans]
    for word in sorted(words, key=lambda word: word.start):
        middle = (word.start + word.end) / 2
        distances = [max(start - middle, middle - end, 0.0) for start, end in spans]
        own[int(np.argmin(distances))].append(word)
    return own


def count_invented(transcriber: Transcriber) -> Section:
    """Words heard where there are none."""
    seconds = 60 * MINUTES
    chance = np.random.default_rng(7)
    music = np.concatenate([part.samples for part in make("music", round(seconds / SECONDS), 7)])
    sounds: dict[str, Any] = {
        "silence": np.zeros(seconds * SAMPLE_RATE, np.float32),
        "a quiet room": (_ROOM * coloured_noise(chance, 1.0, seconds * SAMPLE_RATE)).astype(np.float32),
        "music": music,
    }
    figures, details = [], []
    for what, samples in sounds.items():
        heard = transcriber.transcribe(Waveform(samples))
        words = [word for utterance in heard for word in re.findall(r"\w+", utterance.text)]
        figures.append(Figure(f"words in {MINUTES} minutes of {what}", len(words), "", target="0"))
        details += [f"in {what}: “{utterance.text}” at {utterance.start:.1f} s" for utterance in heard]
    note = "Digital silence, pink noise at -60 dB, and made music (`embeddings/train/synthetic.py`)."
    return Section("Nothing invented", note, tuple(figures), tuple(details))
