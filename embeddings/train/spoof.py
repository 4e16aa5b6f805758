"""Export the published AASIST-L, and check that its outputs stay the same.

    python -m crossmedia.embeddings.train.spoof --models ../shared/models --data ../shared/data --out embeddings/bundled

writes `spoof.onnx` and its card `spoof.md`, and prints the figures and what to pin in `embeddings/cards.toml`. How well
it tells real voices from made ones: `crossmedia eval trust`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.spoof import SAMPLES, windows
from crossmedia.embeddings.train import graph
from crossmedia.embeddings.train.sound_stats import read_sound
from crossmedia.embeddings.train.spoof_net import AasistL

CARD: Final = """# spoof.onnx: AASIST-L, whether speech sounds synthetic, in half precision

Source: {weights} as published by its authors (NAVER Corp.), SHA-256 {given}.
Result: {size} bytes, SHA-256 {digest}.
Command: `python -m crossmedia.embeddings.train.spoof --models ../shared/models --data ../shared/data --out
embeddings/bundled`.
Licence of the weights: MIT. Method: J. Jung, H.-S. Heo, H. Tak, H. Shim, J. S. Chung, B.-J. Lee, H.-J. Yu and N. Evans,
"AASIST: audio anti-spoofing using integrated spectro-temporal graph attention networks" (ICASSP 2022,
arXiv:2110.01200).
Trained by its authors on the training part of ASVspoof 2019 LA (X. Wang et al. 2020): read English, six ways to
synthesise or convert a voice.
Published: equal error rate 0.99 % on the evaluation part of that set, 85,306 parameters. Of other sets no figure of
this network is known to us; networks of its kind trained on the same set (RawGAT-ST, RawNet2) miss tens of percent on
recordings of public persons found on the internet (N. Müller et al. 2022, "Does audio deepfake detection generalize?",
Interspeech).
Made by: the network written anew from the paper (`spoof_net.py`), exported to ONNX, tables in half precision, which
onnxruntime makes floats when it opens the file.
In: `sound` (N, 64600) float32 in [-1, 1], 4.04 s at 16 kHz. Out: `logits` (N, 2): spoofed, bona fide.
Meaning of a score: the softmax of the mean of all windows' logits. It ranks; it is no measured frequency of being
right.
Limits: it hears the recording chain as much as the voice. A real voice that was cut out without the silence around it
sounds made to it, so 0.3 s on either side are heard too. Telephones, microphones and languages that it never heard can
make a real voice look synthesised, and newer ways of synthesis than those of 2019 can pass. What it says is an
indication, never a verdict.
How often it is wrong here: `crossmedia eval trust`.

Measured by the command above on {count} windows of {files} recordings of LibriSpeech's test-other, against the network
in PyTorch:

| network | bytes | logits apart, most |
|---|---|---|
{rows}
"""


def halve(source: Path, path: Path) -> None:
    """Stores every table of floats in half precision."""
    model = onnx.load(str(source))
    network = model.graph
    unpacked = []
    for table in list(network.initializer):
        values = onnx.numpy_helper.to_array(table)
        if values.dtype != np.float32 or values.size < 2:
            continue
        network.initializer.remove(table)
        stored = f"{table.name}/stored"
        network.initializer.append(onnx.numpy_helper.from_array(values.astype(np.float16), stored))
        unpacked.append(onnx.helper.make_node("Cast", [stored], [table.name], to=onnx.TensorProto.FLOAT))
    nodes = [*unpacked, *network.node]
    del network.node[:]
    network.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def logits(path: Path, heard: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(N, 2) of the network at `path`."""
    network = session(path, 2)
    return np.concatenate([network.run(("logits",), {"sound": window[None]})[0] for window in heard])


def main() -> None:
    """Parse the command line, export, measure, write, print."""
    parser = argparse.ArgumentParser(description="Export and measure the detector of spoofed speech.")
    parser.add_argument("--models", type=Path, required=True, help="folder with aasist_l.pth")
    parser.add_argument("--data", type=Path, required=True, help="folder with speakers/")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder the results are written to")
    asked = parser.parse_args()
    given = asked.models / "aasist_l.pth"
    net = AasistL(torch.load(given, map_location="cpu", weights_only=True)).eval()
    files = sorted((asked.data / "speakers").glob("*/*.flac"))[::3]
    heard = [window for file in files for window in windows(read_sound(file))]
    with torch.no_grad():
        truth = np.concatenate([net(torch.from_numpy(window.copy())[None]).numpy() for window in heard])
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "spoof.onnx"
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "float.onnx"
        graph.export(
            net, [torch.zeros(2, SAMPLES)], whole, ["sound"], ["logits"], {"sound": {0: "n"}, "logits": {0: "n"}}
        )
        halve(whole, path)
        figures = {
            name: {"bytes": file.stat().st_size, "apart": float(np.abs(logits(file, heard) - truth).max())}
            for name, file in (("float", whole), ("half, which ships", path))
        }
    text = CARD.format(
        weights=given.name,
        given=sha256(given),
        size=path.stat().st_size,
        digest=sha256(path),
        count=len(heard),
        files=len(files),
        rows="\n".join(f"| {name} | {row['bytes']} | {row['apart']:.4f} |" for name, row in figures.items()),
    )
    (asked.out / "spoof.md").write_text(text, "utf-8")
    print(json.dumps(figures, indent=1))
    print(f'ModelFile("{path.name}", "{sha256(path)}", {path.stat().st_size}),')


if __name__ == "__main__":
    main()
