"""The pass `ocr`: writing in pictures by PP-OCRv6 (PaddlePaddle, Apache-2.0) through RapidOCR, whose wheel holds the
weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Protocol

import numpy as np

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.encoder import Encoder
from crossmedia.embeddings.media import Medium, Picture
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures, spaces_of
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.indexer.scene_text import RECOGNISER, OcrEngine, Quad, in_reading_order, shared_engine
from crossmedia.retrieval.documents import Asset, Box, Enrichment, Label, Moment, Patch

KIND: Final = label_kinds.TEXT.name
MIN_SCORE: Final = 0.5
MIN_CHARACTERS: Final = 2


@dataclass(frozen=True)
class TextLine:
    """A line of writing; `score` in [0, 1], `box` in fractions of the picture."""

    text: str
    score: float
    box: Box


class Reader(Protocol):
    """Picture → its lines in reading order."""

    model: str

    def read(self, picture: Picture) -> list[TextLine]: ...


class RapidReader:
    """A `Reader` over RapidOCR, for Chinese, English and other Latin writing, level, slanted, turned or on its head."""

    def __init__(self, engine: OcrEngine) -> None:
        self._engine = engine
        self.model = f"rapidocr-{version('rapidocr')}:{RECOGNISER.removesuffix('.onnx')}+lines@2"

    def read(self, picture: Picture) -> list[TextLine]:
        """Lines of at least 2 characters and a score of 0.5. Nothing is recognised where no line is detected."""
        pieces = [p for p in self._engine.pieces(picture) if p.score >= MIN_SCORE and len(p.text) >= MIN_CHARACTERS]
        return [TextLine(p.text, p.score, box_around(p.corners, picture)) for p in in_reading_order(pieces)]


class OcrEnricher:
    """Adds to the moment of each picture what is written in it: the field `ocr`, its `text` vector, a label a line."""

    name = "ocr"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ()
    hears = False

    def __init__(self, reader: Reader, text: Encoder[str]) -> None:
        self._reader = reader
        self._text = text
        self.model = f"{reader.model}+{text.model}"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        known = {moment.id: moment for moment in moments}
        seen = [(known.get(name), picture) for name, picture in pictures(asset, decoded)]
        read = [(moment, self._reader.read(picture)) for moment, picture in seen if moment]
        written = [(moment, lines) for moment, lines in read if lines]
        texts = ["\n".join(line.text for line in lines) for _, lines in written]
        vectors = self._text.encode(texts).vectors["text"] if texts else ()
        patches = [
            Patch(
                moment.id,
                fields={"ocr": text},
                vectors={"text": vector},
                labels=tuple(
                    Label(KIND, line.text, line.score, self._reader.model, line.box, moment.start, moment.end)
                    for line in lines
                ),
            )
            for (moment, lines), text, vector in zip(written, texts, vectors, strict=True)
        ]
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches), spaces=spaces_of(self._text, "text"))


def box_around(corners: Quad, picture: Picture) -> Box:
    """The upright rectangle around corners in pixels."""
    points = np.clip(np.asarray(corners, dtype=np.float64) / (picture.width, picture.height), 0.0, 1.0)
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return (x0, y0, x1, y1)


def _build(context: PassContext) -> OcrEnricher:
    return OcrEnricher(RapidReader(shared_engine(context.threads)), context.profile.text)


PASS: Final = PassSpec(
    name=OcrEnricher.name,
    summary="what is written in pictures",
    labels=(label_kinds.TEXT,),
    spaces=("text",),
    build=_build,
)
