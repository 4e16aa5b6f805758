"""Known content: banks of hashes, and what of a file, a hash or an indexed asset is in them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel

from crossmedia.api.runtime import Runtime
from crossmedia.api.use_cases.moderation import Moderation
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.decode.errors import Unreadable
from crossmedia.indexer.hashes.digests import digests
from crossmedia.indexer.hashes.hashed import Hashed
from crossmedia.retrieval.banks.hashes import Hash, HashKind, kind_of, readings
from crossmedia.retrieval.banks.indexed import Copy, copies, hashes_of
from crossmedia.retrieval.banks.store import Action, Bank, HashEntry
from crossmedia.retrieval.banks.table import BankTable, write_csv, write_lists
from crossmedia.retrieval.store import NotFound


class NothingToBank(CrossmediaError):
    """Something has no hash that could be compared, or not of the kinds that are wanted."""

    code = "nothing_to_bank"
    status = 422


class TwoKinds(CrossmediaError):
    """A hash could be of two kinds."""

    code = "bad_hash"
    status = 422


Form: TypeAlias = Literal["csv", "list"]


class HashOut(BaseModel):
    """`quality`: of PDQ; below 50 it is not compared. `start`: the second of a video's key frame."""

    kind: HashKind
    hash: str
    quality: int | None
    start: float | None


class MatchOut(BaseModel):
    """An entry of a bank. `distance`: PDQ in bits of 256 (up to 31), TLSH its own (up to 30), Chromaprint the share of
    bits (up to 0.1), the others 0. `action`: what the bank wants done. `hash` is the bank's, `looked_up` yours."""

    bank: str
    action: Action
    kind: HashKind
    distance: float
    quality: int | None
    hash: str
    looked_up: str
    start: float | None
    tags: str


class Lookup(BaseModel):
    """`notes`: what could not be compared, and why."""

    hashes: list[HashOut]
    matches: list[MatchOut]
    notes: list[str]
    took_ms: float


class BankOut(BaseModel):
    name: str
    action: Action
    enabled: bool
    hashes: dict[str, int]
    created: float


class CopyOut(BaseModel):
    """A moment of the collection; of the bytes of a whole file `moment` is null."""

    asset: str
    path: str
    moment: str | None
    start: float | None
    kind: HashKind
    hash: str
    known: str
    distance: float
    quality: int | None


class Banked(BaseModel):
    """What was banked: `added` are new; `indexed` is what of the collection matches the hashes."""

    bank: str
    added: int
    hashes: list[str]
    indexed: list[CopyOut]
    notes: list[str]


class FaultOut(BaseModel):
    """A line of a table that could not be read, and why."""

    line: int
    reason: str


class Loaded(BaseModel):
    """A table that was read into a bank: `added` are new; `other`: lines of other categories."""

    bank: str
    read: int
    added: int
    other: int
    faults: list[FaultOut]
    indexed: list[CopyOut]


