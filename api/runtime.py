"""What every use case is built from: settings, store, models, decoders and queue over one data directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmedia.api.exchange import require_finished
from crossmedia.api.parts import Parts
from crossmedia.api.profiles import load_pointer, load_profile
from crossmedia.api.queues import open_queue
from crossmedia.api.relocation import follow_move
from crossmedia.api.settings import Settings
from crossmedia.api.stores import NoCollection, has_store, open_store, place
from crossmedia.api.upload_record import UploadRecord
from crossmedia.api.uploads import Uploads
from crossmedia.embeddings.align import applied_heads, apply_heads
from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.heads import Heads
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.banks.matching import Matcher
from crossmedia.retrieval.banks.store import BankStore
from crossmedia.retrieval.calibration import refresh
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.store import NotFound, Store
from crossmedia.retrieval.vocabularies.folder import Vocabularies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmedia.embeddings.pointing import Pointer
    from crossmedia.embeddings.vad import VoiceDetector
    from crossmedia.indexer.decode.pool import DecodePool
    from crossmedia.indexer.enrichers.base import Enricher
    from crossmedia.indexer.hashes.hashers import Hashers
    from crossmedia.indexer.provenance.reader import ProvenanceReader
    from crossmedia.indexer.queue import Queue


VOCABULARIES: Final = "vocabularies"
"""The pass over what people have written lists of names for; it has nothing to do where nobody has."""
SIGHT: Final = "sight"
"""The pass that sees pictures by the profile's teacher; it has nothing to do where there is none."""
EXAMPLES: Final = 2
"""Files to search by that are decoded at once."""


class Ambiguous(CrossmediaError):
    """The beginning of an id fits several assets."""

    code = "ambiguous_id"
    status = 409


