"""What is written in pictures: PP-OCRv6 (PaddlePaddle, Apache-2.0) through RapidOCR, whose wheel holds the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

import numpy as np

from embeddings.encoder import Encoder
from embeddings.errors import DependencyMissing, ModelMissing
from embeddings.media import Medium, Picture
from indexer.decode import Decoded
from indexer.decode.progress import Progress, unhurried
from indexer.enrichers.base import pictures
from retrieval.documents import Asset, Box, Enrichment, Label, Moment, Patch

DETECTION_SIDE: Final = 736
"""Longer side lines are looked for at, px. On car plates 736 reads as many as 960 in half the time; 640 reads fewer."""
MIN_SCORE: Final = 0.5
MIN_CHARACTERS: Final = 2

_DETECTOR: Final = "PP-OCRv6_det_small.onnx"
_RECOGNISER: Final = "PP-OCRv6_rec_small.onnx"


@dataclass(frozen=True)
class Line:
    """A line of writing; `score` in [0, 1], `box` in fractions of the picture."""

    text: str
    score: float
    box: Box


class Reader(Protocol):
    """Picture → its lines in reading order."""

    model: str

    def read(self, picture: Picture) -> list[Line]: ...


class RapidReader:
    """A `Reader` over RapidOCR. The engine is opened at the first use; several threads wait for each other."""

    def __init__(self, threads: int = 1) -> None:
        """`threads`: cores to use. Raises `DependencyMissing` without RapidOCR, `ModelMissing` without its weights."""
        self._models = _models()
        self._threads = threads
        self.model = f"rapidocr-{version('rapidocr')}:{_RECOGNISER.removesuffix('.onnx')}"
        self._engine: Any = None
        self._lock = Lock()

    def read(self, picture: Picture) -> list[Line]:
        """Lines of at least 2 characters and a score of 0.5. Nothing is recognised where no line is detected."""
        with self._lock:
            if self._engine is None:
                self._engine = _open(self._models, self._threads)
            found = self._engine(np.ascontiguousarray(picture.pixels[:, :, ::-1]))
        if found.boxes is None or found.txts is None:
            return []
        lines = [
            Line(text.strip(), float(score), _box(corners, picture))
            for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True)
        ]
        return [line for line in lines if line.score >= MIN_SCORE and len(line.text) >= MIN_CHARACTERS]


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
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = unhurried
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
                    Label("text", line.text, line.score, self._reader.model, line.box, moment.start, moment.end)
                    for line in lines
                ),
            )
            for (moment, lines), text, vector in zip(written, texts, vectors, strict=True)
        ]
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))


def _box(corners: Any, picture: Picture) -> Box:
    """The upright rectangle around four corners in pixels."""
    points = np.clip(np.asarray(corners, dtype=np.float64) / (picture.width, picture.height), 0.0, 1.0)
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return (x0, y0, x1, y1)


def _models() -> tuple[Path, Path]:
    found = find_spec("rapidocr")
    if found is None or found.origin is None:
        raise DependencyMissing("rapidocr is not installed", "pip install rapidocr")
    folder = Path(found.origin).parent / "models"
    for name in (_DETECTOR, _RECOGNISER):
        if not (folder / name).is_file():
            raise ModelMissing(f"rapidocr came without {name}", 'pip install --force-reinstall "rapidocr>=3.8"')
    return folder / _DETECTOR, folder / _RECOGNISER


def _open(models: tuple[Path, Path], threads: int) -> Any:
    from rapidocr import RapidOCR

    # Paths given explicitly, RapidOCR never goes looking for a download. Lines are cut from the whole picture; only the
    # search for them happens on a small one. Upside-down lines are too rare for the third network.
    detector, recogniser = models
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.text_score": MIN_SCORE,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.model_path": str(detector),
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            "Rec.model_path": str(recogniser),
        }
    )
