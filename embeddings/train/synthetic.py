"""Synthesise sounds of kinds that no free data set has: music, noise, signals.

Each kind is drawn from a seeded generator: 16 kHz mono, 4 s, peak 0.1 to 0.9, some with a little coloured noise behind
them and a room's reverberation (decaying noise; Moorer 1979). Nothing here is taken from a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.media import SAMPLE_RATE, Waveform

Samples: TypeAlias = NDArray[np.float64]
Chance: TypeAlias = np.random.Generator

SECONDS: Final = 4.0
COUNT: Final = int(SECONDS * SAMPLE_RATE)
TIMES: Final = np.arange(COUNT) / SAMPLE_RATE
SCALES: Final = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9))


def make(kind: str, count: int, seed: int) -> list[Waveform]:
    """`count` different sounds of a kind of `SYNTHESISERS`, the same for the same seed."""
    chance = np.random.default_rng([seed, *kind.encode()])
    return [_finish(SYNTHESISERS[kind](chance), chance) for _ in range(count)]


def coloured_noise(chance: Chance, slope: float, count: int = COUNT) -> Samples:
    """Noise whose power falls with frequency to the power `slope` (0 white, 1 pink, 2 brown), unit deviation."""
    spectrum = np.fft.rfft(chance.standard_normal(count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20.0)
    noise = np.fft.irfft(spectrum * frequencies ** (-slope / 2), count)
    return np.asarray(noise / noise.std())


def _finish(samples: Samples, chance: Chance) -> Waveform:
    dry = samples / max(1e-9, float(np.abs(samples).max()))
    if chance.random() < 0.5:
        tail = int(SAMPLE_RATE * chance.uniform(0.1, 0.8))
        room = chance.standard_normal(tail) * np.exp(-6.9 * np.arange(tail) / tail)
        size = 2 * COUNT
        wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(room, size), size)[:COUNT]
        dry = dry + chance.uniform(0.2, 1.0) * wet / max(1e-9, float(np.abs(wet).max()))
    if chance.random() < 0.7:
        level = 10 ** (chance.uniform(-40, -14) / 20)
        dry = dry + level * coloured_noise(chance, chance.uniform(0, 2))
    return Waveform((dry * chance.uniform(0.1, 0.9) / np.abs(dry).max()).astype(np.float32))


def _tone(frequency: float | Samples, partials: Samples, count: int = COUNT) -> Samples:
    """Harmonics with these amplitudes; `frequency` in Hz, constant or one a sample."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency, (count,))) / SAMPLE_RATE
    highest = SAMPLE_RATE / 2 / float(np.max(frequency))
    total = np.zeros(count)
    for order, amplitude in enumerate(partials, start=1):
        if order < highest:
            total += amplitude * np.sin(order * phase)
    return total


def _partials(chance: Chance, count: int = 12) -> Samples:
    """Amplitudes of an instrument: falling, some missing."""
    amplitudes = np.arange(1, count + 1) ** -chance.uniform(0.6, 2.0) * chance.uniform(0.3, 1, count)
    amplitudes[1::2] *= chance.choice([1.0, 0.15])
    return np.asarray(amplitudes)


def _place(parts: list[tuple[float, Samples]]) -> Samples:
    """Sum of sounds begun at these seconds, cut at the end."""
    total = np.zeros(COUNT)
    for second, part in parts:
        first = int(second * SAMPLE_RATE)
        room = total[first : first + len(part)]
        room += part[: len(room)]
    return total


def _strike(chance: Chance, frequencies: Samples, decay: float) -> Samples:
    """Partials that ring down, s to a tenth; the higher the sooner."""
    parts = [
        chance.uniform(0.2, 1)
        * np.sin(2 * np.pi * f * TIMES)
        * np.exp(-2.3 * TIMES / decay * (f / frequencies[0]) ** 0.5)
        for f in frequencies
        if f < SAMPLE_RATE / 2
    ]
    return np.asarray(np.sum(parts, axis=0))


