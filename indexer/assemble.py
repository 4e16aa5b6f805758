"""Decoded assets become documents: cut into moments, encoded together in batches."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from embeddings.encoder import Encoder, Encoding, Vector
from embeddings.errors import CrossmediaError
from embeddings.media import Clip, Picture, Waveform
from embeddings.profile import Profile
from indexer.decode import Decoded
from indexer.scan import Found
from indexer.segment import passages, sound_windows
from retrieval.documents import MOTION, PREVIEW, Asset, Document, Label, Moment, Source, moment_id

log = logging.getLogger("crossmedia.indexer")
BATCH = 32


class EncodingFailed(CrossmediaError):
    """An encoder raised on a file that was decoded."""

    code = "encoding_failed"


def assembled(
    items: Sequence[tuple[str, Found, Decoded]], profile: Profile, collection: str
) -> list[Document | CrossmediaError]:
    """`assemble`, but what no encoder can take fails alone: one odd file must not stop the hundred around it."""
    try:
        return list(assemble(items, profile, collection))
    except Exception as error:
        if len(items) > 1:
            return [result for item in items for result in assembled([item], profile, collection)]
        log.exception("encoding %s failed", items[0][1].path)
        return [EncodingFailed(f"an encoder failed on it: {type(error).__name__}: {error}", "the log has the trace")]


def assemble(items: Sequence[tuple[str, Found, Decoded]], profile: Profile, collection: str) -> list[Document]:
    """(content hash, where it was found, what it decoded to) → documents; one batched run of each encoder over all."""
    pictures: list[Picture] = []
    texts: list[str] = []
    sounds: list[Waveform] = []
    drafts = [_draft(asset, found, decoded) for asset, found, decoded in items]
    for _, decoded, moments in drafts:
        for moment in moments:
            if moment.kind == "picture" and isinstance(decoded.content, Picture):
                pictures.append(decoded.content)
            elif moment.kind == "paragraph" and "text" in moment.fields:
                texts.append(moment.fields["text"])
            elif moment.kind == "sound" and (waveform := _waveform(decoded)) is not None:
                sounds.append(waveform.cut(moment.start or 0.0, moment.end or 0.0))
        if isinstance(decoded.content, Clip):
            pictures.extend(decoded.content.pictures)
    seen = _Rows(profile.picture, pictures)
    read = _Rows(profile.text, texts)
    heard = _Rows(profile.sound, sounds)
    take = {"picture": seen, "shot": seen, "paragraph": read, "sound": heard}
    documents = []
    for (asset, found, decoded), (described, _, moments) in zip(items, drafts, strict=True):
        source = Source(str(found.location), found.path, collection, found.size, found.mtime_ns)
        filled = tuple(take[m.kind].fill(m) if m.kind != "paragraph" or "text" in m.fields else m for m in moments)
        assert all(moment.asset == asset for moment in filled)
        documents.append(Document(described, source, filled, _attachments(decoded)))
    return documents


def _attachments(decoded: Decoded) -> dict[str, bytes]:
    found = {PREVIEW: decoded.preview} if decoded.preview is not None else {}
    if decoded.motion:
        times, energy = zip(*decoded.motion, strict=True)
        found[MOTION] = json.dumps({"times": times, "energy": energy}).encode()
    return found


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


def _draft(asset: str, found: Found, decoded: Decoded) -> tuple[Asset, Decoded, list[Moment]]:
    """The asset and its moments, in the order their media are collected, still without vectors."""
    name = Path(found.path).name
    title = decoded.title or name
    captured = decoded.captured or datetime.fromtimestamp(found.mtime_ns / 1e9, UTC).isoformat(timespec="seconds")
    metadata = dict(decoded.metadata) | ({"warnings": list(decoded.warnings)} if decoded.warnings else {})
    described = Asset(asset, decoded.media, decoded.mime, found.size, title, captured, metadata)
    thumbs = [*decoded.thumbnails, None]
    moments: list[Moment] = []
    content = decoded.content
    if isinstance(content, Picture):
        moments.append(Moment(moment_id(asset, "picture", 0), asset, "picture", thumbnail=thumbs[0]))
    elif isinstance(content, Clip):
        for i, shot in enumerate(decoded.shots):
            thumbnail = thumbs[i] if i < len(decoded.thumbnails) else None
            moments.append(
                Moment(moment_id(asset, "shot", i), asset, "shot", shot.start, shot.end, thumbnail=thumbnail)
            )
    elif not isinstance(content, Waveform):
        for passage in passages(content):
            key = moment_id(asset, "paragraph", passage.number)
            moments.append(Moment(key, asset, "paragraph", page=passage.page, fields={"text": passage.text}))
        if moments and thumbs[0] is not None:
            moments[0] = replace(moments[0], thumbnail=thumbs[0])
    if (waveform := _waveform(decoded)) is not None:
        for i, (start, end) in enumerate(sound_windows(waveform.seconds)):
            moments.append(Moment(moment_id(asset, "sound", i), asset, "sound", start, end))
    if not moments:
        # A page without a text layer is still found by its name.
        moments.append(Moment(moment_id(asset, "paragraph", 0), asset, "paragraph", thumbnail=thumbs[0]))
    named = title if title == name else f"{title} {name}"
    moments[0] = replace(moments[0], fields={**moments[0].fields, "title": named})
    return described, decoded, moments


def _waveform(decoded: Decoded) -> Waveform | None:
    if isinstance(decoded.content, Waveform):
        return decoded.content
    return decoded.content.waveform if isinstance(decoded.content, Clip) else None
