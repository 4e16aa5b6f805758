"""Aligned heads in a folder: `NAME-REVISION.npz` with the numbers, `NAME-REVISION.json`, the card, with everything
else."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossmedia.embeddings.align import Head, Residual, arrays, head_fields
from crossmedia.embeddings.encoder import Calibration, Space
from crossmedia.embeddings.errors import CrossmediaError, ModelCorrupt

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.]{0,39}")


class NoHead(CrossmediaError):
    """There is no head of that name."""

    code = "no_head"
    status = 404


class BadHeadName(CrossmediaError):
    """A name that could not stand in a file name and in a space's revision."""

    code = "bad_head_name"
    status = 422


@dataclass(frozen=True)
class Card:
    """What is told of a head without reading its numbers. `details`: figures, counts and hash of its pairs, date."""

    name: str
    revision: str
    modality: str
    space: str
    made: str
    details: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{self.name}@{self.revision}"


class Heads:
    """The heads of one collection. Both files are written beside and renamed, the card last: it is what makes a head
    count."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def cards(self) -> list[Card]:
        """All of them, the oldest first."""
        cards = []
        for path in sorted(self.folder.glob("*.json")):
            if path.with_suffix(".npz").is_file():
                content = _read_card(path)
                cards.append(
                    Card(
                        content["name"],
                        content["revision"],
                        content["modality"],
                        content["native"]["name"],
                        content["made"],
                        content,
                    )
                )
        return sorted(cards, key=lambda card: (card.made, card.id))

    def find(self, name: str) -> Card:
        """By `NAME@REVISION` or the beginning of it, or the newest called NAME. Raises NoHead."""
        cards = self.cards()
        fits = [card for card in cards if card.name == name] or [
            card for card in cards if "@" in name and card.id.startswith(name)
        ]
        if not fits:
            known = ", ".join(card.id for card in cards) or "none yet"
            raise NoHead(f"no head {name}", f"there are: {known}")
        return fits[-1]

    def load(self, name: str) -> Head:
        """Raises NoHead, or ModelCorrupt where the files are not what their revision says."""
        card = self.find(name)
        path = self._path(card.id)
        content = _read_card(path.with_suffix(".json"))
        try:
            with np.load(path, allow_pickle=False) as stored:
                parts = {key: stored[key].astype(np.float32) for key in stored.files}
            calibration = Calibration.from_dict(content["background"]) if content["background"] else None
            head = Head(
                content["name"],
                content["modality"],
                Space(**content["native"]),
                Space(**content["common"]),
                Residual(
                    **parts,
                    low=content["gate"][0],
                    high=content["gate"][1],
                    strength=content["strength"],
                    lift=content["lift"],
                ),
                calibration,
            )
            revision = head.revision
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ModelCorrupt(f"{path} cannot be read: {error}", _AGAIN) from error
        if revision != card.revision:
            raise ModelCorrupt(f"{path} is not the head {card.id}", _AGAIN)
        return head

    def save(self, head: Head, details: Mapping[str, Any]) -> Card:
        """`details`: `made` (ISO 8601) and what else the card shall say. A head that exists is written again."""
        check_name(head.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(head.id)
        partial = path.with_name(f".{path.name}.partial")
        with partial.open("wb") as file:
            np.savez(file, **arrays(head.residual))  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        card = {"name": head.name, "revision": head.revision, **head_fields(head), **details}
        beside = path.with_name(f".{path.stem}.json.partial")
        beside.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(path.with_suffix(".json"))
        return self.find(head.id)

    def remove(self, name: str) -> Card:
        """Raises NoHead."""
        card = self.find(name)
        path = self._path(card.id)
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        return card

    def _path(self, head: str) -> Path:
        return self.folder / head_files(head)[0]


_AGAIN: Final = "train it again on the same pairs, or take it off the collection"


def head_files(head: str) -> tuple[str, str]:
    """Names of the files of NAME@REVISION: its numbers and its card."""
    stem = head.replace("@", "-")
    return f"{stem}.npz", f"{stem}.json"


def check_name(name: str) -> None:
    """Raises BadHeadName."""
    if not NAME.fullmatch(name):
        raise BadHeadName(
            f"{name!r} cannot be the name of a head", "small letters, digits, dots and underscores, at most 40"
        )


def _read_card(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if {
            "name",
            "revision",
            "modality",
            "native",
            "common",
            "gate",
            "strength",
            "lift",
            "background",
            "made",
        } <= set(content):
            return content
        reason = "something is missing in it"
    except (OSError, ValueError, TypeError) as error:
        reason = str(error)
    raise ModelCorrupt(f"{path} is no card of a head: {reason}", _AGAIN)
