"""Find the files of models on this machine and check them against their cards."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from crossmedia.embeddings.cards import CARDS, ModelCard, ModelFile, ModelSource
from crossmedia.embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing

BUNDLED: Final = Path(__file__).parent / "bundled"
"""The folder of the models that come in the package."""

ModelState: TypeAlias = Literal["ready", "missing", "corrupt"]

_verified: set[tuple[str, int, int, str]] = set()
"""(path, size, mtime, SHA-256) of files this process has hashed and found right."""


@dataclass(frozen=True)
class Status:
    """Where a model would be taken from. `size` in bytes; `source` and `path` are None where it is missing."""

    card: ModelCard
    state: ModelState
    source: str | None
    path: Path | None
    size: int
    detail: str = ""


class Catalog:
    """The cards and their resolution: bundled → models folder → pulled → installed package → hub, as each card lists
    them.

    `models_dir`: a folder with one subfolder a model id, or with the files themselves. The hub is asked only if
    `allow_hub`.
    """

    def __init__(self, models_dir: Path | None = None, allow_hub: bool = False) -> None:
        self.models_dir = models_dir
        self.allow_hub = allow_hub
        self._cards: Mapping[str, ModelCard] = {card.id: card for card in CARDS}

    def cards(self) -> tuple[ModelCard, ...]:
        """Every known model."""
        return tuple(self._cards.values())

    def card(self, model: str) -> ModelCard:
        """The card of a model id; `ModelMissing` if there is no such model."""
        if model not in self._cards:
            raise ModelMissing(f"no model is called {model!r}", f"known: {', '.join(self._cards)}")
        return self._cards[model]

    def resolve(self, model: str) -> Path:
        """The folder that holds a model's files, each checked once a process against its SHA-256.

        Raises `ModelMissing` if no source has all files, `ModelCorrupt` if one differs from its card.
        """
        card, folder = self.card(model), self.locate(model)
        for file in card.files:
            verify(card, file, folder / file.name)
        return folder

    def locate(self, model: str) -> Path:
        """The same folder with nothing in it checked, for what may never be opened. Raises `ModelMissing`."""
        card = self.card(model)
        for source in card.sources:
            folder = self._folder(card, source)
            if folder is not None:
                return folder
        raise ModelMissing(f"{card.title} ({card.id}) is not installed", self._hint(card))

    def status(self, model: str) -> Status:
        """Which source a model resolves from, without asking the hub."""
        card = self.card(model)
        for source in card.sources:
            folder = None if source.kind == "hub" else self._folder(card, source)
            if folder is None:
                continue
            size = sum((folder / file.name).stat().st_size for file in card.files)
            try:
                for file in card.files:
                    verify(card, file, folder / file.name)
            except ModelCorrupt as error:
                return Status(card, "corrupt", source.kind, folder, size, error.message)
            return Status(card, "ready", source.kind, folder, size)
        return Status(card, "missing", None, None, 0, self._hint(card))

    def _hint(self, card: ModelCard) -> str:
        return card.install if self.models_dir is None else f"{card.install}, or put its files into {self.models_dir}"

    def _folder(self, card: ModelCard, source: ModelSource) -> Path | None:
        """The folder of this source if it has all the files."""
        for folder in self._candidates(card, source):
            if all((folder / file.name).is_file() for file in card.files):
                return folder
        return None

    def _candidates(self, card: ModelCard, source: ModelSource) -> list[Path]:
        if source.kind == "bundled":
            return [BUNDLED]
        if source.kind == "models":
            return [] if self.models_dir is None else [self.models_dir / card.id, self.models_dir]
        if source.kind == "pulled":
            return [pulled_folder(card)]
        if source.kind == "package":
            places = [place for where in source.where.split(",") for place in _package_folders(where)]
            return places if "," not in source.where else [joined] if (joined := _join_parts(card, places)) else []
        return [_download(card, source.where)] if self.allow_hub else []


def _package_folders(where: str) -> list[Path]:
    """The folders of an installed package that `package/folder` names."""
    name, _, inside = where.partition("/")
    # Finding is not importing: a model package may pull in a whole framework.
    package = importlib.util.find_spec(name)
    locations = package.submodule_search_locations if package else None
    return [Path(folder) / inside for folder in locations or ()]


def pulled_folder(card: ModelCard) -> Path:
    """Where a model lies in the user's cache that was fetched or put together."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "crossmedia" / f"{card.id}@{card.revision}"


def _join_parts(card: ModelCard, places: Sequence[Path]) -> Path | None:
    """A model that packages hold in parts, since a package may only be so large: put together once, in the user's
    cache.

    None where parts are absent.
    """
    cache = pulled_folder(card)
    if all((cache / file.name).is_file() for file in card.files):
        return cache
    parts = {
        file.name: sorted(
            path for place in places for path in (*place.glob(file.name), *place.glob(f"{file.name}.part*"))
        )
        for file in card.files
    }
    if not all(parts.values()) or sum(p.stat().st_size for some in parts.values() for p in some) != card.size:
        return None
    cache.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(dir=cache.parent))
    try:
        for name, some in parts.items():
            with (room / name).open("wb") as whole:
                for part in some:
                    whole.write(part.read_bytes())
        # Whole or absent: if another process was first, its copy is as good.
        with suppress(OSError):
            room.rename(cache)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return cache


def _download(card: ModelCard, repository: str) -> Path:
    """Fetch a model's files from the hub (or its cache)."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise DependencyMissing("huggingface_hub is not installed", "pip install huggingface_hub") from error
    try:
        return Path(snapshot_download(repository, allow_patterns=[file.name for file in card.files]))
    except (OSError, ValueError) as error:
        # The hub's own errors and those of the connection are OSErrors; a malformed cache is a ValueError.
        raise ModelMissing(f"the hub did not give {repository}: {error}", card.install) from error


def verify(card: ModelCard, file: ModelFile, path: Path) -> None:
    """Compare a file with its card, once a process while it does not change. Raises `ModelCorrupt`."""
    state = path.stat()
    key = (str(path.resolve()), state.st_size, state.st_mtime_ns, file.sha256)
    if key in _verified:
        return
    if state.st_size != file.size:
        what = f"has {state.st_size} bytes instead of {file.size}"
    elif sha256(path) != file.sha256:
        what = f"does not have the SHA-256 {file.sha256[:12]}…"
    else:
        _verified.add(key)
        return
    raise ModelCorrupt(f"{path} of {card.id} {what}", f"delete it and run: {card.install}")


def sha256(path: Path) -> str:
    """Of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
