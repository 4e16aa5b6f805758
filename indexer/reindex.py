"""Compute a collection's vectors anew by another head or other models, from stored data before files are read."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np

from crossmedia.embeddings.align import TO, Head, apply_heads, move_vectors, strip_heads
from crossmedia.embeddings.encoder import COMMON, IDENTITIES, UNALIGNED, Encoder, Modality, Space, Vector
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import MEDIA
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.assemble import assemble_each
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.enrichers.sight import SightEnricher
from crossmedia.indexer.originals import find_original, source_gone
from crossmedia.indexer.scan import ScannedFile
from crossmedia.retrieval.documents import ADDED, MODALITY, REVISION, Document, Label, Moment, Revision
from crossmedia.retrieval.store import Store

ASSETS_PER_TRANSACTION: Final = 64
"""Assets of one transaction."""
DECODED_AT_ONCE: Final = 8
WITHOUT: Final = "?"
"""After the version of an asset that could not be read again: the next run tries once more."""

Vectors = dict[str, Vector]


@dataclass
class ReindexReport:
    """`assets`: looked at; `moments`: got other vectors; `decoded`: files that had to be read again; `lost`: moments
    left with their words only, since their files cannot be read."""

    assets: int = 0
    moments: int = 0
    decoded: int = 0
    lost: int = 0
    failed: list[tuple[str, CrossmediaError]] = field(default_factory=list)
    finished: bool = False

    def as_dict(self) -> dict[str, Any]:
        failures = [{"asset": asset, "error": error.as_dict()} for asset, error in self.failed]
        counts = {"assets": self.assets, "moments": self.moments, "decoded": self.decoded, "lost": self.lost}
        return {**counts, "failures": failures, "finished": self.finished}


@dataclass(eq=False)
class _Work:
    """An asset on its way: its moments, what each has now, and what each shall have."""

    asset: str
    moments: list[Moment]
    have: dict[str, Vectors] = field(default_factory=dict)
    new: dict[str, Vectors] = field(default_factory=dict)
    unread: list[Moment] = field(default_factory=list)
    labels: dict[str, tuple[Label, ...]] = field(default_factory=dict)
    failed: bool = False


class Reindex:
    """Brings every asset's vectors into the spaces of `base` with `heads` on it.

    Each batch of assets is one transaction, so a crash leaves every asset as it was or as it shall be. While it is not
    finished the revision of each changing space says so, `bind` refuses the collection, and another run goes on with
    what is left.
    """

    def __init__(self, store: Store, base: Profile, heads: Sequence[Head], pool: DecodePool) -> None:
        self._store = store
        self._profile = apply_heads(base, heads)
        self._heads = {head.modality: head for head in heads}
        self._pool = pool
        self._encoders: dict[Modality, Encoder[Any]] = {
            encoder.modality: encoder for encoder in (base.text, base.picture, base.sound) if encoder is not None
        }
        self._wanted = self._profile.spaces
        spaces = [sorted(asdict(space).items()) for _, space in sorted(self._wanted.items())]
        self._version = hashlib.sha256(repr(spaces).encode()).hexdigest()[:16]
        self._held = store.spaces()
        self._changed = tuple(name for name, space in self._wanted.items() if self._held.get(name) != space)
        self._comparable = self._usable(base.spaces[COMMON])
        if COMMON in self._changed:
            self._changed = tuple(dict.fromkeys((*self._changed, UNALIGNED)))

    @property
    def needed(self) -> bool:
        """Whether any space is made otherwise than it shall be."""
        return bool(self._changed)

    def run(
        self,
        *,
        again: bool = False,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[int], None] = lambda count: None,
        stop: threading.Event | None = None,
    ) -> ReindexReport:
        """`again`: look at every asset, also where nothing has changed, for files that were out of reach."""
        report = ReindexReport()
        if not self._changed and not again:
            report.finished = True
            return report
        if not self._changed:
            self._changed = (*self._wanted, UNALIGNED)
        self._mark()
        assets = self._store.pending(REVISION, "" if again else self._version, MEDIA)
        plan(len(assets))
        for first in range(0, len(assets), ASSETS_PER_TRANSACTION):
            if stop is not None and stop.is_set():
                return report
            batch = assets[first : first + ASSETS_PER_TRANSACTION]
            self._some(batch, report)
            report.assets += len(batch)
            tell(len(batch))
        self._store.rebind(self._wanted.values())
        self._store.optimise()
        report.finished = True
        return report

    def _mark(self) -> None:
        """Say in the revisions what is going on, and keep what they said: it tells which stored vectors can be used."""
        marked = []
        for name in self._changed:
            held, wanted = self._held.get(name), self._wanted.get(name)
            if held is None or wanted is None or held == wanted:
                continue
            states = held.revision.split(TO)
            if len(states) == 1 or states[-1] != wanted.revision:
                marked.append(replace(held, revision=f"{held.revision}{TO}{wanted.revision}"))
        self._store.rebind(marked)

    def _usable(self, space: Space) -> bool:
        """Whether what the store holds of a space was made by the same model, with whatever head."""
        held = self._held.get(space.name)
        if held is None or replace(held, revision="") != replace(space, revision=""):
            return False
        return {strip_heads(state) for state in held.revision.split(TO)} == {strip_heads(space.revision)}

    def _some(self, assets: Sequence[str], report: ReindexReport) -> None:
        works = [_Work(asset, self._store.moments(asset)) for asset in assets]
        ids = [moment.id for work in works for moment in work.moments]
        stored: dict[str, Vectors] = {moment: {} for moment in ids}
        for space in {*self._wanted, UNALIGNED}:
            for moment, vector in self._store.vectors(space, ids).items():
                stored[moment][space] = vector
        for work in works:
            work.have = {moment.id: stored[moment.id] for moment in work.moments}
        for modality in get_args(Modality):
            self._from_store(modality, works)
        self._from_words(works)
        replaced = self._from_files(works, report)
        for work in works:
            self._keep_writing(work)
        if replaced:
            self._store.put(replaced, replace=True)
        self._store.revise([self._revision(work, report) for work in works])

    def _from_store(self, modality: Modality, works: Sequence[_Work]) -> None:
        """Moments whose vectors are stored as the encoder gave them go through the head; the others have to be
        encoded."""
        encoder = self._encoders.get(modality)
        needed = [space.name for space in encoder.spaces] if encoder else []
        usable = all(self._usable(space) for space in encoder.spaces) if encoder else False
        ready: list[tuple[_Work, str, Vectors]] = []
        for work in works:
            for moment in work.moments:
                if MODALITY[moment.kind] != modality:
                    continue
                have = work.have[moment.id]
                given = {**have, COMMON: have[UNALIGNED]} if UNALIGNED in have else have
                if encoder is None:
                    # Nothing can make them here; what other models made is of no use any more. Turns, faces and regions
                    # are made by enrichers, which run again when their models are others.
                    if modality in self._changed if modality in IDENTITIES else not self._comparable:
                        work.new[moment.id] = {}
                elif usable and all(space in given for space in needed):
                    ready.append((work, moment.id, given))
                else:
                    work.unread.append(moment)
        if not ready:
            return
        rows = {space: np.stack([given[space] for _, _, given in ready]) for space in needed}
        head = self._heads.get(modality)
        after = rows if head is None else move_vectors(rows, head)
        for n, (work, moment_id, _) in enumerate(ready):
            work.new[moment_id] = {space: vectors[n] for space, vectors in after.items()}
            if head is not None and COMMON in needed and np.array_equal(after[UNALIGNED][n], after[COMMON][n]):
                del work.new[moment_id][UNALIGNED]  # far from what the head learned

    def _from_words(self, works: Sequence[_Work]) -> None:
        """The words of texts and of what was said are in the store: no file is needed."""
        said: list[tuple[_Work, Moment, str]] = []
        for work in works:
            for moment in work.unread:
                if moment.kind == "paragraph" and not work.have[moment.id]:
                    continue  # of a long text: for the pass `paragraphs`, or found by its words alone
                if MODALITY[moment.kind] == "text" and (words := _words(moment)):
                    said.append((work, moment, words))
            work.unread = [moment for moment in work.unread if MODALITY[moment.kind] != "text"]
        if said:
            rows = self._profile.text.encode([words for _, _, words in said]).vectors
            for n, (work, moment, _) in enumerate(said):
                work.new[moment.id] = {space: vectors[n] for space, vectors in rows.items()}

    def _from_files(self, works: Sequence[_Work], report: ReindexReport) -> list[Document]:
        """Decode and encode what is still missing. Returns assets that are now cut into other moments than before."""
        replaced = []
        waiting = [work for work in works if work.unread]
        for first in range(0, len(waiting), DECODED_AT_ONCE):
            originals = [
                (work, find_original(self._store, work.asset)) for work in waiting[first : first + DECODED_AT_ONCE]
            ]
            coming = [self._pool.submit(Path(source.location)) if source else None for _, source in originals]
            for (work, source), future in zip(originals, coming, strict=True):
                asset = self._store.asset(work.asset)
                if asset is None:
                    continue
                result: Document | CrossmediaError = source_gone(asset)
                if source is not None and future is not None:
                    try:
                        decoded = future.result()
                    except CrossmediaError as error:
                        result = error
                    else:
                        file = ScannedFile(Path(source.location), source.path, source.size, source.mtime_ns)
                        [result] = assemble_each([(work.asset, file, decoded)], self._profile, source.collection)
                if isinstance(result, CrossmediaError):
                    work.failed = True
                    work.new |= {moment.id: {} for moment in work.unread}
                    report.lost += len(work.unread)
                    report.failed.append((asset.title, result))
                    continue
                report.decoded += 1
                if {m.id for m in result.moments} == {m.id for m in work.moments if m.kind not in ADDED}:
                    unread = {moment.id for moment in work.unread}
                    for moment in result.moments:
                        if moment.id in unread:
                            work.new[moment.id] = dict(moment.vectors)
                            work.labels[moment.id] = moment.labels
                else:
                    work.moments = []
                    report.moments += len(result.moments)
                    replaced.append(result)
        return replaced

    def _keep_writing(self, work: _Work) -> None:
        """What was read in a picture has a text vector in the picture's moment, and is in the store as words."""
        for moment in work.moments:
            old = work.have[moment.id].get("text")
            if old is None or MODALITY[moment.kind] == "text" or moment.id not in work.new:
                continue
            text = self._wanted.get("text")
            if text is None or not self._usable(text):
                old = self._profile.text.encode([moment.fields.get("ocr", "")]).vectors.get("text", [None])[0]
            if old is not None:
                work.new[moment.id]["text"] = old

    def _revision(self, work: _Work, report: ReindexReport) -> Revision:
        vectors: dict[str, Mapping[str, Vector]] = {}
        for moment in work.moments:
            if moment.id not in work.new:
                continue
            before = {space: vector for space, vector in work.have[moment.id].items() if space in self._changed}
            after = {space: vector for space, vector in work.new[moment.id].items() if space in self._changed}
            if before.keys() != after.keys() or any(not np.array_equal(before[s], after[s]) for s in after):
                vectors[moment.id] = after
        report.moments += len(vectors)
        version = self._version + (WITHOUT if work.failed else "")
        # What was read again was seen by the first pass's encoder.
        undone = (SightEnricher.name,) if work.labels and COMMON in self._changed else ()
        return Revision(work.asset, version, self._changed, vectors, work.labels, undone)


def _words(moment: Moment) -> str:
    return moment.fields.get("text") or moment.fields.get("transcript") or ""
