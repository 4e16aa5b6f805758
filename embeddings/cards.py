"""Model cards: what each model is, its licence, files and sources, read from `cards.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from typing import Any, Final, Literal, TypeAlias

from crossmedia.embeddings.encoder import Space

ModelKind: TypeAlias = Literal["bundled", "models", "pulled", "package", "hub"]


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: its name within the model's folder, SHA-256 in hex, bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class ModelSource:
    """A place to take a model from. `where`: `package/folder` of an installed package, several of them with commas
    between that hold a model in parts (`NAME.part1`, …), or a repository of the hub."""

    kind: ModelKind
    where: str = ""


@dataclass(frozen=True)
class ModelWheel:
    """A package whose wheel holds a model: the file `member` in it, its SHA-256 in hex, bytes."""

    package: str
    version: str
    member: str
    sha256: str
    size: int


@dataclass(frozen=True)
class ModelCard:
    """What a model is. `dim` is the length of its vectors, None where it gives none; `install` the command that
    brings it; `sources` are tried in order; `optional`: only a setting asks for it; `wheel`: what `pull` makes it
    from."""

    id: str
    task: str
    licence: str
    dim: int | None
    revision: str
    files: tuple[ModelFile, ...]
    sources: tuple[ModelSource, ...]
    title: str
    install: str
    optional: bool = False
    wheel: ModelWheel | None = None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read_cards(text: str) -> tuple[ModelCard, ...]:
    """The cards of a TOML file, in its order. Raises ValueError, which names the card, for a key that is unknown or
    missing, and for an id that stands there twice."""
    cards: dict[str, ModelCard] = {}
    for number, table in enumerate(tomllib.loads(text)["model"], start=1):
        name = table.get("id", f"number {number}")
        values = {
            **table,
            "dim": table.get("dim"),
            "files": tuple(_build(ModelFile, each, name) for each in table.get("files", ())),
            "sources": tuple(_build(ModelSource, each, name) for each in table.get("sources", ())),
            "wheel": _build(ModelWheel, table["wheel"], name) if "wheel" in table else None,
        }
        if name in cards:
            raise ValueError(f"the model card {name!r} stands there twice")
        cards[name] = _build(ModelCard, values, name)
    return tuple(cards.values())


def _build(kind: type[Any], values: Mapping[str, Any], card: str) -> Any:
    known = {field.name for field in fields(kind)}
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    if wrong := (values.keys() - known) | (needed - values.keys()):
        raise ValueError(f"the model card {card!r} has or lacks {', '.join(sorted(wrong))}")
    return kind(**values)


CARDS: Final = read_cards(resources.files(__package__).joinpath("cards.toml").read_text(encoding="utf-8"))
_BY_ID: Final = {card.id: card for card in CARDS}
MINILM: Final = _BY_ID["minilm-l6-v2"]
LITE2: Final = _BY_ID["lite2"]
SOUND: Final = _BY_ID["sound-tower"]
VOICE: Final = _BY_ID["ge2e"]
OBJECTS: Final = _BY_ID["yolox-nano"]
AREAS: Final = _BY_ID["areas"]
FACES: Final = _BY_ID["yunet"]
FACE: Final = _BY_ID["dlib-face"]
FORGERY: Final = _BY_ID["mesoinception-4"]
SPOOF: Final = _BY_ID["aasist-l"]
TAGGER: Final = _BY_ID["mn04-audioset"]
VISUAL_ANSWERS: Final = _BY_ID["visual-answers"]
WHISPER: Final = _BY_ID["whisper-tiny.en"]
CLIP_B16: Final = _BY_ID["clip-b16"]
CLIP_B16_WORDS: Final = _BY_ID["clip-b16-words"]
WHISPER_BASE: Final = _BY_ID["whisper-base"]
OCR: Final = _BY_ID["ppocr-v6"]
VAD: Final = _BY_ID["silero-vad"]
NUDITY: Final = _BY_ID["nudenet"]

STUDENT: Final = _BY_ID["clip-b16-student"]
UNIVERSAL: Final = _BY_ID["universal"]
UNIVERSAL_WORDS: Final = _BY_ID["universal-words"]

_TOWERS: Final = (MINILM, CLIP_B16_WORDS, UNIVERSAL_WORDS, CLIP_B16, LITE2, STUDENT, SOUND)
COMMON: Final = Space(
    "common",
    514,
    CLIP_B16.id,
    "+".join(card.revision for card in _TOWERS),
    "the towers' own",
    extra=2,
)
"""CLIP ViT-B/16's space with two dimensions more (`query_bank.py`): whatever sees, hears or reads gives this."""
