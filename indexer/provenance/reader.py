"""Read all provenance of a file in a process that can be killed."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded, Limits
from crossmedia.indexer.decode.errors import Unreadable
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.decode.sniff import read_head, sniff
from crossmedia.indexer.provenance import c2pa, iptc, parameters
from crossmedia.indexer.provenance.facts import Fact, Provenance, merge_facts
from crossmedia.indexer.provenance.fields import fields

ACCEPTS: Final[tuple[Medium, ...]] = ("image", "video", "audio")
_NAME: Final = "provenance"


class ProvenanceReader:
    """Reads files in a process of its own, which starts with the first. Without c2pa-python it reads the rest, and
    `missing` tells what would be needed."""

    def __init__(self, anchors: Path | None = None, memory: int | None = None) -> None:
        """`anchors`: a file of certificates in PEM; `memory`: bytes that the process may hold. Raises `Unreadable`
        where the file cannot be read."""
        self._memory = memory
        self.missing: tuple[DependencyMissing, ...] = ()
        own = f"{iptc.BY}+{parameters.BY}"
        try:
            self.model = f"c2pa-{c2pa.version()}+{own}"
        except DependencyMissing as error:
            self.missing = (error,)
            self.model = own
        try:
            self._anchors = anchors.read_text("ascii") if anchors else ""
        except (OSError, ValueError) as error:
            raise Unreadable(
                f"{anchors} cannot be read: {error}", "CROSSMEDIA_TRUST_ANCHORS names a PEM file"
            ) from error
        if anchors and "BEGIN CERTIFICATE" not in self._anchors:
            raise Unreadable(f"{anchors} holds no certificate", "CROSSMEDIA_TRUST_ANCHORS names a PEM file")
        if anchors:
            # With others the same manifest is of somebody else.
            self.model += f"+anchors-{sha256(self._anchors.encode()).hexdigest()[:8]}"
        self._pool: DecodePool | None = None

    def __call__(self, path: Path) -> Provenance:
        """Raises `Unreadable`, `EmptyFile`, `DecodeTimeout` and `DecodeCrashed`; damaged files say what is left of
        them."""
        if self._pool is None:
            self._pool = DecodePool(1, read=partial(read_provenance, anchors=self._anchors), memory=self._memory)
        provenance: Provenance = self._pool.submit(path).result().metadata[_NAME]
        return provenance

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def read_provenance(path: Path, limits: Limits, progress: Progress = ignore_progress, anchors: str = "") -> Decoded:
    """Takes the place of `decode` in a worker: no content, what was found in the metadata."""
    read_head(path)
    facts: list[Fact] = []
    notes: tuple[str, ...] = ()
    manifest = None
    try:
        media = sniff(path)[0]
    except Exception as error:
        # What is too damaged to be known may hold a manifest all the same.
        media, notes = "image", (f"{error}",)
    if find_spec("c2pa"):
        signed = c2pa.read_manifest(path, anchors)
        facts += signed.facts
        manifest, notes = signed.manifest, (*notes, *signed.notes)
    texts, packets = fields(path, media, limits)
    for packet in packets:
        facts += iptc.facts(packet)
        for tool in iptc.tools(packet):
            facts += parameters.facts({"CreatorTool": tool})
    facts += parameters.facts(texts)
    return Decoded("text", "", (), metadata={_NAME: Provenance(merge_facts(facts), manifest, notes)})
