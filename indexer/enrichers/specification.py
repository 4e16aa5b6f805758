"""How a pass declares itself: what it writes, what it needs, when it runs, and how it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from crossmedia.embeddings.label_kinds import LabelSource

if TYPE_CHECKING:
    from crossmedia.embeddings.catalog import Catalog
    from crossmedia.embeddings.profile import Profile
    from crossmedia.embeddings.vad import VoiceDetector
    from crossmedia.indexer.enrichers.base import Enricher
    from crossmedia.indexer.hashes.hashers import Hashers
    from crossmedia.indexer.provenance.reader import ProvenanceReader
    from crossmedia.retrieval.store import Store
    from crossmedia.retrieval.vocabularies.folder import Vocabularies

Default: TypeAlias = Literal["on", "off", "installed"]
Switch: TypeAlias = Literal["faces", "indications"]
"""Settings that turn passes on."""


class PassContext(Protocol):
    """What passes are built from, each made when it is first asked for: a pass that looks at files of no collection
    asks for neither `profile` nor `store`."""

    @property
    def catalog(self) -> Catalog: ...

    @property
    def threads(self) -> int:
        """Processor threads a network uses."""

    @property
    def profile(self) -> Profile:
        """The encoders as the collection wants them."""

    @property
    def voiced(self) -> VoiceDetector:
        """Where somebody speaks."""

    @property
    def store(self) -> Store: ...

    @property
    def vocabularies(self) -> Vocabularies:
        """Lists of names that pictures are labelled with."""

    @property
    def hashers(self) -> Hashers: ...

    @property
    def provenance(self) -> ProvenanceReader: ...


@dataclass(frozen=True)
class Package:
    """A package that a pass imports as `module`, and the command that brings it."""

    name: str
    module: str
    install: str


@dataclass(frozen=True, kw_only=True)
class PassSpec(LabelSource):
    """A pass before it is built.

    `name` is what `--without` and `enrich --only` take, `summary` a line for people; `labels`: kinds it writes;
    `spaces`: of the vectors it writes, which the profile must have; `packages`, `models` (ids of model cards): without
    one of them it cannot run; `after`: passes whose result it reads.

    By `default` a pass runs (`on`), only where it is named (`off`), or where its packages are (`installed`); `switch`
    is a setting that turns one on that is off. `build` makes the enricher, and imports what is heavy; `version` names
    what else of a collection it is made from: where that changes, it is made again.
    """

    name: str
    summary: str
    build: Callable[[PassContext], Enricher]
    spaces: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()
    models: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    default: Default = "on"
    switch: Switch | None = None
    version: Callable[[PassContext], str] = lambda context: ""
