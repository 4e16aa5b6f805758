"""What is said: one moment a sentence, searchable by its words and by its meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from embeddings.encoder import Encoder
from embeddings.media import Clip, Medium, Waveform
from embeddings.profile import Transcriber
from indexer.decode import Decoded
from retrieval.documents import Asset, Enrichment, Moment, moment_id

_BATCH: Final = 64


class TranscriptEnricher:
    """Moments of kind `speech`, with times, words and the vectors of the text encoder. No speech, no moments."""

    name = "transcript"
    accepts: tuple[Medium, ...] = ("audio", "video")

    def __init__(self, transcriber: Transcriber, text: Encoder[str]) -> None:
        self._transcriber = transcriber
        self._text = text
        self.model = f"{transcriber.model}+{text.model}"

    def enrich(self, asset: Asset, decoded: Decoded, moments: Sequence[Moment]) -> Enrichment:
        waveform = _waveform(decoded)
        utterances = self._transcriber.transcribe(waveform) if waveform else []
        spoken: list[Moment] = []
        for first in range(0, len(utterances), _BATCH):
            batch = utterances[first : first + _BATCH]
            vectors = self._text.encode([utterance.text for utterance in batch]).vectors
            for row, utterance in enumerate(batch):
                spoken.append(
                    Moment(
                        id=moment_id(asset.id, "speech", first + row),
                        asset=asset.id,
                        kind="speech",
                        start=utterance.start,
                        end=utterance.end,
                        fields={"transcript": utterance.text},
                        vectors={space: rows[row] for space, rows in vectors.items()},
                        words=utterance.words,
                    )
                )
        return Enrichment(asset.id, self.name, self.model, moments=tuple(spoken))


def _waveform(decoded: Decoded) -> Waveform | None:
    if isinstance(decoded.content, Clip):
        return decoded.content.waveform
    return decoded.content if isinstance(decoded.content, Waveform) else None
