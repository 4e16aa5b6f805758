"""Vocabularies: lists of names of one's own, and the labels that pictures get from them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from crossmedia.api.full_disk import translate_full_disk
from crossmedia.api.runtime import VOCABULARIES, Runtime
from crossmedia.api.schema import ValueOut, by_kind
from crossmedia.api.use_cases.indexing import Indexing
from crossmedia.api.use_cases.moderation import Moderation
from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.retrieval.vocabularies.bundled import bundled, read_bundled
from crossmedia.retrieval.vocabularies.vocabulary import (
    MAX_BYTES,
    BadVocabulary,
    Entry,
    Vocabulary,
    parse,
)

SHOWS: Final = ("image", "video", "mesh")
"""Media of which something can be an example."""
TOP: Final = 20


class VocabularyOut(BaseModel):
    """A vocabulary: how many `labels` it has, how many of them are on something here, and those on most moments."""

    name: str
    labels: int
    seen: int
    top: list[ValueOut]


class VocabularyEntries(BaseModel):
    """A vocabulary with all of its labels."""

    name: str
    entries: tuple[Entry, ...]


class Labelling:
    """Keeps vocabularies, and labels pictures and key frames with them from their vectors: no file is read."""

    def __init__(self, runtime: Runtime, moderation: Moderation, indexing: Indexing) -> None:
        self._runtime = runtime
        self._moderation = moderation
        self._indexing = indexing

    def list_vocabularies(self) -> list[VocabularyOut]:
        """By their names. Raises BadVocabulary."""
        return [self.describe(name) for name in self._runtime.vocabularies.names()]

    def describe(self, name: str) -> VocabularyOut:
        """Raises NoVocabulary, BadVocabulary."""
        vocabulary = self._runtime.vocabularies.load(name)
        counts = self._runtime.store.count_facets([name]) if self._runtime.has_collection else []
        top = by_kind(counts, TOP).get(name, [])
        return VocabularyOut(name=name, labels=len(vocabulary.entries), seen=len(counts), top=top)

    def entries(self, name: str) -> VocabularyEntries:
        """Raises NoVocabulary."""
        return VocabularyEntries(name=name, entries=self._runtime.vocabularies.load(name).entries)

    def add_bundled(self, name: str) -> None:
        """One that comes with the package. Raises NoVocabulary."""
        self._save(read_bundled(name))

    def add_file(self, name: str, path: Path) -> None:
        """The lines of a file; an example `@PATH` lies beside it, and is indexed. Raises BadVocabulary."""
        try:
            if not path.is_file():
                known = ", ".join(bundled())
                raise BadVocabulary(f"there is no file {path}", f"name a text file; without one: {known}")
            with path.open("rb") as file:
                text = file.read(MAX_BYTES + 1).decode("utf-8")  # what is too long is told below
        except (OSError, UnicodeDecodeError) as error:
            raise BadVocabulary(f"{path} cannot be read: {error}", "write one label a line, in UTF-8") from error
        self.add(name, text, path.parent)

    def add(self, name: str, text: str, beside: Path | None = None) -> None:
        """A vocabulary as it is written, in the place of one of that name.

        An example is the beginning of an asset's id, or the path of an indexed file from the folder `beside`, where
        there is one. Raises BadVocabulary.
        """
        self._save(parse(name, text, lambda example: self._example(example, beside)))

    def remove(self, name: str) -> None:
        """Its labels go when `label` has run. Raises NoVocabulary, and BadVocabulary where the policy names it."""
        if any(rule.kind == name for rule in self._moderation.policy.rules):
            raise BadVocabulary(
                f"the policy has a rule on labels of {name}", "take it out first; without them no policy would be read"
            )
        self._runtime.vocabularies.remove(name)

    def label(
        self,
        *,
        plan: Callable[[int], None] = lambda total: None,
        advance: Callable[[float], None] = lambda seconds: None,
        stop: threading.Event | None = None,
    ) -> list[str]:
        """Label what the present vocabularies have not labelled yet; returns lines that say what could not be done."""
        if not self._runtime.has_collection:
            return []
        if VOCABULARIES in self._runtime.settings.without:
            return [f"nothing is labelled: the settings leave the pass {VOCABULARIES} out"]
        report, absent = self._indexing.enrich([VOCABULARIES], plan=plan, advance=advance, stop=stop)
        failed = [f"{one.title}: {one.error.message}" for one in report.failed if one.error]
        stopped = ["stopped before everything was labelled"] if stop is not None and stop.is_set() else []
        return [*absent, *failed, *stopped]

    def _save(self, vocabulary: Vocabulary) -> None:
        with translate_full_disk(self._runtime.settings.data):
            self._runtime.vocabularies.save(vocabulary)

    def _example(self, example: str, beside: Path | None) -> str:
        """The id of the asset that an example names."""
        self._runtime.require_collection()
        path = None if beside is None else beside / example
        try:
            seen = sha256(path) if path is not None and path.is_file() else None
        except OSError as error:
            raise BadVocabulary(f"the example {example} cannot be read: {error.strerror}", "name a picture") from error
        if seen is not None:
            asset = seen
            if asset not in self._runtime.store.placed([asset]):
                raise BadVocabulary(f"the example {example} is not indexed", "", Remedy.INDEX)
        else:
            try:
                asset = self._runtime.resolve(example)
            except CrossmediaError as error:
                raise BadVocabulary(f"there is no example {example}: {error.message}", error.hint) from error
        medium = self._runtime.store.placed([asset])[asset][0].media
        if medium not in SHOWS:
            raise BadVocabulary(f"the example {example} is no picture", f"an example is one of {', '.join(SHOWS)}")
        return asset
