"""Who speaks: verification and identification on LibriSpeech, and who speaks when on conversations made of it.

Diarisation error rate (DER; NIST RT-09): the time missed, falsely taken for speech, and given to another speaker, over
the time spoken, under the best one-to-one mapping of speakers; with a collar, what lies within 0.25 s of where a turn
begins or ends does not count.

>>> one, other = Span(0, 2, "a"), Span(2, 4, "b")
>>> error_rate([one, other], [Span(0, 3, "x"), Span(3, 4, "y")]).rate
0.25
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.train.sound_stats import read_sound
from crossmedia.embeddings.train.synthetic import coloured_noise
from crossmedia.embeddings.train.voice_measure import Names, equal_error_rate, pairs
from crossmedia.eval.metrics import interval, mean
from crossmedia.indexer.diarise import diarise

COLLAR: Final = 0.25
SPEAKERS: Final = (1, 2, 3, 4)
CONVERSATIONS: Final = 6
"""Of each number of speakers, and as many again in noise."""
TURNS: Final = 14
NOISE: Final = 15.0
"""dB of the voices over pink noise."""
QUIET: Final = 35.0
"""dB under the loudest of a recording from which it counts as pause; shorter pauses than `BREATH` s are of the turn."""
BREATH: Final = 0.5


@dataclass(frozen=True)
class Span:
    """Somebody speaks from `start` to `end`, s."""

    start: float
    end: float
    speaker: str


@dataclass(frozen=True)
class Errors:
    """Seconds: spoken by the reference, missed, falsely heard, and heard as another speaker."""

    spoken: float
    missed: float
    false: float
    confused: float

    @property
    def rate(self) -> float:
        """DER, 0 where nothing is spoken and nothing heard."""
        wrong = self.missed + self.false + self.confused
        return wrong / self.spoken if self.spoken else float(wrong > 0)


def error_rate(reference: Sequence[Span], found: Sequence[Span], collar: float = 0.0) -> Errors:
    """Of spans that may overlap; the best mapping by the Hungarian method (Kuhn 1955)."""
    seams = [time for span in reference for time in (span.start, span.end)] if collar else []
    cuts = {time for span in (*reference, *found) for time in (span.start, span.end)}
    edges = np.array(sorted(cuts | {seam + side for seam in seams for side in (-collar, collar)}))
    if len(edges) < 2:
        return Errors(0.0, 0.0, 0.0, 0.0)
    middles, lasting = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    if seams:
        lasting = lasting * (np.abs(middles[:, None] - np.array(seams)).min(axis=1) > collar)
    true, heard = _present(reference, middles), _present(found, middles)
    shared = (true * lasting) @ heard.T
    rows, columns = linear_sum_assignment(-shared)
    said, told = true.sum(axis=0), heard.sum(axis=0)
    both = float((np.minimum(said, told) * lasting).sum())
    return Errors(
        float((said * lasting).sum()),
        float((np.maximum(0, said - told) * lasting).sum()),
        float((np.maximum(0, told - said) * lasting).sum()),
        max(0.0, both - float(shared[rows, columns].sum())),
    )


def _present(spans: Sequence[Span], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(speakers, times): who speaks when; one who is named twice at a time counts once."""
    names = sorted({span.speaker for span in spans})
    rows = np.zeros((len(names), len(times)))
    for span in spans:
        rows[names.index(span.speaker)] += (times > span.start) & (times < span.end)
    return np.minimum(rows, 1)


def conversation(
    recordings: Mapping[str, Sequence[Waveform]], speakers: int, chance: np.random.Generator, noise: float | None = None
) -> tuple[Waveform, list[Span]]:
    """Turns of 1.5 to 12 s of so many speakers, with 0 to 1.2 s between them. `noise`: dB of the voices over pink
    noise."""
    names = chance.choice(sorted(recordings), speakers, replace=False).tolist()
    parts: list[NDArray[np.float32]] = []
    spans: list[Span] = []
    at, last = 0, ""
    # Everybody speaks before anybody is drawn again.
    order = [*names, *["" for _ in range(TURNS - speakers)]]
    for name in order:
        speaker = name or str(chance.choice([one for one in names if one != last] or names))
        chosen = recordings[speaker][int(chance.integers(len(recordings[speaker])))]
        length = chance.uniform(1.5, min(12.0, max(1.6, chosen.seconds)))
        start = chance.uniform(0, max(0.0, chosen.seconds - length))
        part = chosen.cut(start, start + length).samples
        gap = np.zeros(int(chance.uniform(0, 1.2) * SAMPLE_RATE), np.float32)
        spans += [Span(at / SAMPLE_RATE + a, at / SAMPLE_RATE + b, speaker) for a, b in loud(part)]
        parts += [part, gap]
        at, last = at + len(part) + len(gap), speaker
    samples = np.concatenate(parts)
    if noise is not None:
        level = float(np.sqrt(np.mean(np.square(samples)))) * 10 ** (-noise / 20)
        samples = (samples + level * coloured_noise(chance, 1.0, len(samples))).astype(np.float32)
    return Waveform(samples), spans


