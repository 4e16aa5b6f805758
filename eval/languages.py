"""Data sets in other languages as tasks: photos by what people wrote of them, emoji by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from crossmedia.embeddings.train import translations
from crossmedia.eval.datasets import flickr8k, things
from crossmedia.eval.task import Target, Task, TaskQuery

WRITTEN: Final = ("zh", "ar")
"""Languages in which people wrote of every photo of Flickr8k themselves."""
TRANSLATED: Final = ("de", "fr")
"""Languages into which Multi30K translates a sentence of half of them."""
NAMED: Final = ("en", "zh", "de", "es", "fr", "ja", "ru", "ar")


def language_tasks(data: Path, room: Path) -> dict[str, Callable[[], list[Task]]]:
    """By the name of the data set. `room`: where drawings are written to."""
    photos = {f"flickr8k-{language}": partial(photo_tasks, data, language) for language in (*WRITTEN, *TRANSLATED)}
    return {**photos, "emoji": partial(emoji_tasks, data, room)}


def photo_tasks(data: Path, language: str) -> list[Task]:
    """Sentences in a language → the photo they tell of, among the 500 of Flickr8k's dev split."""
    photos = {path.name: path for path in flickr8k(data / "flickr8k", "dev").captions}
    said: Iterable[tuple[str, str]]
    if language in WRITTEN:
        captions = translations.captions(data, "dev")[language]
        said = [(name, text) for name, texts in captions.items() for text in texts]
    else:
        translated = translations.translated_captions(data, "dev")[language]
        said = [(name, each.text) for name, each in translated]
    queries = tuple(TaskQuery(frozenset([str(photos[name])]), text=text) for name, text in said if name in photos)
    gallery = tuple(Target(str(path), path=path) for path in photos.values())
    return [Task(f"flickr8k dev, {language}: text → image", "image", gallery, queries)]


def emoji_tasks(data: Path, room: Path) -> list[Task]:
    """Emoji whose names were kept from training: a name in each language → its picture."""
    drawn = things(data / "flickr8k", room / "things")
    written = translations.emoji_names()
    glyph_of = {name: glyph for glyph, name in written["en"].items()}
    shown = {glyph_of[name]: key for key, (name, _) in drawn.items() if name in glyph_of}
    gallery = tuple(Target(key, path=drawn[key][1]) for key in shown.values())
    tasks = []
    for language in NAMED:
        bearing: dict[str, set[str]] = {}
        for glyph, key in shown.items():
            if glyph in written[language]:
                bearing.setdefault(written[language][glyph], set()).add(key)
        queries = tuple(TaskQuery(frozenset(keys), text=name) for name, keys in bearing.items())
        tasks.append(Task(f"emoji, {language}: name → image", "image", gallery, queries))
    return tasks
