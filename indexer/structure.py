"""Build the moments of a video from shots and key frames: pooled vectors, scenes, labels of motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import COMMON, UNALIGNED, Space, Vector, pool
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.decode import Shot
from crossmedia.indexer.segment import chapters
from crossmedia.retrieval.documents import Label, Moment, moment_id
from crossmedia.retrieval.likeness import MIN_SIMILAR
from crossmedia.retrieval.relevance import UNKNOWN

MODEL: Final = "structure@1"
"""What labels say made them; another number where the same video gives others."""
SOME, MUCH = 0.1, 0.3
"""Mean energy from which a shot's motion counts as `medium` and `high`."""


def build_shots(asset: str, shots: Sequence[Shot], frames: Sequence[Moment], profile: Profile) -> list[Moment]:
    """A moment of kind `shot` for each shot; where it has several key frames, one of kind `frame` for each after it.

    `frames` are all key frames with their vectors, labels and thumbnails, in time. A frame stands for the part of its
    shot that is nearer to it than to the others; the vector of a shot is in the middle of those of its frames.
    """
    shown: list[tuple[Moment, list[Moment]]] = []
    for number, shot in enumerate(shots):
        own = [frames[n] for n in shot.frames]
        labels = (*_strongest(own), *_moving(shot))
        vectors = pool_frames([frame.vectors for frame in own], profile.spaces)
        moment = Moment(
            moment_id(asset, "shot", number),
            asset,
            "shot",
            shot.start,
            shot.end,
            vectors=vectors,
            labels=labels,
            thumbnail=own[0].thumbnail,
        )
        shown.append((moment, _shares(shot, own) if len(own) > 1 else []))
    scenes = _group_scenes([moment for moment, _ in shown], profile)
    return [moment for scene, (_, own) in zip(scenes, shown, strict=True) for moment in (scene, *own)]


def frame_moments(asset: str, shots: Sequence[Shot]) -> list[str]:
    """For each key frame the id of the moment that shows it alone."""
    return [
        moment_id(asset, "shot", number) if len(shot.frames) == 1 else moment_id(asset, "frame", n)
        for number, shot in enumerate(shots)
        for n in shot.frames
    ]


def pooled_shots(asset: str, shots: Sequence[Shot]) -> dict[str, list[str]]:
    """For each shot of several key frames its moment's id, with the ids of the moments that show one of them each."""
    return {
        moment_id(asset, "shot", number): [moment_id(asset, "frame", n) for n in shot.frames]
        for number, shot in enumerate(shots)
        if len(shot.frames) > 1
    }


def pool_frames(frames: Sequence[Mapping[str, Vector]], spaces: Mapping[str, Space]) -> Mapping[str, Vector]:
    """The vectors of a shot: in the middle of those of its key frames, which are by names of `spaces`."""
    if len(frames) == 1:
        return frames[0]
    extra = {name: space.extra for name, space in spaces.items()}
    extra[UNALIGNED] = extra[COMMON]
    return {space: pool(np.stack([frame[space] for frame in frames]), extra[space]) for space in frames[0]}


def _strongest(frames: Sequence[Moment]) -> tuple[Label, ...]:
    """Each label once, with its best score."""
    best: dict[tuple[str, str], Label] = {}
    for label in (label for frame in frames for label in frame.labels):
        key = (label.kind, label.value)
        if key not in best or label.score > best[key].score:
            best[key] = label
    return tuple(sorted(best.values(), key=lambda label: -label.score))


def _moving(shot: Shot) -> tuple[Label, ...]:
    energy = "high" if shot.motion >= MUCH else "medium" if shot.motion >= SOME else "low"
    labels = [Label("motion", energy, shot.motion, MODEL), Label("camera", shot.camera, 1.0, MODEL)]
    return (*labels, Label("transition", shot.transition, 1.0, MODEL)) if shot.start > 0 else tuple(labels)


def _shares(shot: Shot, frames: Sequence[Moment]) -> list[Moment]:
    times = [frame.start or 0.0 for frame in frames]
    edges = [shot.start, *((one + other) / 2 for one, other in pairwise(times)), shot.end]
    return [replace(frame, start=edges[n], end=edges[n + 1]) for n, frame in enumerate(frames)]


def _group_scenes(shots: Sequence[Moment], profile: Profile) -> list[Moment]:
    """Shots that show the same, and what lies between them, are a scene; each shot says of which (label `chapter`)."""
    space = "picture" if all("picture" in shot.vectors for shot in shots) else COMMON
    same = profile.calibrations.get((space, "picture", "picture"), UNKNOWN).similarity(MIN_SIMILAR)
    rows = np.stack([shot.vectors[space] for shot in shots])
    moments: list[Moment] = []
    for number, (first, last) in enumerate(chapters(rows, [shot.start or 0.0 for shot in shots], same), start=1):
        label = Label("chapter", str(number), 1.0, MODEL, start=shots[first].start, end=shots[last].end)
        moments += [replace(shot, labels=(*shot.labels, label)) for shot in shots[first : last + 1]]
    return moments
