"""Data sets as tasks: a gallery, and queries with what is right in it. A small adapter each."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Medium
from crossmedia.embeddings.train.sound_kinds import URBAN
from crossmedia.eval.datasets import classes, flickr8k, spoken_captions, things
from crossmedia.eval.languages import language_tasks
from crossmedia.eval.task import Target, Task, TaskQuery

SOUND_NAMES: Final = {
    "Dog bark": "dog barking",
    "Rain": "rain falling",
    "Sea waves": "sea waves",
    "Baby cry": "baby crying",
    "Clock tick": "clock ticking",
    "Person sneeze": "person sneezing",
    "Helicopter": "helicopter",
    "Chainsaw": "chainsaw",
    "Rooster": "rooster crowing",
    "Fire crackling": "fire crackling",
}
URBAN_NAMES: Final = tuple("dog barking" if name == "dog bark" else name for name in URBAN)


class UnknownDataset(CrossmediaError):
    """Neither a known data set nor a folder of a known form."""

    code = "unknown_dataset"
    status = 422


def add_crowd(task: Task, folders: Sequence[Path]) -> Task:
    """The task with all pictures of these folders in its gallery, if it looks for pictures; none of them is right."""
    from crossmedia.indexer.decode.sniff import picture_mime, read_head

    if task.medium != "image" or not folders:
        return task
    more = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size)
    beside = {target.path for target in task.gallery}
    unrelated = tuple(
        Target(str(path), path=path) for path in more if path not in beside and picture_mime(read_head(path))
    )
    return replace(task, name=f"{task.name}, {len(unrelated)} others", gallery=(*task.gallery, *unrelated))


def caption_tasks(name: str, captions: dict[Path, tuple[str, ...]]) -> list[Task]:
    """Pictures with captions: text → image over the pictures, image → text over the captions."""
    pictures = tuple(Target(str(path), path=path) for path in captions)
    keyed = [(path, f"{path.stem}#{i}", text) for path, texts in captions.items() for i, text in enumerate(texts)]
    own = _own(keyed)
    return [
        Task(
            f"{name}: text → image",
            "image",
            pictures,
            tuple(TaskQuery(frozenset([str(p)]), text=text) for p, _, text in keyed),
        ),
        Task(
            f"{name}: image → text",
            "text",
            tuple(Target(key, text=text) for _, key, text in keyed),
            tuple(TaskQuery(own[path], path=path) for path in captions),
        ),
    ]


def class_tasks(
    name: str, medium: Medium, files: dict[Path, str], names: dict[str, str], by_example: int = 120
) -> list[Task]:
    """Files of classes: words for a class → files (its bare name too, where that differs), file → class name, and file
    → files of its class (a seeded sample of queries)."""
    gallery = tuple(Target(str(path), path=path) for path in files)
    members: dict[str, set[str]] = {}
    for path, kind in files.items():
        members.setdefault(kind, set()).add(str(path))
    sample = random.Random(0).sample(sorted(files), min(by_example, len(files)))
    what = "sound" if medium == "audio" else medium
    alike = [TaskQuery(frozenset(members[files[p]] - {str(p)}), path=p) for p in sample if len(members[files[p]]) > 1]
    bare = tuple(TaskQuery(frozenset(keys), text=kind) for kind, keys in members.items())
    tasks = [
        Task(
            f"{name}: text → {what}",
            medium,
            gallery,
            tuple(TaskQuery(frozenset(keys), text=names.get(kind, kind)) for kind, keys in members.items()),
        ),
        Task(
            f"{name}: {what} → text",
            "text",
            tuple(Target(f"class:{kind}", text=names.get(kind, kind)) for kind in members),
            tuple(TaskQuery(frozenset([f"class:{files[p]}"]), path=p) for p in sample),
        ),
        Task(f"{name}: {what} → {what} by class", medium, gallery, tuple(alike)),
    ]
    # What a data set calls its classes is seldom how people ask; both are worth knowing where they differ.
    differ = any(names.get(kind, kind) != kind for kind in members)
    return [*tasks, Task(f"{name}: class name → {what}", medium, gallery, bare)] if differ else tasks


def known_datasets(data: Path, room: Path) -> dict[str, Callable[[], list[Task]]]:
    """The data sets that lie beside the checkout or in Debian packages, by name. `room`: where drawings are written to.

    The built-in sound tower learned from esc10: how it does on clips it has not heard is in the card `sound.md`.
    """
    return {
        "flickr8k": lambda: caption_tasks("flickr8k dev", flickr8k(data / "flickr8k", "dev").captions),
        "things": lambda: _thing_tasks(data, room),
        "spoken_captions": lambda: _spoken_tasks(data),
        "esc10": lambda: class_tasks("esc10", "audio", classes(data / "esc10"), dict(SOUND_NAMES)),
        "urbansound8k": lambda: class_tasks("urbansound8k", "audio", _urban(data / "urbansound8k"), {}),
        **language_tasks(data, room),
    }


def open_tasks(spec: str, data: Path, room: Path) -> list[Task]:
    """A known name, or a folder: with `captions.csv` (columns image, caption), or of folders that are classes."""
    if spec in known_datasets(data, room):
        return known_datasets(data, room)[spec]()
    folder = Path(spec)
    if (folder / "captions.csv").is_file():
        captions: dict[Path, list[str]] = {}
        with (folder / "captions.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if not row.get("image") or not row.get("caption"):
                    raise UnknownDataset(f"{folder}/captions.csv lacks a column", "its header must be image,caption")
                captions.setdefault(folder / row["image"], []).append(row["caption"])
        return caption_tasks(folder.name, {path: tuple(texts) for path, texts in captions.items()})
    if folder.is_dir() and (files := classes(folder)):
        from crossmedia.indexer.decode.sniff import sniff

        return class_tasks(folder.name, sniff(next(iter(files)))[0], files, {})
    raise UnknownDataset(
        f"no data set {spec!r}",
        f"known: {', '.join(known_datasets(data, room))}; or a folder with captions.csv, or with class folders",
    )


def _own(keyed: Iterable[tuple[Path, str, str]]) -> dict[Path, frozenset[str]]:
    keys_of: dict[Path, set[str]] = {}
    for path, key, _ in keyed:
        keys_of.setdefault(path, set()).add(key)
    return {path: frozenset(keys) for path, keys in keys_of.items()}


def _spoken_tasks(data: Path) -> list[Task]:
    """Recordings of captions: speech → the photo, its own text → the photo, text → the recording."""
    spoken = spoken_captions(data / "spoken_captions")
    photo = {path: data / "flickr8k" / "images" / f"{path.stem}.jpg" for path in spoken}
    pictures = set(flickr8k(data / "flickr8k", "dev").captions) | set(photo.values())
    gallery = tuple(Target(str(path), path=path) for path in sorted(pictures))
    recordings = tuple(Target(str(path), path=path) for path in spoken)
    return [
        Task(
            "spoken captions: speech → image",
            "image",
            gallery,
            tuple(TaskQuery(frozenset([str(photo[p])]), path=p) for p in spoken),
        ),
        Task(
            "spoken captions: their text → image",
            "image",
            gallery,
            tuple(TaskQuery(frozenset([str(photo[p])]), text=t) for p, t in spoken.items()),
        ),
        Task(
            "spoken captions: text → speech",
            "audio",
            recordings,
            tuple(TaskQuery(frozenset([str(p)]), text=t) for p, t in spoken.items()),
        ),
    ]


def _thing_tasks(data: Path, room: Path) -> list[Task]:
    """Clip art and emoji whose names were kept from training: a name → the pictures that bear it, a picture → its
    name."""
    drawn = things(data / "flickr8k", room / "things")
    bearing: dict[str, set[str]] = {}
    for key, (name, _) in drawn.items():
        bearing.setdefault(name, set()).add(key)
    return [
        Task(
            "things: text → image",
            "image",
            tuple(Target(key, path=path) for key, (_, path) in drawn.items()),
            tuple(TaskQuery(frozenset(keys), text=name) for name, keys in bearing.items()),
        ),
        Task(
            "things: image → text",
            "text",
            tuple(Target(f"name:{name}", text=name) for name in bearing),
            tuple(TaskQuery(frozenset([f"name:{name}"]), path=path) for name, path in drawn.values()),
        ),
    ]


def _urban(folder: Path) -> dict[Path, str]:
    """The second number of a file's name is its class. Every third clip: to hear all would take as long as all other
    sets."""
    return {path: URBAN_NAMES[int(path.stem.split("-")[1])] for path in sorted(folder.glob("fold*/*.ogg"))[::3]}
