"""The model card of the visual answerer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crossmedia.embeddings.catalog import sha256

CARD: Final = """# visual-answers.onnx: questions about pictures of rooms and things, answered in a word or some

Result: {size} bytes, SHA-256 {digest}:
two networks of stacked attention and a kernel machine as one, in int8,
the kernel machine's coefficients in 16 bits.
Command: `python -m crossmedia.embeddings.train.visual_answers --daquar PATH --out embeddings/bundled`.
Licence of the weights: Apache-2.0. Learned from DAQUAR (Malinowski and Fritz, NIPS 2014), which asks about photos of
the NYU Depth set: both are for research, so settle for yourself whether your use is covered.
Trained on: {questions} questions of {pictures} pictures, the official training split; a fifth of the pictures, by
their names' SHA-1, was held out, and nothing was fitted or calibrated on it. {answers} answers that come
twice or more can be given, several things as one answer.
In: 9 by 9 cells of a layer of the picture tower, the tower's vectors of the picture, its mirror image and six parts,
what the detector of objects tells and colours, MiniLM's sentence vector and the words. Out: log-probabilities of the
answers; the file brings answers, words and the calibration of its chances.
Right on the held-out fifth, float weights: {held:.1%}; the same recipe without looking at pictures: {blind:.1%}. What
ships, WUPS and how true its chances are: `crossmedia eval daquar`. Recipes were compared over folds of the other
pictures, but some ten of them were looked at on this fifth, so the figure flatters a little.
Limits: it knows indoor photos of American homes and offices and the words of DAQUAR's askers; in the open it guesses,
and its chances are of rooms. It is believed only where it is surer than what labels say.
"""


def write(out: Path, figures: Mapping[str, float]) -> None:
    """Put `visual-answers.md` beside the model in `out`."""
    path = out / "visual-answers.onnx"
    (out / "visual-answers.md").write_text(
        CARD.format(size=path.stat().st_size, digest=sha256(path), **figures), encoding="utf-8"
    )
