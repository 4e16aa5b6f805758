"""What the service builds its passes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossmedia.api.service import Service
    from crossmedia.embeddings.catalog import Catalog
    from crossmedia.embeddings.profile import Profile
    from crossmedia.embeddings.vad import Detector
    from crossmedia.indexer.hashes.hashers import Hashers
    from crossmedia.indexer.provenance.reader import ProvenanceReader
    from crossmedia.retrieval.store import Store


@dataclass(frozen=True)
class PassParts:
    """A `PassContext` over the service: nothing is opened before a pass asks for it."""

    service: Service

    @property
    def catalog(self) -> Catalog:
        return self.service.catalog

    @property
    def threads(self) -> int:
        return self.service.settings.threads

    @property
    def profile(self) -> Profile:
        return self.service.profile

    @property
    def voiced(self) -> Detector:
        return self.service.base.detector

    @property
    def store(self) -> Store:
        return self.service.store

    @property
    def hashers(self) -> Hashers:
        return self.service.banks.hashers

    @property
    def provenance(self) -> ProvenanceReader:
        return self.service.trust.reader