class Runtime:
    """Parts are built when they are first used: a search by words opens no decoder. Thread-safe.

    What follows from the collection's own encoders (profile, engine, enrichers) is built anew once the collection has
    been reindexed, by whichever process.
    """

    def __init__(self, settings: Settings, processes: int = 1) -> None:
        """`processes`: how many such as this one share the machine's memory."""
        require_finished(settings.data)
        self.settings = settings
        self._processes = processes
        self.catalog = Catalog(settings.models, settings.allow_hub)
        self.uploads = Uploads(settings.data / "uploads", settings.max_upload_bytes, settings.reserve_bytes)
        self.heads = Heads(settings.data / "heads")
        self.vocabularies = Vocabularies(settings.data / "vocabularies")
        self._parts = Parts()

    @property
    def store(self) -> Store:
        def build() -> Store:
            opened = open_store(self.settings)
            try:
                follow_move(opened, self.uploads, self.upload_record)
            except BaseException:
                opened.close()
                raise
            return opened

        return self._parts.get("store", build)

    @property
    def upload_record(self) -> UploadRecord:
        """What was deleted of uploads, and where they lie."""
        return self._parts.get("upload record", lambda: UploadRecord(self.settings.data))

    @property
    def base_profile(self) -> Profile:
        """The encoders without any head."""
        return self._parts.get("base profile", lambda: load_profile(self.settings, self.catalog))

    @property
    def profile(self) -> Profile:
        """The encoders that made the collection's vectors, heads included."""
        revision = self._revision()

        def build() -> Profile:
            return apply_heads(self.base_profile, [self.heads.load(name) for name in applied_heads(revision)])

        return self._parts.get("profile", build, revision)

    @property
    def pointer(self) -> Pointer:
        """What points at words in pictures. Raises CannotPoint, ModelMissing."""
        return self._parts.get("pointer", lambda: load_pointer(self.settings, self.catalog, self.base_profile))

    @property
    def engine(self) -> Engine:
        """Raises SpaceMismatch where the models that are installed are not the collection's."""
        profile = self.profile
        self.store.bind(profile.spaces.values())
        return self._parts.get(
            "engine", lambda: Engine(self.store, profile, self.vocabularies.said), profile.spaces[COMMON].revision
        )

    @property
    def pool(self) -> DecodePool:
        """Decoders of what is indexed."""
        from crossmedia.indexer.decode.pool import DecodePool

        return self._parts.get("pool", lambda: DecodePool(self.settings.decode_workers, memory=self._decoder_memory))

    @property
    def short_pool(self) -> DecodePool:
        """The decoder of short jobs, which so wait for no long one."""
        from crossmedia.indexer.decode.pool import DecodePool

        return self._parts.get("short pool", lambda: DecodePool(1, memory=self._decoder_memory))

    @property
    def example_pool(self) -> DecodePool:
        """The decoders of what is searched with: behind an ingest in the other pool they would wait for minutes, and a
        single one behind a file that it cannot finish."""
        from crossmedia.indexer.decode.pool import DecodePool

        return self._parts.get("example pool", lambda: DecodePool(EXAMPLES, memory=self._decoder_memory))

    @property
    def jobs(self) -> Queue:
        return self._parts.get("jobs", lambda: open_queue(self.settings))

    @property
    def bank_store(self) -> BankStore:
        """Hashes of known content, whether or not there is a collection."""
        return self._parts.get("banks", lambda: BankStore(self.settings.data))

    @property
    def matcher(self) -> Matcher:
        """Looks hashes up in the banks."""
        return self._parts.get("matcher", lambda: Matcher(self.bank_store))

    @property
    def hashers(self) -> Hashers:
        """Makes hashes of files."""
        from crossmedia.indexer.hashes.hashers import Hashers

        return self._parts.get("hashers", lambda: Hashers(self._decoder_memory))

    @property
    def provenance(self) -> ProvenanceReader:
        """Reads where files say that they come from."""
        from crossmedia.indexer.provenance.reader import ProvenanceReader

        def build() -> ProvenanceReader:
            return ProvenanceReader(self.settings.trust_anchors, self._decoder_memory)

        return self._parts.get("provenance reader", build)

    @property
    def threads(self) -> int:
        """Processor threads a network uses."""
        return self.settings.threads

    @property
    def voiced(self) -> VoiceDetector:
        """Where somebody speaks."""
        return self.base_profile.detector

    def enricher_names(self, only: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
        """Of the passes that are to run, whether or not they can; raises UnknownEnricher."""
        from crossmedia.indexer.enrichers.registry import select

        names = select(self.settings.switches, only, (*without, *self.settings.without))
        return [name for name in names if name in only or self.idle(name) is None]

    def idle(self, name: str) -> str | None:
        """The command that would give a pass something to do which has nothing to do here, '' where there is none; None
        for one that has."""
        if name == VOCABULARIES and not self.vocabularies.used:
            return ""
        if name == SIGHT:
            return self._without_teacher()
        return None

    def _without_teacher(self) -> str | None:
        if self.settings.sight != "both" or self.settings.profile == "clip":
            return ""
        try:
            return CLIP_B16.install if self.base_profile.sight is None else None
        except CrossmediaError:
            return ""  # what needs the encoders says why they cannot be loaded

    def enrichers(self, only: Sequence[str] = (), without: Sequence[str] = ()) -> tuple[list[Enricher], list[str]]:
        """The passes that can run, built; and a line for each that cannot, with the command that mends it."""
        from crossmedia.indexer.enrichers.registry import build_all

        return build_all(self.enricher_names(only, without), self._enricher)

    def _enricher(self, name: str) -> Enricher:
        from crossmedia.indexer.enrichers.registry import build, passes

        # Where there is no collection, none is made: some passes look at files of none.
        version = (self._revision(), passes()[name].declared.version(self)) if self.has_collection else None
        return self._parts.get(("enricher", name), lambda: build(name, self), version)

    @property
    def has_collection(self) -> bool:
        # Once the store is open there is one, or a write is about to make it.
        return self._parts.holds("store") or has_store(self.settings)

    def require_collection(self) -> None:
        """Raises NoCollection where nothing was ever indexed, so that looking makes no store."""
        if not self.has_collection:
            hint = "crossmedia index FOLDER, or name another folder with --data"
            raise NoCollection(f"nothing is indexed in {place(self.settings)}", hint)

    def resolve(self, prefix: str) -> str:
        """The asset whose id starts so; raises NotFound or Ambiguous."""
        matching = self.store.find(prefix.lower()) if prefix else []
        if not matching:
            raise NotFound(f"no asset {prefix}", "crossmedia search --json prints ids")
        if len(matching) > 1:
            raise Ambiguous(f"{prefix} fits {len(matching)} assets or more", "use more characters of the id")
        return matching[0]

    def settle_store(self) -> None:
        """After a large write: bring indexes into shape, and measure anew what random pairs score."""
        self.store.optimise()
        refresh(self.store, self.profile)

    def close(self) -> None:
        self._parts.close()

    @property
    def _decoder_memory(self) -> int:
        """Bytes that one process that decodes may hold."""
        from crossmedia.indexer.decode.memory import BESIDE, share

        return share((self.settings.decode_workers + BESIDE) * self._processes)

    def _revision(self) -> str:
        """Of the collection's common space; it names the heads its vectors were made with."""
        common = self.store.spaces().get(COMMON)
        return common.revision if common else ""
