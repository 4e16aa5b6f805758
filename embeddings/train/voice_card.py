"""The model card of the voice encoder."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from crossmedia.embeddings.catalog import sha256

CARD = """# voice.onnx: the GE2E voice encoder of Resemblyzer, in few bits

Source: {weights} of the package resemblyzer {version}, SHA-256 {given}.
Result: {size} bytes, SHA-256 {digest}.
Command: `python -m crossmedia.embeddings.train.voice --data ../shared/data --out embeddings/bundled`.
Licence of the weights: Apache-2.0 (Resemble AI; C. Jemine). Method: L. Wan, Q. Wang, A. Papir and I. Lopez Moreno,
"Generalized end-to-end loss for speaker verification" (2018). Trained by its authors on LibriSpeech-other, VoxCeleb1
and VoxCeleb2.
Made by: three LSTM layers and a projection exported to ONNX; tables in int8 with a scale a row, the first layer's in
half precision; floats at run time.
In: `mel` (N, 160, 40) float32, power in mel bands of 1.6 s at 16 kHz, 25 ms every 10 ms, at −30 dB to full scale. Out:
`voice` (N, 256), unit length, none below zero. A recording's vector is the mean of its windows'.
Meaning of a cosine (`backgrounds-voice.json`): its relevance is the probability that two recordings of 3 to 10 s have
one speaker, if that is as likely as not before one listens. Fitted on 60 utterances of six speakers of LibriSpeech's
test-other (V. Panayotov, G. Chen, D. Povey, S. Khudanpur, 2015; CC BY 4.0), four stretches of each, an eighth of them
in noise (10 to 20 dB) or a room, both made up. "Unheard" are figures of two speakers each by a fit to the other four,
their calibration error over ten bins; the figures of durations and conditions are by the fit that ships, both kinds of
pairs weighing the same.
Limits: a speaker's utterances are of one chapter read at one time, so a voice on another day or device is farther from
itself than here, and through another kind of channel (a telephone against a microphone) it is not recognised at all.
Six speakers are few: an error of 0 means less than a percent or two. Cosines grow with duration, since a mean of more
windows is surer: under 2 s a voice is often not known again. Read English, adults.

Measured by the command above:

| figure | value |
|---|---|
{rows}
"""


def write(out: Path, weights: Path, figures: Mapping[str, float]) -> None:
    """Put `voice.md` beside the network in `out`."""
    network = out / "voice.onnx"
    text = CARD.format(
        weights=weights.name,
        version=version("resemblyzer"),
        given=sha256(weights),
        size=network.stat().st_size,
        digest=sha256(network),
        rows="\n".join(f"| {name} | {value:.4f} |" for name, value in figures.items()),
    )
    (out / "voice.md").write_text(text, "utf-8")