def _burst(chance: Chance, seconds: float, slope: float) -> Samples:
    count = int(max(0.004, seconds) * SAMPLE_RATE)
    return coloured_noise(chance, slope, 2 * count)[:count] * np.exp(-4.6 * np.arange(count) / count)


def _beats(chance: Chance, rate: float, jitter: float) -> list[float]:
    gaps = np.maximum(0.02, (1 + jitter * chance.standard_normal(int(SECONDS * rate * 2) + 2)) / rate)
    return [float(second) for second in np.cumsum(gaps) - gaps[0] + chance.uniform(0, 1 / rate) if second < SECONDS]


def music(chance: Chance) -> Samples:
    """A melody over chords, sometimes with a beat, of one or two instruments."""
    scale = SCALES[chance.integers(len(SCALES))]
    root, tempo = chance.uniform(40, 60), chance.uniform(1.2, 5.0)
    lead, below = _partials(chance), _partials(chance)
    plucked = chance.random() < 0.5
    vibrato = 1 + chance.uniform(0, 0.008) * np.sin(2 * np.pi * chance.uniform(4, 7) * TIMES)

    def pitch(step: int) -> float:
        return float(440 * 2 ** ((root + 12 * (step // len(scale)) + scale[step % len(scale)] - 69) / 12))

    def note(step: int, seconds: float, partials: Samples, decay: bool) -> Samples:
        count = min(COUNT, int(seconds * SAMPLE_RATE))
        shape = np.exp(-4 * TIMES[:count] / seconds) if decay else np.ones(count)
        ramp = np.minimum(1, np.minimum(TIMES[:count], TIMES[:count][::-1]) / 0.02)
        return _tone(pitch(step) * vibrato[:count], partials, count) * shape * ramp

    parts: list[tuple[float, Samples]] = []
    step = int(chance.integers(7, 14))
    for beat in range(int(SECONDS * tempo) + 1):
        if chance.random() < 0.85:
            parts.append((beat / tempo, note(step, chance.choice([1, 1, 2]) / tempo, lead, plucked)))
        step = int(np.clip(step + chance.integers(-3, 4), 4, 20))
    for bar in range(int(SECONDS * tempo / 4) + 1):
        chord = int(chance.integers(0, 7))
        parts += [(4 * bar / tempo, 0.4 * note(chord + third, 4 / tempo, below, False)) for third in (0, 2, 4)]
    if chance.random() < 0.5:
        for beat in range(int(SECONDS * tempo)):
            parts.append((beat / tempo, chance.uniform(0.2, 0.8) * _burst(chance, 0.08, chance.choice([0, 2]))))
    return _place(parts)


def noise(chance: Chance) -> Samples:
    """Steady hiss, rumble or rush, sometimes with mains hum or a fan's slow beat."""
    made = coloured_noise(chance, chance.uniform(-0.3, 2.2))
    if chance.random() < 0.5:
        made = made + chance.uniform(0.3, 2) * _tone(chance.choice([50.0, 60.0, 100.0, 120.0]), _partials(chance))
    return made * (1 + chance.uniform(0, 0.3) * np.sin(2 * np.pi * chance.uniform(0.2, 12) * TIMES))


def siren(chance: Chance) -> Samples:
    """A tone that wails, yelps, or goes between two pitches."""
    low, high = chance.uniform(400, 800), chance.uniform(900, 1700)
    rate = chance.choice([0.2, 0.4, 0.8, 3.0]) * chance.uniform(0.7, 1.4)
    turn = 2 * np.pi * rate * TIMES + chance.uniform(0, 6)
    swing = {"sine": 0.5 + 0.5 * np.sin(turn), "saw": (turn / (2 * np.pi)) % 1, "two": (np.sin(turn) > 0) * 1.0}
    path = swing[str(chance.choice(list(swing)))]
    return _tone(low + (high - low) * path, _partials(chance))


def horn(chance: Chance) -> Samples:
    """One or several blasts of two reedy tones at once."""
    low = chance.uniform(280, 520)
    high = low * chance.choice([1.19, 1.25, 1.33])
    tones = _tone(low, chance.uniform(0.3, 1, 14)) + _tone(high, chance.uniform(0.3, 1, 14))
    open_ = np.zeros(COUNT)
    for second in _beats(chance, chance.uniform(0.4, 2.0), 0.3):
        open_[int(second * SAMPLE_RATE) : int((second + chance.uniform(0.1, 1.2)) * SAMPLE_RATE)] = 1
    smooth = np.convolve(open_, np.ones(160) / 160, "same")
    return np.asarray(tones * smooth)


def alarm(chance: Chance) -> Samples:
    """Beeps: short high tones, repeated."""
    rate = chance.uniform(1, 8)
    gate = ((TIMES * rate + chance.random()) % 1 < chance.uniform(0.3, 0.7)) * 1.0
    return _tone(chance.uniform(900, 3500), _partials(chance, 4)) * np.convolve(gate, np.ones(80) / 80, "same")


def bell(chance: Chance) -> Samples:
    """Strokes on a bell: inharmonic partials (hum, prime, tierce, quint, nominal) that ring on."""
    ratios = np.array([0.5, 1, 1.2, 1.5, 2, 2.5, 2.67, 3, 4.1]) * chance.uniform(0.99, 1.01, 9)
    stroke = _strike(chance, chance.uniform(200, 1600) * ratios, chance.uniform(0.5, 4))
    return _place([(second, stroke) for second in _beats(chance, chance.uniform(0.4, 3), 0.1)])


def engine(chance: Chance) -> Samples:
    """Firing pulses of a motor at 12 to 60 Hz, uneven, with its rumble."""
    wander = np.convolve(chance.standard_normal(COUNT), np.ones(2000) / 2000, "same")
    rate = chance.uniform(12, 60) * (1 + 0.05 * wander)
    pulses = _tone(rate, np.arange(1, 41) ** -chance.uniform(0.3, 1.2) * chance.uniform(0.2, 1, 40))
    faded: Samples = pulses / pulses.std() + chance.uniform(0.2, 1.2) * coloured_noise(chance, chance.uniform(1, 2))
    return faded


def hammering(chance: Chance) -> Samples:
    """Blows: knocks of 2 a second up to those of a pneumatic drill, 25 a second."""
    rate = chance.choice([chance.uniform(2, 5), chance.uniform(8, 25)])
    ring = chance.uniform(200, 3000, 4)
    blow = _strike(chance, np.sort(ring), chance.uniform(0.01, 0.08))[: SAMPLE_RATE // 4]
    blows: list[tuple[float, Samples]] = []
    for second in _beats(chance, rate, 0.05):
        knock = blow + _pad(_burst(chance, 0.03, 1), len(blow))
        blows.append((second, chance.uniform(0.7, 1) * knock))
    return _place(blows)


def bang(chance: Chance) -> Samples:
    """One or a few shots or explosions: a crack and a falling rumble."""
    shots = [float(s) for s in np.sort(chance.uniform(0, 3, chance.integers(1, 4)))]
    return _place([(second, _boom(chance)) for second in shots])


def _boom(chance: Chance) -> Samples:
    boom = _burst(chance, chance.uniform(0.3, 1.5), chance.uniform(0.8, 2))
    crack = _burst(chance, 0.03, 0)
    boom[: len(crack)] += 3 * crack
    return boom


def _pad(samples: Samples, count: int) -> Samples:
    return np.pad(samples, (0, max(0, count - len(samples))))[:count]


SYNTHESISERS: Final[Mapping[str, Callable[[Chance], Samples]]] = {
    "music": music,
    "noise": noise,
    "siren": siren,
    "horn": horn,
    "alarm": alarm,
    "bell": bell,
    "engine": engine,
    "hammering": hammering,
    "bang": bang,
}
