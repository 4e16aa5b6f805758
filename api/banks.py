"""Known content over the service: banks of hashes, and what of a file, a hash or an indexed asset is in them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.decode.errors import Unreadable
from crossmedia.indexer.hashes.digests import digests
from crossmedia.indexer.hashes.hashed import Hashed
from crossmedia.retrieval.banks.hashes import Hash, HashKind, kind_of, readings
from crossmedia.retrieval.banks.indexed import Copy, copies, hashes_of
from crossmedia.retrieval.banks.matching import Found, Matcher
from crossmedia.retrieval.banks.store import Bank, BankStore, Entry
from crossmedia.retrieval.banks.table import Reading, listed, written
from crossmedia.retrieval.store import NotFound

if TYPE_CHECKING:
    from crossmedia.api.service import Service
    from crossmedia.indexer.hashes.hashers import Hashers


class NothingToBank(CrossmediaError):
    """Something has no hash that could be compared, or not of the kinds that are wanted."""

    code = "nothing_to_bank"
    status = 422


class TwoKinds(CrossmediaError):
    """A hash could be of two kinds."""

    code = "bad_hash"
    status = 422


Form: TypeAlias = Literal["csv", "list"]


@dataclass(frozen=True)
class Known:
    """What is known of something: its hashes, the entries of banks that are near, and what could not be compared and
    why."""

    hashes: list[Hashed]
    found: list[Found]
    notes: list[str]
    took_ms: float

    def as_dict(self) -> dict[str, Any]:
        shown = {hashed.hash: hashed.start for hashed in reversed(self.hashes)}
        return {
            "hashes": [
                {"kind": h.hash.kind, "hash": h.hash.value, "quality": h.hash.quality, "start": h.start} for h in self.hashes
            ],
            "matches": [
                {
                    "bank": one.bank, "action": one.action, "kind": one.known.kind, "distance": _number(one.distance),
                    "quality": one.quality, "hash": one.known.value, "looked_up": one.looked_up.value,
                    "start": shown.get(one.looked_up), "tags": one.tags,
                }
                for one in self.found
            ],
            "notes": self.notes,
            "took_ms": round(self.took_ms, 2),
        }  # fmt: skip


class Banks:
    """Banks lie in the data directory, beside the collection and independent of it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.store = BankStore(service.settings.data)
        self._matcher = Matcher(self.store)

    def lookup(self, what: str) -> Known:
        """A hash (`KIND:HASH`, or as its form tells; 64 digits are looked up as PDQ and as SHA-256), or an indexed
        asset by the beginning of its id. Raises NotFound, BadHash, Ambiguous."""
        if ":" not in what and self._service.has_collection and self._service.store.find(what.lower()):
            return self.lookup_asset(what)
        hashes = readings(what)
        if not hashes:
            raise NotFound(
                f"{what[:80]!r} is no file, no hash and no indexed asset", "name a file, KIND:HASH, or an asset's id"
            )
        return self._known([Hashed(hashed) for hashed in hashes], [])

    def lookup_hash(self, text: str) -> Known:
        """As `lookup`, a hash only; raises BadHash."""
        return self._known([Hashed(hashed) for hashed in readings(text) or [Hash.told(text)]], [])

    def lookup_asset(self, asset: str) -> Known:
        """By the hashes that the collection keeps, no file is read. Raises NotFound, Ambiguous."""
        self._service.require_collection()
        store, name = self._service.store, self._service.resolve(asset)
        found = [Hashed(hashed, start) for hashed, start in hashes_of(store, name)]
        told = [] if len(found) > 1 else ["the collection keeps no other hash of it: crossmedia enrich --only hashes"]
        return self._known(found, told)

    def lookup_file(self, path: Path) -> Known:
        """A file that need not be indexed, and is not by this. One that cannot be decoded is compared by its bytes."""
        return self._known(*self._hashed(path))

    def listed(self) -> list[dict[str, Any]]:
        """Every bank: `name`, `action`, `enabled`, `hashes` of each kind, `created` (Unix time)."""
        return [bank_json(bank) for bank in self.store.banks()]

    def create(self, name: str, action: str = "review") -> dict[str, Any]:
        """Raises BadBank, BankTaken."""
        return bank_json(self.store.create(name, action))

    def switch(self, name: str, enabled: bool) -> dict[str, Any]:
        """Raises NotFound."""
        return bank_json(self.store.switch(name, enabled))

    def add(
        self, bank: str, what: Sequence[str | Path], kinds: Sequence[str] = (), tags: str = "", *, crops: bool = False
    ) -> dict[str, Any]:
        """Bank the hashes of files, indexed assets, or hashes themselves: all or none. `kinds`: only these; `crops`:
        picture files also as they are without 5 and 10 % of their sides.

        Returns `added` (new ones), `hashes`, `notes`, and in `indexed` what of the collection they match. Raises
        NotFound, BadHash, Ambiguous, NothingToBank; what decoding raises is among the notes.
        """
        wanted = {kind_of(kind) for kind in kinds}
        self.store.bank(bank)
        hashes: dict[Hash, None] = {}
        notes: list[str] = []
        for one in what:
            found, told = self._of(one, crops)
            kept = [
                hashed.hash
                for hashed in found
                if hashed.hash.comparable and hashed.hash.kind in (wanted or {hashed.hash.kind})
            ]
            if not kept:
                told = told or ["it has no hash of these kinds"]
                raise NothingToBank(
                    f"nothing of {one} can be banked: {'; '.join(told)}", "give another file, or a hash"
                )
            hashes |= dict.fromkeys(kept)
            notes += told
        added = self.store.add(bank, [Entry(hashed, " ".join(tags.split())) for hashed in hashes])
        return {
            "bank": bank, "added": added, "hashes": [str(hashed) for hashed in hashes],
            "indexed": self._judged(hashes), "notes": notes,
        }  # fmt: skip

    def load(self, bank: str, path: Path, kind: HashKind | None = None, *, skip_bad: bool = False) -> dict[str, Any]:
        """Read a table into a bank, in one transaction: unless `skip_bad`, one broken line and nothing is written.

        Returns `read`, `added` (new ones), `other` (lines of other categories), `faults` (`line`, `reason`), and
        `indexed`.
        Raises NotFound, BankUnreadable, Unreadable.
        """
        before = self.store.last()
        try:
            with path.open("rb") as stream:
                reading = Reading(stream, kind, skip_bad)
                added = self.store.add(bank, reading)
        except OSError as error:
            raise Unreadable(
                f"{path} cannot be read: {error.strerror}", "check the path and its permissions"
            ) from error
        fresh = (entry.hash for entry in self.store.entries(bank, before)) if added else ()
        return {
            "bank": bank, "read": reading.entries, "added": added, "other": reading.other,
            "faults": [{"line": fault.line, "reason": fault.reason} for fault in reading.faults],
            "indexed": self._judged(fresh),
        }  # fmt: skip

    def export(self, bank: str, form: Form = "csv") -> Iterator[str]:
        """Line by line: `csv` as threatexchange writes it, `list` as hasher-matcher-actioner reads it. Raises
        NotFound."""
        name = self.store.bank(bank).name
        entries = self.store.entries(name)
        return written(name, entries) if form == "csv" else listed(entries)

    def matches(self, bank: str) -> list[dict[str, Any]]:
        """What of the collection is near any hash of a bank, enabled or not: `asset`, `path`, `moment`, `start`,
        `kind`, `hash`, `known`, `distance`, `quality`. Raises NotFound."""
        self.store.bank(bank)
        return self._indexed(entry.hash for entry in self.store.entries(bank))

    @property
    def any_enabled(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self.store.enabled())

    def close(self) -> None:
        self.store.close()
        if "hashers" in self.__dict__:
            self.hashers.close()

    @cached_property
    def hashers(self) -> Hashers:
        from crossmedia.indexer.hashes.hashers import (
            Hashers,  # decoders and hashes of every kind: no search waits for them
        )

        return Hashers()

    def _of(self, what: str | Path, crops: bool) -> tuple[list[Hashed], list[str]]:
        if isinstance(what, Path) or Path(what).is_file():
            return self._hashed(Path(what), crops)
        known = self.lookup(what)
        if len({hashed.hash.kind for hashed in known.hashes}) == 2 and len({h.hash.value for h in known.hashes}) == 1:
            kinds = " or ".join(hashed.hash.kind for hashed in known.hashes)
            raise TwoKinds(f"{what} can be {kinds}", f"say which: {known.hashes[0].hash}")
        return known.hashes, known.notes

    def _hashed(self, path: Path, crops: bool = False) -> tuple[list[Hashed], list[str]]:
        try:
            whole = [Hashed(hashed) for hashed in digests(path)]
        except OSError as error:
            raise Unreadable(f"{path} cannot be read: {error.strerror}", "check its permissions") from error
        try:
            decoded = self._service.example_pool.submit(path).result()
            found, told = self.hashers.of(decoded, path)
            found += self.hashers.crops(decoded) if crops else []
        except CrossmediaError as error:
            return whole, [f"only its bytes are compared: {error.message}"]
        return [*whole, *found], told

    def _known(self, hashes: list[Hashed], notes: list[str]) -> Known:
        started = time.perf_counter()
        found = self._matcher.match(hashed.hash for hashed in hashes)
        return Known(hashes, found, notes, 1000 * (time.perf_counter() - started))

    def _judged(self, hashes: Iterable[Hash]) -> list[dict[str, Any]]:
        """What of the collection is near; the policy is applied to it."""
        found = self._indexed(hashes)
        self._service.moderation.judge(list({one["asset"]: None for one in found}))
        return found

    def _indexed(self, hashes: Iterable[Hash]) -> list[dict[str, Any]]:
        if not self._service.has_collection:
            return []
        store = self._service.store
        found = copies(store, hashes)
        placed = store.placed(list({one.asset for one in found}))
        return [_copy_json(one, placed[one.asset][1][0].path) for one in found if placed.get(one.asset, ((), ()))[1]]


def bank_json(bank: Bank) -> dict[str, Any]:
    return {
        "name": bank.name, "action": bank.action, "enabled": bank.enabled, "hashes": dict(bank.hashes), "created": bank.created,
    }  # fmt: skip


def _copy_json(copy: Copy, path: str) -> dict[str, Any]:
    return {
        "asset": copy.asset, "path": path, "moment": copy.moment, "start": copy.start,
        "kind": copy.own.kind, "hash": copy.own.value, "known": copy.known.value, "distance": _number(copy.distance),
        "quality": copy.own.quality,
    }  # fmt: skip


def _number(distance: float) -> float:
    """Bits are whole numbers."""
    return int(distance) if distance.is_integer() else round(distance, 4)
