"""How well moments are found: shots, what is planted, words and their times, speakers and voices, and nothing
invented."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from crossmedia.api.service import Service
from crossmedia.embeddings.errors import CrossmediaError, ModelMissing
from crossmedia.embeddings.media import Clip
from crossmedia.embeddings.profile import Transcriber, Word
from crossmedia.eval import found, planted, shots, speakers, spoken, voices
from crossmedia.eval.figures import Figure, Section
from crossmedia.eval.run import Tell
from crossmedia.indexer.decode.reader import decode

SEED: Final = 0
"""Not that of tuning."""
PLANTED: Final = (SEED, 2, 3)
"""Seeds of the videos that are searched: one holds too few moments, and photographs differ much in how well they are
named."""
_KINDS: Final = {"hard": ("cuts", "≥ 97 %"), "gradual": ("fades and dissolves", "≥ 80 %")}


class UnknownSection(CrossmediaError):
    """There is no such part of the measurement."""

    code = "unknown_section"
    status = 422


class Moments:
    """One run over one service; `data` is the folder of the known data sets, `room` where videos are written."""

    def __init__(self, service: Service, data: Path, room: Path) -> None:
        self._service = service
        self._data = data
        self._room = room
        self._videos: dict[int, planted.Planted] = {}

    @property
    def sections(self) -> dict[str, Callable[[], Section]]:
        """By the name that `--only` takes, in their order."""
        return {
            "shots": self._shots,
            "planted": lambda: found.measure(self._service, [self._made(seed) for seed in PLANTED]),
            "times": lambda: spoken.word_times(self._planted, self._heard()),
            "words": lambda: spoken.word_errors(self._transcriber, self._data / "spoken_captions", spoken.normaliser()),
            "speakers": self._speakers,
            "voices": lambda: voices.measure(self._service, self._data / "speakers"),
            "invented": lambda: spoken.count_invented(self._transcriber),
        }

    def run(self, only: Sequence[str], tell: Tell) -> Iterator[Section]:
        """All sections, or those named, as they are done; raises UnknownSection, and where a model is absent
        ModelMissing."""
        for name in only:
            if name not in self.sections:
                raise UnknownSection(f"no section {name!r}", f"there are: {', '.join(self.sections)}")
        for name, measure in self.sections.items():
            if only and name not in only:
                continue
            tell(name)
            started = time.perf_counter()
            section = measure()
            yield replace(section, seconds=round(time.perf_counter() - started, 1))

    @property
    def _planted(self) -> planted.Planted:
        return self._made(SEED)

    def _made(self, seed: int) -> planted.Planted:
        if seed not in self._videos:
            folder = self._room / f"planted-{seed}"
            folder.mkdir(exist_ok=True)
            self._videos[seed] = planted.make(folder, self._data, seed)
        return self._videos[seed]

    @property
    def _transcriber(self) -> Transcriber:
        transcriber = self._service.runtime.profile.transcriber
        if transcriber is None:
            raise ModelMissing("no speech recogniser is installed", 'pip install "crossmedia[offline]"')
        return transcriber

    def _shots(self) -> Section:
        made = self._planted
        on_reels = shots.measure(self._room, self._data, SEED)
        on_planted = shots.compare(made.cuts, made.fades, shots.boundaries(made.path))
        figures = []
        for kind, planted_counts in zip(_KINDS, on_planted, strict=True):
            for where, scores in (("reels", on_reels[kind]), ("the planted video", planted_counts.scores())):
                figures += _scores(kind, where, scores)
        note = (
            f"Made videos of {len(shots.FORMATS)} formats (`eval/reel.py`, seed {SEED}) and the planted one; a cut "
            f"may be {shots.HARD} s off."
        )
        details = [
            f"{row['video']}: "
            + ", ".join(f"{_KINDS[kind][0]} {row[kind]['f1']:.3f} of {row[kind]['of']}" for kind in _KINDS)
            for row in on_reels["videos"]
        ]
        return Section("Shots", note, tuple(figures), tuple(details))

    def _heard(self) -> list[Word]:
        clip = decode(self._planted.path).content
        assert isinstance(clip, Clip)
        assert clip.waveform is not None
        return [word for utterance in self._transcriber.transcribe(clip.waveform) for word in utterance.words]

    def _speakers(self) -> Section:
        result = speakers.measure(self._service.runtime.profile, self._data)
        figures = [
            Figure(row["what"], row["value"], "%", row["of"], row["low"], row["high"])
            for part in ("verification", "diarisation")
            for row in result[part]
        ]
        note = "LibriSpeech, and conversations made of it (`eval/speakers.py`)."
        return Section("Speakers", note, tuple(figures))


def _scores(kind: str, where: str, scores: dict[str, Any]) -> list[Figure]:
    what, least = _KINDS[kind]
    of = int(scores["of"])
    return [
        Figure(f"{what}, {where}: precision", scores["precision"], "%", of),
        Figure(f"{what}, {where}: recall", scores["recall"], "%", of),
        Figure(f"{what}, {where}: F1", scores["f1"], "%", of, target=least),
    ]
