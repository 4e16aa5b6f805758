"""Asks a task's queries and ranks what comes back: through the live engine, or by the encoders' bare matrices."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crossmedia.api.service import Service
from crossmedia.embeddings.encoder import Encoding, Modality, Vectors
from crossmedia.embeddings.media import Medium, Picture, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.eval import metrics
from crossmedia.eval.task import Target, Task, TaskQuery
from crossmedia.indexer.decode.reader import decode
from crossmedia.retrieval.query import Filters, Query

DEPTH, SHALLOW = 1000, 100
"""How far a ranking is read where many things are right, and where few are."""
CHUNK = 64

Tell = Callable[[str], None]


@dataclass(frozen=True)
class TaskResult:
    """A task's per-query figures, in the order of its queries; `ranks` of the first right answer, 0 where there was
    none."""

    task: str
    fingerprint: str
    gallery: int
    ranks: tuple[int, ...]
    measures: dict[str, tuple[float, ...]]


def by_engine(service: Service, task: Task, room: Path, tell: Tell) -> TaskResult:
    """Index the gallery and search it with the cut-off off."""
    collection, keys = index_gallery(service, task, room, tell)
    located: dict[str, list[str]] = {}
    for x in service.runtime.store.located(collection):
        located.setdefault(x.asset, []).append(keys[x.source.location])
    filters = Filters(media=(task.medium,), collection=collection)

    several = max(len(asked.relevant) for asked in task.queries) > 10
    depth = min(DEPTH if several else SHALLOW, max(10, 4 * len(keys)))

    def ask(asked: TaskQuery) -> list[str]:
        query = replace(build_query(service, asked, filters, depth), group=True)
        ranking = [key for hit in service.searching.search(query).hits for key in located[hit.asset]]
        return [key for key in ranking if asked.path is None or key != str(asked.path)]

    tell(f"{task.name}: asking {len(task.queries)}")
    return _result(task, [ask(asked) for asked in task.queries])


def index_gallery(service: Service, task: Task, room: Path, tell: Tell) -> tuple[str, dict[str, str]]:
    """Index a task's gallery, once: the collection is named by its content. Returns its name, and each location's
    key."""
    collection = "eval-" + hashlib.sha256("\n".join(t.key for t in task.gallery).encode()).hexdigest()[:12]
    files = {target.key: target.path or _transcribe(target, room / collection) for target in task.gallery}
    tell(f"{task.name}: indexing {len(files)}")
    service.indexing.index(list(files.values()), collection)
    service.indexing.enrich(only=["transcript"])
    return collection, {str(path.resolve()): key for key, path in files.items()}


def build_query(service: Service, asked: TaskQuery, filters: Filters, k: int) -> Query:
    """The query of a task, without cut-off and without folding."""
    return Query(
        texts=(asked.text,) if asked.text else (),
        examples=(service.searching.example(asked.path),) if asked.path else (),
        filters=filters,
        k=k,
        min_relevance=0,
        fold=False,
    )


def by_matrix(profile: Profile, task: Task, tell: Tell) -> TaskResult:
    """Cosines between the encoders' own vectors, in the native space of like and like, else in the common one."""
    medium = _query_medium(task)
    tell(f"{task.name}: encoding")
    space = {"picture": "picture", "sound": "sound", "text": "text"}[_modality(task.medium)]
    space = space if _modality(medium) == _modality(task.medium) else "common"
    targets = _encode(profile, _modality(task.medium), [t.path or str(t.text) for t in task.gallery], space)
    queries = _encode(profile, _modality(medium), [q.path or str(q.text) for q in task.queries], space)
    if known := profile.calibrations.get((space, _modality(medium), _modality(task.medium))):
        queries = known.compared(queries)
    names = [t.key for t in task.gallery]
    rankings = []
    for asked, row in zip(task.queries, queries, strict=True):
        order = np.argsort(-(targets @ row), kind="stable")
        rankings.append([names[i] for i in order if asked.path is None or names[i] != str(asked.path)])
    return _result(task, rankings)


def applies_to_matrix(profile: Profile, task: Task) -> bool:
    """Whether both sides have an encoder into one space; speech needs its transcript, which is the engine's."""
    sides = {_modality(_query_medium(task)), _modality(task.medium)}
    if "sound" in sides and profile.sound is None:
        return False
    if sides == {"sound"}:
        return True
    return not ("sound" in sides and "common" not in {s.name for s in profile.sound.spaces}) if profile.sound else True


def _result(task: Task, rankings: Sequence[Sequence[str]]) -> TaskResult:
    pairs = list(zip(rankings, [q.relevant for q in task.queries], strict=True))
    measures = {
        **{f"R@{k}": tuple(metrics.success_at(r, right, k) for r, right in pairs) for k in (1, 5, 10)},
        "MRR": tuple(metrics.reciprocal_rank(r, right) for r, right in pairs),
        "mAP": tuple(metrics.average_precision(r, right) for r, right in pairs),
        "nDCG@10": tuple(metrics.ndcg_at(r, dict.fromkeys(right, 1.0), 10) for r, right in pairs),
        "P@10": tuple(metrics.precision_at(r, right, 10) for r, right in pairs),
    }
    ranks = tuple(metrics.first_rank(r, right) or 0 for r, right in pairs)
    return TaskResult(task.name, task.fingerprint, len(task.gallery), ranks, measures)


def _transcribe(target: Target, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (hashlib.sha256(target.key.encode()).hexdigest()[:16] + ".txt")
    if not path.exists():
        path.write_text(str(target.text), encoding="utf-8")
    return path


def _query_medium(task: Task) -> Medium:
    asked = task.queries[0]
    if asked.path is None:
        return "text"
    from crossmedia.indexer.decode.sniff import sniff

    return sniff(asked.path)[0]


def _modality(medium: Medium) -> Modality:
    return "picture" if medium in ("image", "video") else "sound" if medium == "audio" else "text"


def _encode(profile: Profile, modality: Modality, items: Sequence[Path | str], space: str) -> Vectors:
    parts: list[Vectors] = []
    for start in range(0, len(items), CHUNK):
        batch = items[start : start + CHUNK]
        encoding: Encoding
        if modality == "text":
            encoding = profile.text.encode([str(item) for item in batch])
        elif modality == "picture":
            encoding = profile.picture.encode([c for c in _contents(batch) if isinstance(c, Picture)])
        else:
            assert profile.sound is not None
            encoding = profile.sound.encode([c for c in _contents(batch) if isinstance(c, Waveform)])
        parts.append(encoding.vectors[space])
    return np.concatenate(parts)


def _contents(items: Sequence[Path | str]) -> list[object]:
    return [decode(Path(item)).content for item in items]
