"""The vocabulary of labels: which kinds there are, and how each is searched, offered and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from crossmedia.embeddings.extensions import OWN, PASSES, Extension, ExtensionConflict, extensions


@dataclass(frozen=True, kw_only=True)
class LabelKind:
    """A kind of label. `name` is what is stored, filtered by and named in a policy, `title` what stands above its
    values.

    `said`: people say its values in a query, which then finds them; `facet`: its values are offered beside what a
    search finds; `recognised`: they are listed on the page of an asset; `unique`: there are about as many values as
    files, so they are listed only for whoever names the kind; `ruled`: a policy may name it; `values`: the closed set
    of them in lower case, None where anything can be one.
    """

    name: str
    title: str
    said: bool = False
    facet: bool = False
    recognised: bool = True
    unique: bool = False
    ruled: bool = True
    values: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class LabelSource:
    """What writes labels. A kind may be one of several sources', if all say the same of it."""

    labels: tuple[LabelKind, ...] = ()


OBJECT: Final = LabelKind(name="object", title="Things", said=True, facet=True)
AREA: Final = LabelKind(name="area", title="Surroundings", said=True, facet=True)
TEXT: Final = LabelKind(name="text", title="Writing", unique=True)
PLATE: Final = LabelKind(name="plate", title="Plates")
PERSON: Final = LabelKind(name="person", title="People", said=True, facet=True)
FACES: Final = LabelKind(name="faces", title="Faces")
SPEAKER: Final = LabelKind(name="speaker", title="Speakers", said=True, facet=True)
SOUND: Final = LabelKind(name="sound", title="Sounds", said=True, facet=True)
MOTION: Final = LabelKind(name="motion", title="How much moves")
CAMERA: Final = LabelKind(name="camera", title="Camera")
MOVING: Final = LabelKind(name="moving", title="What moves where")
NUDITY: Final = LabelKind(name="nudity", title="Nakedness", values=frozenset(("exposed",)))
ABUSE: Final = LabelKind(name="abuse", title="Abuse", values=frozenset(("words",)))
FORGERY: Final = LabelKind(name="forgery", title="Signs of forgery", values=frozenset(("face", "track")))
SPOOF: Final = LabelKind(name="spoof", title="Signs of synthesis", values=frozenset(("speech",)))
TRUST: Final = LabelKind(
    name="trust",
    title="Trust",
    facet=True,
    recognised=False,
    values=frozenset(
        "generated,edited,composite,captured,signed,signer unknown,signature invalid,manifest unreadable".split(",")
    ),
)
SIGNER: Final = LabelKind(name="signer", title="Signed by", recognised=False)
GENERATOR: Final = LabelKind(name="generator", title="Made with", recognised=False)
SOURCE_TYPE: Final = LabelKind(name="source-type", title="Declared source", recognised=False)
TRACK: Final = LabelKind(name="track", title="What is followed", recognised=False)
REGION: Final = LabelKind(name="region", title="Parts of pictures", recognised=False)
LANGUAGE: Final = LabelKind(name="language", title="Languages", recognised=False)
SCENE: Final = LabelKind(name="scene", title="Scenes", recognised=False)
TRANSITION: Final = LabelKind(name="transition", title="Transitions", recognised=False)
CHAPTER: Final = LabelKind(name="chapter", title="Chapters", recognised=False)
HASH: Final = LabelKind(name="hash", title="Hashes", recognised=False, unique=True, ruled=False)
FORGOTTEN: Final = LabelKind(name="forgotten", title="Forgotten faces", recognised=False, ruled=False)

OUR_KINDS: Final = (
    OBJECT,
    AREA,
    TEXT,
    PLATE,
    PERSON,
    FACES,
    SPEAKER,
    SOUND,
    MOTION,
    CAMERA,
    MOVING,
    NUDITY,
    ABUSE,
    FORGERY,
    SPOOF,
    TRUST,
    SIGNER,
    GENERATOR,
    SOURCE_TYPE,
    TRACK,
    REGION,
    LANGUAGE,
    SCENE,
    TRANSITION,
    CHAPTER,
    HASH,
    FORGOTTEN,
)
"""In the order in which people see them."""


@cache
def known_kinds() -> Mapping[str, LabelKind]:
    """Every kind by its name: ours, and those of installed passes. Raises ExtensionConflict where two declare one
    differently."""
    kinds = {kind.name: Extension(kind, OWN) for kind in OUR_KINDS}
    for source in extensions(PASSES, LabelSource).usable:
        for kind in source.declared.labels:
            known = kinds.setdefault(kind.name, Extension(kind, source.package))
            if known.declared != kind:
                raise ExtensionConflict(
                    f"the kind of label {kind.name!r} is declared by {known.package} and otherwise by {source.package}",
                    "uninstall one of the two, or have its author use the same declaration or another name",
                )
    return MappingProxyType({name: extension.declared for name, extension in kinds.items()})


def kind_named(name: str) -> LabelKind:
    """The kind of that name; a collection may hold labels of a pass that is no longer installed."""
    return known_kinds().get(name) or LabelKind(name=name, title=name)


@cache
def said_kinds() -> tuple[str, ...]:
    """Kinds whose values people say in a query; a plate or a hash is asked for by a filter."""
    return tuple(kind.name for kind in known_kinds().values() if kind.said)