def loud(samples: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Stretches in s by level alone, no voice detector: what is scored must not be the truth."""
    frame = SAMPLE_RATE // 50
    count = len(samples) // frame
    power = np.square(samples[: count * frame].reshape(count, frame)).mean(axis=1)
    heard = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (-QUIET / 10))
    if not len(heard):
        return []
    breaks = np.flatnonzero(np.diff(heard) > BREATH * 50)
    firsts, lasts = heard[np.r_[0, breaks + 1]], heard[np.r_[breaks, len(heard) - 1]]
    return [(first / 50, (last + 1) / 50) for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]


def verification(vectors: Vectors, speakers: Names) -> dict[str, tuple[float, float, float]]:
    """Value and 95 % interval (percentile bootstrap over utterances) of each measure; rows are utterances."""
    cosines, names = _enrol(vectors, speakers)
    own = speakers[:, None] == names

    def of_pairs(drawn: NDArray[np.int64]) -> float:
        trials = pairs(vectors[drawn], speakers[drawn], drawn)
        return equal_error_rate(trials.cosines[trials.same], trials.cosines[~trials.same])

    def of_enrolment(drawn: NDArray[np.int64]) -> float:
        return equal_error_rate(cosines[drawn][own[drawn]], cosines[drawn][~own[drawn]])

    right, every = identify(vectors, speakers), np.arange(len(vectors))
    return {
        "equal error rate, pairs": (of_pairs(every), *_resample(of_pairs, speakers)),
        "equal error rate, enrolment": (of_enrolment(every), *_resample(of_enrolment, speakers)),
        "identification accuracy": (mean(right), *interval(right)),
    }


def identify(vectors: Vectors, speakers: Names) -> list[float]:
    """Of each utterance whether the nearest centroid is its speaker's, its own vector left out of that."""
    cosines, names = _enrol(vectors, speakers)
    return [float(name == own) for name, own in zip(names[cosines.argmax(axis=1)], speakers, strict=True)]


def _enrol(vectors: Vectors, speakers: Names) -> tuple[Vectors, Names]:
    """(N, speakers) cosines to the mean of all other utterances of each speaker, and the speakers' names."""
    names, own = np.unique(speakers, return_inverse=True)
    sums = np.stack([vectors[speakers == name].sum(axis=0) for name in names])
    cosines = vectors @ normalise(sums).T
    rest = normalise(sums[own] - vectors)
    cosines[np.arange(len(vectors)), own] = (vectors * rest).sum(axis=1)
    return cosines, names


def _resample(measured: Callable[[NDArray[np.int64]], float], speakers: Names, times: int = 200) -> tuple[float, float]:
    """Of each speaker as many utterances as there are, drawn with replacement."""
    chance = np.random.default_rng(0)
    members = [np.flatnonzero(speakers == name) for name in np.unique(speakers)]
    values = [measured(np.concatenate([chance.choice(own, len(own)) for own in members])) for _ in range(times)]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def measure(profile: Profile, data: Path) -> dict[str, Any]:
    """`{"verification": rows, "diarisation": rows}`; a row has what, value, low, high and of (how many). Raises
    ValueError where the profile has no voice."""
    if profile.voice is None:
        raise ValueError(f"the profile {profile.name} has no voice encoder")
    paths = sorted((data / "speakers").glob("*/*.flac"))
    heard, speakers = [read_sound(path) for path in paths], np.array([path.parent.name for path in paths])
    vectors = profile.voice.encode(heard).vectors["voice"]
    rows = [_row(what, *values, len(paths)) for what, values in verification(vectors, speakers).items()]
    recordings = {name: [heard[n] for n in np.flatnonzero(speakers == name)] for name in np.unique(speakers).tolist()}
    return {"verification": rows, "diarisation": _measure_diarisation(profile, recordings)}


def _measure_diarisation(profile: Profile, recordings: Mapping[str, Sequence[Waveform]]) -> list[dict[str, Any]]:
    rows = []
    for noise in (None, NOISE):
        for count in SPEAKERS:
            strict, collared, counted = [], [], []
            for number in range(CONVERSATIONS):
                chance = np.random.default_rng([count, number])
                waveform, truth = conversation(recordings, count, chance, noise)
                assert profile.voice is not None
                turns = diarise(waveform, list(profile.detector(waveform)), profile.voice)
                spans = [Span(turn.start, turn.end, str(turn.speaker)) for turn in turns]
                strict.append(error_rate(truth, spans).rate)
                collared.append(error_rate(truth, spans, COLLAR).rate)
                counted.append(float(len({turn.speaker for turn in turns}) == count))
            who = f"{count} speaker{'s' * (count > 1)}{f', noise at {NOISE:g} dB' if noise is not None else ''}"
            for what, values in (
                ("DER", collared),
                ("DER without collar", strict),
                ("number of speakers right", counted),
            ):
                rows.append(_row(f"{what}, {who}", mean(values), *interval(values), len(values)))
    return rows


def _row(what: str, value: float, low: float, high: float, of: int) -> dict[str, Any]:
    return {"what": what, "value": value, "low": low, "high": high, "of": of}
