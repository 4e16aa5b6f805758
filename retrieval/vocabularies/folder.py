"""The vocabularies of a collection, a text file each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.label_kinds import LabelKind, known_kinds, said_kinds
from crossmedia.retrieval.durable import write_through
from crossmedia.retrieval.partial import partial_name
from crossmedia.retrieval.vocabularies.vocabulary import NAME, BadVocabulary, Vocabulary, check_name, parse

SUFFIX: Final = ".csv"


class NoVocabulary(CrossmediaError):
    """There is no vocabulary of that name."""

    code = "no_vocabulary"
    status = 404


class Vocabularies:
    """Those of one collection. A file is written beside and renamed, so that it is whole or not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, tuple[tuple[int, int], Vocabulary | BadVocabulary]] = {}

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob(f"*{SUFFIX}") if NAME.fullmatch(path.stem))

    def load(self, name: str) -> Vocabulary:
        """Raises NoVocabulary or BadVocabulary."""
        check_name(name)
        path = self._path(name)
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            held = self._read.get(name)
            if held is None or held[0] != stamp:
                held = self._read[name] = (stamp, _read(name, path))
        except FileNotFoundError:
            raise self._absent(name) from None
        except OSError as error:
            raise BadVocabulary(f"{path} cannot be read: {error}", "allow this user to read it") from error
        if isinstance(held[1], BadVocabulary):
            raise held[1]
        return held[1]

    def all(self) -> list[Vocabulary]:
        """By their names. Raises BadVocabulary."""
        return [self.load(name) for name in self._own()]

    def save(self, vocabulary: Vocabulary) -> None:
        """In the place of one of that name. Raises BadVocabulary where it could not be read again."""
        if parse(vocabulary.name, vocabulary.text) != vocabulary:
            raise BadVocabulary(f"the vocabulary {vocabulary.name} cannot be kept as it is", "use plainer names")
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(vocabulary.name)
        partial = path.with_name(partial_name(path.name))
        partial.write_text(vocabulary.text, encoding="utf-8")
        write_through(partial)
        partial.replace(path)

    def remove(self, name: str) -> None:
        """Also one that cannot be read. Raises NoVocabulary."""
        if name not in self.names():
            raise self._absent(name)
        self._path(name).unlink(missing_ok=True)

    @property
    def used(self) -> bool:
        """Whether there is or was a vocabulary."""
        return self.folder.is_dir()

    def version(self) -> str:
        """Another one after any change. Raises BadVocabulary."""
        return ",".join(f"{vocabulary.name}@{vocabulary.revision}" for vocabulary in self.all())

    def said(self) -> tuple[str, ...]:
        """Kinds of labels whose values people say in a query: of vocabularies those with examples, since what is known
        from its name alone the vectors find better."""
        return (*said_kinds(), *(name for name in self._own() if self._has_examples(name)))

    def kinds(self) -> Mapping[str, LabelKind]:
        """Every kind of label that this collection can have: those of the passes, then one for each vocabulary."""
        own = (LabelKind(name=name, title=name, said=self._has_examples(name), facet=True) for name in self._own())
        return {**known_kinds(), **{kind.name: kind for kind in own}}

    def _own(self) -> list[str]:
        """A pass that was installed later may write labels of a vocabulary's name: that comes first."""
        return [name for name in self.names() if name not in known_kinds()]

    def _has_examples(self, name: str) -> bool:
        """Of one that cannot be read: no, and nothing fails for it; whoever labels is told."""
        try:
            return self.load(name).has_examples
        except CrossmediaError:
            return False

    def _absent(self, name: str) -> NoVocabulary:
        return NoVocabulary(f"no vocabulary {name}", f"there are: {', '.join(self.names()) or 'none'}")

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"


def _read(name: str, path: Path) -> Vocabulary | BadVocabulary:
    """What the file holds, or what is wrong with it; raises OSError."""
    try:
        return parse(name, path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        return BadVocabulary(f"{path} cannot be read: {error}", "write it as UTF-8 text")
    except BadVocabulary as error:
        return error
