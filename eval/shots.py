"""Are shots found where they are: precision, recall and F1 of boundaries over made videos whose cuts are known.

python -m crossmedia.eval.shots [SEED] [scenedetect]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from crossmedia.eval import reel
from crossmedia.eval.bench.common import SHARED
from crossmedia.eval.datasets import flickr8k
from crossmedia.indexer.decode.reader import decode

HARD: Final = 0.1
"""Seconds a found boundary may lie from a hard cut."""
GRADUAL: Final = 0.2
"""Seconds it may lie before or after a gradual transition, in which it may lie anywhere."""
TUNING: Final = 1
"""The seed that thresholds were chosen with: it has the photos that no other seed has."""
_SHOTS: Final = 24

Boundaries: TypeAlias = Sequence[float]
Detector: TypeAlias = Callable[[Path], Boundaries]


@dataclass(frozen=True)
class Case:
    """A made video."""

    name: str
    path: Path
    truth: reel.Truth


@dataclass(frozen=True)
class Counts:
    """True boundaries found, true boundaries, and found ones that are none."""

    hit: int
    true: int
    false: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.hit + other.hit, self.true + other.true, self.false + other.false)

    def scores(self) -> dict[str, float]:
        precision = self.hit / max(1, self.hit + self.false)
        recall = self.hit / max(1, self.true)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        return {"precision": precision, "recall": recall, "f1": f1, "of": self.true, "false": self.false}


FORMATS: Final[dict[str, reel.VideoFormat]] = {
    "h264 24 fps": reel.VideoFormat(rate=Fraction(24000, 1001)),
    "h264 25 fps": reel.VideoFormat(),
    "h264 50 fps": reel.VideoFormat(rate=Fraction(50), size=(480, 270)),
    "h264 30 fps, noise": reel.VideoFormat(rate=Fraction(30), noise=12, options={"preset": "veryfast", "crf": "30"}),
    "h264 variable": reel.VideoFormat(suffix=".mkv", rate=Fraction(30), size=(480, 270), jitter=True),
    "mpeg4 25 fps": reel.VideoFormat(suffix=".avi", codec="mpeg4", options={"b": "700k"}, size=(480, 360)),
    "vp9 30 fps": reel.VideoFormat(
        ".webm", "libvpx-vp9", {"b": "600k", "cpu-used": "8", "deadline": "realtime"}, Fraction(30), (480, 270)
    ),
    "h264 12 fps": reel.VideoFormat(rate=Fraction(12), size=(360, 480)),
}


def measure(
    folder: Path, data: Path, seed: int = 0, more: Sequence[Case] = (), find: Detector | None = None
) -> dict[str, Any]:
    """Scores of hard cuts and of gradual transitions, over one video of each format and `more`, together and by video.

    A boundary that is found counts for a true one within tolerance, each for one only; what is left over is false: for
    gradual transitions if it lies within a second of one, else for hard cuts. `find` defaults to the decoder.
    """
    rows = []
    total = {"hard": Counts(0, 0, 0), "gradual": Counts(0, 0, 0)}
    for case in [*make_videos(folder, data, seed), *more]:
        detected = (find or boundaries)(case.path)
        hard, gradual = compare(case.truth.cuts, case.truth.fades, detected)
        total = {"hard": total["hard"] + hard, "gradual": total["gradual"] + gradual}
        rows.append({"video": case.name, "hard": hard.scores(), "gradual": gradual.scores()})
    return {"hard": total["hard"].scores(), "gradual": total["gradual"].scores(), "videos": rows, "seed": seed}


def boundaries(path: Path) -> Boundaries:
    """Where the decoder's shots begin, but for the first; not where a long one was split for its length only."""
    shots = decode(path).shots
    return [shot.start for shot in shots[1:]]


