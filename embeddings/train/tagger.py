"""Export the published mn04 of EfficientAT, check that its outputs stay the same, and measure it.

    python -m crossmedia.embeddings.train.tagger --models ../shared/models --data ../shared/data --out
    embeddings/bundled

writes `tagger.onnx` and its card `tagger.md`, and prints the figures and what to pin in `embeddings/cards.toml`.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.tagger import MELS, log_mels
from crossmedia.embeddings.train import graph
from crossmedia.embeddings.train.sound_stats import read_sound
from crossmedia.embeddings.train.spoof import halve
from crossmedia.embeddings.train.tagger_net import Mn04

AUDIOSET_NAMES: Final = {
    "Dog bark": ("Dog", "Bark"),
    "Rain": ("Rain", "Rain on surface", "Raindrop"),
    "Sea waves": ("Ocean", "Waves, surf"),
    "Baby cry": ("Baby cry, infant cry", "Crying, sobbing"),
    "Clock tick": ("Tick-tock", "Tick", "Clock"),
    "Person sneeze": ("Sneeze",),
    "Helicopter": ("Helicopter",),
    "Chainsaw": ("Chainsaw",),
    "Rooster": ("Chicken, rooster", "Crowing, cock-a-doodle-doo"),
    "Fire crackling": ("Fire", "Crackle"),
}
"""What AudioSet calls the classes of ESC-10."""
FRAMES: Final = 501
CARD: Final = """# tagger.onnx: EfficientAT mn04, what is heard by AudioSet's 527 classes, in half precision

Source: {weights} as published by its authors (Johannes Kepler University Linz), SHA-256 {given}.
Result: {size} bytes, SHA-256 {digest}.
Command: `python -m crossmedia.embeddings.train.tagger --models ../shared/models --data ../shared/data --out
embeddings/bundled`.
Licence of the weights: MIT. Method: F. Schmid, K. Koutini and G. Widmer, "Efficient large-scale audio tagging via
transformer-to-CNN knowledge distillation" (ICASSP 2023). Trained by its authors on AudioSet (J. Gemmeke et al. 2017).
Published: mean average precision 0.432 on AudioSet's evaluation part, as the file's name says.
Made by: the network written anew from the paper (`tagger_net.py`), exported to ONNX, tables in half precision, which
onnxruntime makes floats when it opens the file. Log-mels are made in NumPy (`embeddings/tagger.py`) as its authors
describe them.
In: `mels` (N, 1, 128, frames). Out: `logits` (N, 527); a sigmoid makes chances of each.
Measured by the command above: logits are at most {apart:.4f} from PyTorch's. Of {clips} clips of ESC-10's fold 4, the
likeliest of the ten classes' own names is right for {top:.1%}, and one of a class's names reaches 0.2 for {heard:.1%}.
Limits: sound comes at 16 kHz here and it was trained at 32 kHz, so hisses and crackles lack their top. Chances are low:
0.2 is much.
"""


def main() -> None:
    """Parse the command line, export, measure, write, print."""
    parser = argparse.ArgumentParser(description="Export and measure the tagger of sounds.")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with esc10/")
    parser.add_argument("--out", type=Path, default=BUNDLED)
    asked = parser.parse_args()
    given = asked.models / "mn04_as_mAP_432.pt"
    with (asked.models / "audioset_class_labels_indices.csv").open(encoding="utf-8", newline="") as stream:
        names = [row["display_name"] for row in csv.DictReader(stream)]
    net = Mn04(torch.load(given, map_location="cpu", weights_only=True)).eval()
    path = asked.out / "tagger.onnx"
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "float.onnx"
        axes = {"mels": {0: "n", 3: "frames"}, "logits": {0: "n"}}
        graph.export(net, [torch.zeros(1, 1, MELS, FRAMES)], whole, ["mels"], ["logits"], axes)
        halve(whole, path)
    model = onnx.load(path)
    entry = model.metadata_props.add()
    entry.key, entry.value = "classes", "\n".join(name.lower() for name in names)
    onnx.save(model, path)
    clips = [
        (kind.name.partition(" - ")[2], file)
        for kind in sorted((asked.data / "esc10").iterdir())
        for file in sorted(kind.glob("4-*"))
    ]
    network = session(path, 2)
    apart, top, heard = 0.0, 0, 0
    for kind, file in clips:
        mels = log_mels(read_sound(file).samples)[None, None]
        (logits,) = network.run(("logits",), {"mels": mels})
        with torch.no_grad():
            apart = max(apart, float(np.abs(net(torch.from_numpy(mels)).numpy() - logits).max()))
        best = {
            name: max(float(logits[0][names.index(one)]) for one in called) for name, called in AUDIOSET_NAMES.items()
        }
        top += max(best, key=lambda name: best[name]) == kind
        heard += _sigmoid(best[kind]) >= 0.2
    figures = {"apart": apart, "clips": len(clips), "top": top / len(clips), "heard": heard / len(clips)}
    text = CARD.format(
        weights=given.name, given=sha256(given), size=path.stat().st_size, digest=sha256(path), **figures
    )
    (asked.out / "tagger.md").write_text(text, "utf-8")
    print(json.dumps(figures, indent=1))
    print(f'ModelFile("{path.name}", "{sha256(path)}", {path.stat().st_size}),')


def _sigmoid(logit: float | NDArray[np.float32]) -> float:
    return float(1 / (1 + np.exp(-logit)))


if __name__ == "__main__":
    main()
