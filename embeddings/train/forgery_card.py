"""The model card of the detector of forged faces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crossmedia.embeddings.catalog import sha256

SHIPPED: Final = "mesoinception"
"""Which of the two networks ships."""

TITLES: Final = {"meso4": "Meso-4", "mesoinception": "MesoInception-4"}
PUBLISHED: Final = {
    "meso4": ("89.1", "54.8", "84.7"),
    "mesoinception": ("91.7", "53.6", "83.0"),
}
"""Of either: accuracy a picture on the authors' own set (%), area under the curve on Celeb-DF and on FaceForensics++
(%)."""

CARD = """# forgery.onnx: {title}, whether a face looks forged

Source: {weights} as published by its authors, SHA-256 {given}.
Result: {size} bytes, SHA-256 {digest}; {parameters} parameters.
Command: `python -m crossmedia.embeddings.train.forgery --models ../shared/models --out embeddings/bundled`.
Licence of the weights: Apache-2.0. Method: D. Afchar, V. Nozick, J. Yamagishi and I. Echizen, "MesoNet: a compact
facial video forgery detection network" (WIFS 2018, arXiv:1809.00888). Trained by its authors on their own set of
Deepfake videos from the internet, faces exchanged by autoencoders of 2018. Published: {inside} % of the pictures of
that set are told right.
On sets that it was not trained on, Y. Li, X. Yang, P. Sun, H. Qi and S. Lyu ("Celeb-DF: a large-scale challenging
dataset for deepfake forensics", CVPR 2020) report an area under the ROC curve of {celeb} % on Celeb-DF and
{faceforensics} % on the Deepfakes of FaceForensics++, a picture each: 50 % is chance.
Made by: the layers of the paper with the tables of the Keras file, bytes in, `1 − real` out, floats. Without
TensorFlow.
In: `pixels` (N, 256, 256, 3) uint8 RGB, a face upright, cut as `embeddings/forgery.py` does. Out: `forged` (N,) in [0,
1].
Against the same layers computed one by one in NumPy: {apart:.1e} apart at most.
Meaning of a score: the network's own. It ranks, within what it was trained on; it is no measured frequency of being
right.
Limits: what exchanges or makes faces today is seldom seen by it, and small, blurred, grey or strongly compressed real
faces are often taken for forged. What it says is an indication, never a verdict. How often it is wrong here:
`crossmedia eval trust`.
"""


def write(out: Path, weights: Path, network: str, figures: Mapping[str, float]) -> None:
    """Put `forgery.md` beside the network in `out`."""
    path = out / "forgery.onnx"
    inside, celeb, faceforensics = PUBLISHED[network]
    text = CARD.format(
        title=TITLES[network],
        weights=weights.name,
        given=sha256(weights),
        size=path.stat().st_size,
        digest=sha256(path),
        parameters=f"{figures['parameters']:.0f}",
        inside=inside,
        celeb=celeb,
        faceforensics=faceforensics,
        apart=figures["apart"],
    )
    (out / "forgery.md").write_text(text, "utf-8")