def scenedetect(path: Path) -> Boundaries:
    """PySceneDetect's own best at both: its adaptive content detector for cuts, its threshold detector for fades to
    black.

    Each with its defaults, found together; two within half a second count once.
    """
    from scenedetect import AdaptiveDetector, SceneManager, ThresholdDetector, open_video

    manager = SceneManager()
    manager.add_detector(AdaptiveDetector(min_scene_len=12))
    manager.add_detector(ThresholdDetector(min_scene_len=12))
    manager.detect_scenes(open_video(str(path), backend="pyav"))
    detected: list[float] = []
    for start, _ in manager.get_scene_list()[1:]:
        if not detected or start.seconds - detected[-1] > 0.5:
            detected.append(start.seconds)
    return detected


def compare(cuts: Sequence[float], fades: Sequence[tuple[float, float]], found: Boundaries) -> tuple[Counts, Counts]:
    """(Hard cuts, gradual transitions)."""
    true = [(cut - HARD, cut + HARD, True) for cut in cuts]
    true += [(start - GRADUAL, end + GRADUAL, False) for start, end in fades]
    spare = sorted(found)
    hits = {True: 0, False: 0}
    # What ends first takes the first boundary that it may: no other matching has more pairs.
    for first, last, hard in sorted(true, key=lambda span: span[1]):
        fitting = next((time for time in spare if first - 1e-6 <= time <= last + 1e-6), None)
        if fitting is not None:
            spare.remove(fitting)
            hits[hard] += 1
    near = sum(any(start - 1 <= time <= end + 1 for start, end in fades) for time in spare)
    return Counts(hits[True], len(cuts), len(spare) - near), Counts(hits[False], len(fades), near)


def make_videos(folder: Path, data: Path, seed: int) -> Iterator[Case]:
    """One video of each format, from photos and drawn scenes."""
    for number, (name, form) in enumerate(FORMATS.items()):
        rng = np.random.default_rng((seed, number))
        path = folder / f"reel{number}{form.suffix}"
        yield Case(name, path, reel.write(path, takes(rng, photos(data, seed), _SHOTS), form, rng))


def photos(data: Path, seed: int) -> list[Path]:
    """Half of Flickr8k's dev photos for tuning, the other half for every other seed."""
    every = sorted(flickr8k(data / "flickr8k", "dev").captions)
    return every[::2] if seed == TUNING else every[1::2]


def takes(rng: np.random.Generator, pictures: Sequence[Path], count: int) -> list[reel.Take]:
    """Random takes: three in four photos; three in five left by a cut; a flash in one of five."""
    chosen = rng.choice(len(pictures), count, replace=False)
    made = []
    for index in chosen:
        seconds = float(np.round(rng.uniform(1.5, 5.0) * 24) / 24)
        picture = reel.photo(pictures[index]) if rng.random() < 0.75 else reel.draw_scene(rng)
        move = reel.MOVES[rng.integers(len(reel.MOVES))]
        joint: reel.Joint = "cut"
        if rng.random() < 0.4:
            joint = ("dissolve", "dissolve", "black", "white")[rng.integers(4)]
        fading = float(rng.uniform(0.4, min(2.0, seconds)))
        flashes = (float(rng.uniform(0.6, 0.8)) * seconds,) if rng.random() < 0.2 else ()
        made.append(reel.Take(picture, seconds, move, joint, fading, flashes))
    # A fade takes half its length of the next take; what is shorter than that would never be seen whole.
    following = [*made[1:], made[-1]]
    return [
        reel.Take(t.picture, t.seconds, t.move, t.joint, min(t.fading, after.seconds), t.flashes)
        for t, after in zip(made, following, strict=True)
    ]


def main(seed: int, find: Detector) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), SHARED / "data", seed, find=find)
    for row in [*result["videos"], {"video": "all", "hard": result["hard"], "gradual": result["gradual"]}]:
        line = f"{row['video']:<20}"
        for kind in ("hard", "gradual"):
            s = row[kind]
            line += f"  {kind} P {s['precision']:.3f} R {s['recall']:.3f} F1 {s['f1']:.3f} of {s['of']:<3}"
        print(line)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "scenedetect"]
    main(int(arguments[0]) if arguments else 0, scenedetect if "scenedetect" in sys.argv else boundaries)
