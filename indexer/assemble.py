"""Turn decoded assets into documents: cut them into moments and encode these in batches."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossmedia.embeddings.encoder import Encoder, Encoding, Vector
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.dates import date_in_name, date_of_file
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.hearing import find_sounds
from crossmedia.indexer.scan import ScannedFile
from crossmedia.indexer.segment import MAX_PASSAGES, encoded_first, passages, truncation_warnings
from crossmedia.indexer.structure import build_shots
from crossmedia.retrieval.documents import MOTION, PREVIEW, Asset, Document, Kind, Label, Moment, Source, moment_id

log = logging.getLogger("crossmedia.indexer")
BATCH = 32


class EncodingFailed(CrossmediaError):
    """An encoder raised on a file that was decoded."""

    code = "encoding_failed"


def assemble_each(
    items: Sequence[tuple[str, ScannedFile, Decoded]], profile: Profile, collection: str
) -> list[Document | CrossmediaError]:
    """Assemble, but let what no encoder accepts fail alone: one odd file must not stop the hundred around it."""
    try:
        return list(assemble(items, profile, collection))
    except Exception as error:
        if len(items) > 1:
            return [result for item in items for result in assemble_each([item], profile, collection)]
        log.exception("encoding %s failed", items[0][1].path)
        return [
            EncodingFailed(f"an encoder failed on it: {type(error).__name__}: {error}", "see the traceback in the log")
        ]


def assemble(items: Sequence[tuple[str, ScannedFile, Decoded]], profile: Profile, collection: str) -> list[Document]:
    """(content hash, where it was found, what it decoded to) → documents; one batched run of each encoder over all."""
    drafts = [_Draft(asset, decoded) for asset, _, decoded in items]
    sounds: list[Waveform] = []
    sounding = [(draft, draft.waveform) for draft in drafts if draft.waveform is not None]
    stretches = find_sounds([waveform for _, waveform in sounding], profile.sound)
    for (draft, waveform), spans in zip(sounding, stretches, strict=True):
        draft.sounds = [draft.moment("sound", n, start=start, end=end) for n, (start, end) in enumerate(spans)]
        sounds += [waveform.cut(start, end) for start, end in spans]
    seen = _Rows(profile.picture, [picture for draft in drafts for picture in draft.pictures])
    read = _Rows(profile.text, [text for draft in drafts for text in draft.texts])
    rung = _Rows(profile.sound, sounds)
    documents = []
    for (asset, found, decoded), draft in zip(items, drafts, strict=True):
        stills = [seen.fill(moment) for moment in draft.stills]
        moments = [
            *(build_shots(asset, decoded.shots, stills, profile) if decoded.shots else stills),
            *(read.fill(moment) if n in draft.encoded else moment for n, moment in enumerate(draft.paragraphs)),
            *(rung.fill(moment) for moment in draft.sounds),
        ]
        described, name = _describe(asset, found, decoded, draft.warnings), Path(found.path).name
        title = name if described.title == name else f"{described.title} {name}"
        moments[0] = replace(moments[0], fields={**moments[0].fields, "title": title})
        source = Source(str(found.location), found.path, collection, found.size, found.mtime_ns)
        documents.append(Document(described, source, tuple(moments), _attachments(decoded)))
    return documents


class _Draft:
    """One asset's moments before they have vectors, beside the media to encode, in the same order."""

    def __init__(self, asset: str, decoded: Decoded) -> None:
        self.asset = asset
        content = decoded.content
        self.pictures: list[Picture] = []
        self.stills: list[Moment] = []
        self.paragraphs: list[Moment] = []
        self.sounds: list[Moment] = []
        self.encoded: set[int] = set()
        """Which of the paragraphs are encoded now."""
        self.warnings: list[str] = []
        self.waveform: Waveform | None = None
        thumbnails = [*decoded.thumbnails, None]
        if isinstance(content, Picture):
            self.pictures = [content]
            self.stills = [self.moment("picture", 0, thumbnail=thumbnails[0])]
        elif isinstance(content, Clip):
            self.pictures, self.waveform = list(content.pictures), content.waveform
            self.stills = [
                self.moment("frame", n, start=time, end=time, thumbnail=thumbnails[n])
                for n, time in enumerate(content.times)
            ]
        elif isinstance(content, Waveform):
            self.waveform = content
        else:
            # One more tells whether any is left out.
            first = passages(content, limit=MAX_PASSAGES + 1)
            kept = first[:MAX_PASSAGES]
            self.paragraphs = [self.moment("paragraph", p.number, page=p.page, fields={"text": p.text}) for p in kept]
            self.encoded = {*encoded_first(len(kept))}
            self.warnings = truncation_warnings(len(kept), len(first) == len(kept))
            # A page without a text layer is still found by its name.
            self.paragraphs = self.paragraphs or [self.moment("paragraph", 0)]
            self.paragraphs[0] = replace(self.paragraphs[0], thumbnail=thumbnails[0])

    @property
    def texts(self) -> list[str]:
        return [self.paragraphs[n].fields["text"] for n in sorted(self.encoded)]

    def moment(self, kind: Kind, number: int, **values: Any) -> Moment:
        return Moment(moment_id(self.asset, kind, number), self.asset, kind, **values)


class _Rows:
    """One encoder's rows, handed out to moments in the order their media were collected."""

    def __init__(
        self, encoder: Encoder[Picture] | Encoder[str] | Encoder[Waveform] | None, media: Sequence[object]
    ) -> None:
        self._encoder = encoder
        self._parts: list[Encoding] = []
        if encoder is not None:
            self._parts = [encoder.encode(media[i : i + BATCH]) for i in range(0, len(media), BATCH)]  # type: ignore[arg-type]
        self._next = 0

    def fill(self, moment: Moment) -> Moment:
        if self._encoder is None:
            return moment
        part, row = divmod(self._next, BATCH)
        self._next += 1
        encoding = self._parts[part]
        vectors: dict[str, Vector] = {space: rows[row] for space, rows in encoding.vectors.items()}
        kind = "scene" if self._encoder.modality == "picture" else "sound"
        classes = encoding.classes[row] if encoding.classes else ()
        labels = tuple(Label(kind, value, score, self._encoder.model) for value, score in classes)
        return replace(moment, vectors=vectors, labels=labels)


def _describe(asset: str, found: ScannedFile, decoded: Decoded, truncated: Sequence[str]) -> Asset:
    title = decoded.title or Path(found.path).name
    metadata = dict(decoded.metadata)
    captured = decoded.captured
    if captured is None:
        named = date_in_name(Path(found.path).name)
        captured, metadata["date_from"] = (named, "name") if named else (date_of_file(found.mtime_ns), "file time")
    if warnings := [*decoded.warnings, *truncated]:
        metadata["warnings"] = warnings
    return Asset(asset, decoded.media, decoded.mime, found.size, title, captured, metadata)


def _attachments(decoded: Decoded) -> dict[str, bytes]:
    attachments = {PREVIEW: decoded.preview} if decoded.preview is not None else {}
    if decoded.motion:
        times, energy = zip(*decoded.motion, strict=True)
        attachments[MOTION] = json.dumps({"times": times, "energy": energy}).encode()
    return attachments
