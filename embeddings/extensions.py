"""What other packages add: the objects behind their entry points, each loaded once a process."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Generic, Protocol, TypeVar

from crossmedia.embeddings.errors import CrossmediaError

PASSES: Final = "crossmedia.passes"
ENCODERS: Final = "crossmedia.encoders"
ANSWERERS: Final = "crossmedia.answerers"
DECODERS: Final = "crossmedia.decoders"
OWN: Final = "crossmedia"
"""The package of what is not foreign."""
log = logging.getLogger(OWN)


class ExtensionConflict(CrossmediaError):
    """Two packages declare something of one name."""

    code = "extension_conflict"
    status = 500


class ExtensionBroken(CrossmediaError):
    """What a package declares cannot be used."""

    code = "extension_broken"
    status = 503


class HasName(Protocol):
    """What can be registered."""

    @property
    def name(self) -> str: ...


DeclaredT = TypeVar("DeclaredT")
NamedT = TypeVar("NamedT", bound=HasName)


@dataclass(frozen=True)
class Extension(Generic[DeclaredT]):
    """A declaration, and who makes it: `crossmedia`, or a package with its version and the entry point."""

    declared: DeclaredT
    package: str

    @property
    def foreign(self) -> bool:
        return self.package != OWN


@dataclass(frozen=True)
class Extensions(Generic[DeclaredT]):
    """What foreign packages declare in one group, by the names of their entry points; `notes`: a line for each entry
    point that cannot be used."""

    usable: tuple[Extension[DeclaredT], ...]
    notes: tuple[str, ...]


def extensions(group: str, kind: type[DeclaredT]) -> Extensions[DeclaredT]:
    """What is declared in a group of entry points; whatever is no `kind` is noted and left out."""
    usable: list[Extension[DeclaredT]] = []
    notes: list[str] = []
    for package, loaded in _load_all(group):
        if isinstance(loaded, kind):
            usable.append(Extension(loaded, package))
        elif isinstance(loaded, _Failure):
            notes.append(f"{package} is left out: {loaded.reason}")
        else:
            notes.append(f"{package} is left out: it declares no {kind.__name__}")
    return Extensions(tuple(usable), tuple(notes))


def collect(own: Iterable[NamedT], foreign: Extensions[NamedT]) -> dict[str, Extension[NamedT]]:
    """Everything by its name, our own first. Raises ExtensionConflict."""
    registry: dict[str, Extension[NamedT]] = {}
    for extension in (*(Extension(one, OWN) for one in own), *foreign.usable):
        name = extension.declared.name
        if name in registry:
            raise ExtensionConflict(
                f"{name!r} is declared by {registry[name].package} and by {extension.package}",
                "uninstall one of the two, or have its author choose another name",
            )
        registry[name] = extension
    return registry


@contextmanager
def blaming(extension: Extension[Any]) -> Iterator[None]:
    """Runs code of an extension: what a foreign one raises unforeseen becomes ExtensionBroken, which names it."""
    try:
        yield
    except (CrossmediaError, MemoryError):
        raise
    except Exception as error:
        if not extension.foreign:
            raise
        log.exception("%s failed", extension.package)
        reason = f"{extension.package} failed: {type(error).__name__}: {error}"
        raise ExtensionBroken(reason, "tell its author, or uninstall it") from error


@dataclass(frozen=True)
class _Failure:
    reason: str


@cache
def _load_all(group: str) -> tuple[tuple[str, object], ...]:
    return tuple((_describe(point), _load(point)) for point in sorted(entry_points(group=group)))


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        # A foreign module may raise anything when it is imported.
        failure = _Failure(f"{type(error).__name__}: {error}")
        log.warning("%s is left out: %s", _describe(point), failure.reason)
        log.debug("where it failed", exc_info=True)
        return failure


def _describe(point: EntryPoint) -> str:
    package = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"
    return f"{package} ({point.name} = {point.value})"