class KnownContent:
    """Banks lie in the data directory, beside the collection and independent of it."""

    def __init__(self, runtime: Runtime, moderation: Moderation) -> None:
        self._runtime = runtime
        self._moderation = moderation
        self.store = runtime.bank_store

    def lookup(self, what: str) -> Lookup:
        """A hash (`KIND:HASH`, or as its form tells; 64 digits are looked up as PDQ and as SHA-256), or an indexed
        asset by the beginning of its id. Raises NotFound, BadHash, Ambiguous."""
        return self._compare(*self._read(what))

    def lookup_hash(self, text: str) -> Lookup:
        """As `lookup`, a hash only; raises BadHash."""
        return self._compare([Hashed(hashed) for hashed in readings(text) or [Hash.parse(text)]], [])

    def lookup_asset(self, asset: str) -> Lookup:
        """By the hashes that the collection keeps, no file is read. Raises NotFound, Ambiguous."""
        return self._compare(*self._stored_hashes(asset))

    def lookup_file(self, path: Path) -> Lookup:
        """A file that need not be indexed, and is not by this. One that cannot be decoded is compared by its bytes."""
        return self._compare(*self._hash_file(path))

    def list_banks(self) -> list[BankOut]:
        """Every bank, by name; `created` in Unix time."""
        return [_bank_out(bank) for bank in self.store.banks()]

    def create(self, name: str, action: str = "review") -> BankOut:
        """Raises BadBank, BankTaken."""
        return _bank_out(self.store.create(name, action))

    def switch(self, name: str, enabled: bool) -> BankOut:
        """Raises NotFound."""
        return _bank_out(self.store.switch(name, enabled))

    def add(
        self, bank: str, what: Sequence[str | Path], kinds: Sequence[str] = (), tags: str = "", *, crops: bool = False
    ) -> Banked:
        """Bank the hashes of files (paths), of indexed assets, or hashes themselves (words): all or none. `kinds`: only
        these; `crops`: picture files also as they are without 5 and 10 % of their sides.

        Raises NotFound, BadHash, Ambiguous, NothingToBank; what decoding raises is among the notes.
        """
        wanted = {kind_of(kind) for kind in kinds}
        self.store.bank(bank)
        hashes: dict[Hash, None] = {}
        notes: list[str] = []
        for one in what:
            hashed, remarks = self._hash(one, crops)
            kept = [h.hash for h in hashed if h.hash.comparable and h.hash.kind in (wanted or {h.hash.kind})]
            if not kept:
                reasons = "; ".join(remarks or ["it has no hash of these kinds"])
                raise NothingToBank(f"{one} cannot be banked: {reasons}", "give another file, or a hash")
            hashes |= dict.fromkeys(kept)
            notes += remarks
        added = self.store.add(bank, [HashEntry(known, " ".join(tags.split())) for known in hashes])
        copies = self._judge_copies(hashes)
        return Banked(bank=bank, added=added, hashes=[str(known) for known in hashes], indexed=copies, notes=notes)

    def load(self, bank: str, path: Path, kind: HashKind | None = None, *, skip_bad: bool = False) -> Loaded:
        """Read a table into a bank, in one transaction: unless `skip_bad`, one broken line and nothing is written.

        Raises NotFound, BankUnreadable, Unreadable.
        """
        before = self.store.last()
        try:
            with path.open("rb") as stream:
                reading = BankTable(stream, kind, skip_bad)
                added = self.store.add(bank, reading)
        except OSError as error:
            raise Unreadable(
                f"{path} cannot be read: {error.strerror}", "check the path and its permissions"
            ) from error
        fresh = (entry.hash for entry in self.store.entries(bank, before)) if added else ()
        return Loaded(
            bank=bank,
            read=reading.entries,
            added=added,
            other=reading.other,
            faults=[FaultOut(line=fault.line, reason=fault.reason) for fault in reading.faults],
            indexed=self._judge_copies(fresh),
        )

    def export(self, bank: str, form: Form = "csv") -> Iterator[str]:
        """Line by line: `csv` as threatexchange writes it, `list` as hasher-matcher-actioner reads it. Raises
        NotFound."""
        name = self.store.bank(bank).name
        entries = self.store.entries(name)
        return write_csv(name, entries) if form == "csv" else write_lists(entries)

    def matches(self, bank: str) -> list[CopyOut]:
        """What of the collection is near any hash of a bank, enabled or not. Raises NotFound."""
        self.store.bank(bank)
        return self._copies(entry.hash for entry in self.store.entries(bank))

    def _hash(self, what: str | Path, crops: bool) -> tuple[list[Hashed], list[str]]:
        """The hashes of a file, an indexed asset, or the one that is written out; and remarks on them."""
        if isinstance(what, Path):
            return self._hash_file(what, crops)
        hashes, notes = self._read(what)
        if len({hashed.hash.kind for hashed in hashes}) == 2 and len({h.hash.value for h in hashes}) == 1:
            kinds = " or ".join(hashed.hash.kind for hashed in hashes)
            raise TwoKinds(f"{what} can be {kinds}", f"say which: {hashes[0].hash}")
        return hashes, notes

    def _read(self, what: str) -> tuple[list[Hashed], list[str]]:
        """A hash that is written out, or those of an asset."""
        if ":" not in what and self._runtime.has_collection and self._runtime.store.find(what.lower()):
            return self._stored_hashes(what)
        hashes = readings(what)
        if not hashes:
            raise NotFound(
                f"{what[:80]!r} is neither a file nor a hash nor an indexed asset",
                "name a file, KIND:HASH, or an asset's id",
            )
        return [Hashed(hashed) for hashed in hashes], []

    def _stored_hashes(self, asset: str) -> tuple[list[Hashed], list[str]]:
        """What the collection keeps of an asset."""
        self._runtime.require_collection()
        store, name = self._runtime.store, self._runtime.resolve(asset)
        kept = [Hashed(known, start) for known, start in hashes_of(name, store.moments(name))]
        lacking = "the collection keeps no other hash of it: crossmedia enrich --only hashes"
        return kept, [] if len(kept) > 1 else [lacking]

    def _hash_file(self, path: Path, crops: bool = False) -> tuple[list[Hashed], list[str]]:
        try:
            whole = [Hashed(digest) for digest in digests(path)]
        except OSError as error:
            raise Unreadable(f"{path} cannot be read: {error.strerror}", "check its permissions") from error
        hashers = self._runtime.hashers
        try:
            decoded = self._runtime.example_pool.submit(path).result()
            hashes, notes = hashers.of(decoded, path)
            hashes += hashers.crops(decoded) if crops else []
        except CrossmediaError as error:
            return whole, [f"only its bytes are compared: {error.message}"]
        return [*whole, *hashes], notes

    def _compare(self, hashes: list[Hashed], notes: list[str]) -> Lookup:
        started = time.perf_counter()
        matches = self._runtime.matcher.match(hashed.hash for hashed in hashes)
        starts = {hashed.hash: hashed.start for hashed in reversed(hashes)}
        return Lookup(
            hashes=[
                HashOut(kind=h.hash.kind, hash=h.hash.value, quality=h.hash.quality, start=h.start) for h in hashes
            ],
            matches=[
                MatchOut(
                    bank=one.bank,
                    action=one.action,
                    kind=one.known.kind,
                    distance=_distance(one.distance),
                    quality=one.quality,
                    hash=one.known.value,
                    looked_up=one.looked_up.value,
                    start=starts.get(one.looked_up),
                    tags=one.tags,
                )
                for one in matches
            ],
            notes=notes,
            took_ms=round(1000 * (time.perf_counter() - started), 2),
        )

    def _judge_copies(self, hashes: Iterable[Hash]) -> list[CopyOut]:
        """What of the collection is near; the policy is applied to it."""
        copies = self._copies(hashes)
        self._moderation.judge(list({copy.asset: None for copy in copies}))
        return copies

    def _copies(self, hashes: Iterable[Hash]) -> list[CopyOut]:
        if not self._runtime.has_collection:
            return []
        store = self._runtime.store
        near = copies(store, hashes)
        placed = store.placed(list({one.asset for one in near}))
        return [_copy_out(one, placed[one.asset][1][0].path) for one in near if placed.get(one.asset, ((), ()))[1]]


def _bank_out(bank: Bank) -> BankOut:
    return BankOut(
        name=bank.name, action=bank.action, enabled=bank.enabled, hashes=dict(bank.hashes), created=bank.created
    )


def _copy_out(copy: Copy, path: str) -> CopyOut:
    return CopyOut(
        asset=copy.asset,
        path=path,
        moment=copy.moment,
        start=copy.start,
        kind=copy.own.kind,
        hash=copy.own.value,
        known=copy.known.value,
        distance=_distance(copy.distance),
        quality=copy.own.quality,
    )


def _distance(distance: float) -> float:
    """Bits are whole numbers."""
    return int(distance) if distance.is_integer() else round(distance, 4)
