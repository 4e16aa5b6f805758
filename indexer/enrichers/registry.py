"""The registry of passes, ours and those of other packages: which there are, which run, and how to build one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.errors import CrossmediaError, DependencyMissing
from crossmedia.embeddings.extensions import (
    PASSES,
    Extension,
    ExtensionBroken,
    ExtensionConflict,
    Extensions,
    blaming,
    collect,
    extensions,
)
from crossmedia.indexer.enrichers import (
    abuse,
    descriptions,
    faces,
    forgery,
    hashes,
    nudity,
    object_crops,
    objects,
    ocr,
    paragraphs,
    plates,
    segmentation,
    sight,
    sounds,
    speakers,
    spoof,
    transcript,
    trust,
    vocabularies,
)
from crossmedia.indexer.enrichers.base import Enricher, Incomplete
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec, Switch

OUR_PASSES: Final = tuple(
    module.PASS
    for module in (
        transcript,
        speakers,
        sounds,
        sight,
        objects,
        object_crops,
        segmentation,
        faces,
        ocr,
        plates,
        descriptions,
        hashes,
        trust,
        nudity,
        abuse,
        forgery,
        spoof,
        paragraphs,
        vocabularies,
    )
)


class UnknownEnricher(CrossmediaError):
    """There is no pass of that name."""

    code = "unknown_enricher"
    status = 422


@cache
def passes() -> Mapping[str, Extension[PassSpec]]:
    """Every pass by its name, in the order in which they look at an asset. Raises ExtensionConflict where two have one
    name, or wait for each other."""
    return MappingProxyType(order_passes(collect(OUR_PASSES, foreign_passes())))


def pass_names() -> tuple[str, ...]:
    """In the order in which they look at an asset."""
    return tuple(passes())


def require(names: Collection[str]) -> None:
    """Raises UnknownEnricher."""
    for name in names:
        if name not in passes():
            raise UnknownEnricher(f"no enricher {name!r}", f"there are: {', '.join(passes())}")


def select(switches: Collection[Switch], only: Sequence[str] = (), without: Collection[str] = ()) -> list[str]:
    """The names of the passes that are to run: those in `only`, or else those that run by default or by one of the
    `switches` that are on; none of `without`. Raises UnknownEnricher."""
    require((*only, *without))
    return [
        name
        for name, extension in passes().items()
        if name not in without and (name in only if only else _runs(extension.declared, switches))
    ]


def build(name: str, context: PassContext) -> Enricher:
    """The pass of that name, ready to run. Raises DependencyMissing or ModelMissing where something it needs is absent,
    and ExtensionBroken where a foreign one fails."""
    extension = passes()[name]
    spec = extension.declared
    for error in absent(spec, context.catalog):
        raise error
    with blaming(extension):
        enricher = spec.build(context)
        built = enricher.name, tuple(enricher.after)
    if built != (spec.name, spec.after):
        raise ExtensionBroken(
            f"{extension.package} declares the pass {spec.name!r} after {spec.after}, and builds {built[0]!r} after "
            f"{built[1]}",
            "both have to agree",
        )
    lacking = [space for space in spec.spaces if space not in context.profile.spaces]
    if lacking:
        raise ExtensionBroken(
            f"{extension.package} writes to {', '.join(lacking)}, spaces that the profile {context.profile.name} lacks",
            f"there are: {', '.join(context.profile.spaces)}",
        )
    return enricher


def absent(spec: PassSpec, catalog: Catalog) -> Iterator[CrossmediaError]:
    """Why a pass cannot run here, one package or model after the other; the hints are the commands that bring them."""
    for package in spec.packages:
        if find_spec(package.module) is None:
            yield DependencyMissing(f"{package.name} is not installed", package.install)
    for model in spec.models:
        try:
            catalog.resolve(model)
        except CrossmediaError as error:
            yield error


def build_all(names: Sequence[str], build_one: Callable[[str], Enricher]) -> tuple[list[Enricher], list[str]]:
    """The passes that can run; and a line for each that cannot, or not wholly, with what mends it, and for each
    entry point that cannot be used."""
    built: list[Enricher] = []
    notes = list(foreign_passes().notes)
    for name in names:
        try:
            enricher = build_one(name)
        except CrossmediaError as error:
            notes.append(f"{name} is left out: {error.message}; {error.hint}")
            continue
        built.append(enricher)
        missing = enricher.missing if isinstance(enricher, Incomplete) else ()
        if missing:
            reasons = ", ".join(error.message for error in missing)
            hints = "; ".join(dict.fromkeys(error.hint for error in missing))
            notes.append(f"{name} is not whole: {reasons}; {hints}")
    return built, notes


def order_passes(specs: Mapping[str, Extension[PassSpec]]) -> dict[str, Extension[PassSpec]]:
    """Each pass behind those that it reads, else as given. Raises ExtensionConflict where passes wait for each
    other."""
    waiting, order = dict(specs), dict[str, Extension[PassSpec]]()
    while waiting:
        ready = next((name for name, one in waiting.items() if not waiting.keys() & set(one.declared.after)), None)
        if ready is None:
            who = " and ".join(f"{name} of {one.package}" for name, one in waiting.items())
            raise ExtensionConflict(f"passes wait for each other: {who}", "uninstall one of them")
        order[ready] = waiting.pop(ready)
    return order


def foreign_passes() -> Extensions[PassSpec]:
    """Those of other packages."""
    return extensions(PASSES, PassSpec)


def _runs(spec: PassSpec, switches: Collection[Switch]) -> bool:
    if spec.default == "installed":
        return all(find_spec(package.module) is not None for package in spec.packages)
    return spec.default == "on" or spec.switch in switches
