"""Train the network that answers questions about pictures on DAQUAR.

    python -m crossmedia.embeddings.train.visual_answers --daquar ../shared/data/daquar --out embeddings/bundled

writes `visual-answers.onnx` and its card and prints what to pin in `embeddings/cards.toml`. A fifth of the pictures is
held out (`visual_data.split_pictures`): nothing is fitted or calibrated on it. Chances are calibrated on another tenth;
then two networks (`visual_net`) and a kernel machine (`visual_kernel`) are learned from that too, and ship as one. The
same is done once without looking at pictures, to tell what looking adds.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.train import visual_answers_card as card
from crossmedia.embeddings.train.visual_data import (
    QuestionSplit,
    VisualMaterial,
    answers_of,
    prepare,
    read_questions,
    split_pictures,
    words_of,
)
from crossmedia.embeddings.train.visual_graph import export
from crossmedia.embeddings.train.visual_kernel import Kernel
from crossmedia.embeddings.train.visual_net import train
from crossmedia.embeddings.train.visual_sights import Grid, Sights
from crossmedia.embeddings.visual_answers import Floats

NETWORKS: Final = 2
KERNEL: Final = 0.8
"""How much of the answer is the kernel machine's; the rest is the networks'."""
SOFT, ALIKE = 0.25, 12.0
"""How much of an answer's mark goes to answers that mean nearly the same, and how fast that falls with their
distance."""
EPSILON: Final = 1e-4
"""A probability, before its logarithm is taken."""
SHARPNESS_GRID: Final = np.linspace(0.4, 2.5, 43)
BINS: Final = 8


class Together(nn.Module):  # type: ignore[misc]
    """Networks and the kernel machine as one."""

    def __init__(self, known: VisualMaterial, vocabulary: int, looking: bool) -> None:
        """All answers have to be known; `vocabulary`: how many words there are by number."""
        super().__init__()
        marks = mark_answers(known.answer, known.names)
        pictures = np.unique(known.image)
        self.sights, self.grid = Sights(known.sights[pictures]), Grid(known.cells[pictures])
        self.kernel = Kernel(known, marks, self.sights, vocabulary, looking)
        self.nets = nn.ModuleList(
            train(known, torch.from_numpy(marks), vocabulary, self.grid, self.sights, seed, looking)
            for seed in range(NETWORKS)
        )

    def forward(self, cells: Tensor, sights: Tensor, sentence: Tensor, words: Tensor) -> Tensor:
        """(B, 2, 81, 352), (B, 2, 4696), (B, 2, 384), (B, 2, 24), of a picture and of its mirror image → (B, answers)
        log-probabilities."""
        views = [one.flatten(0, 1) for one in (self.grid(cells), self.sights(sights), sentence, words)]
        mean = torch.stack([net(*views)[0].log_softmax(1) for net in self.nets]).mean(0)
        looked = mean.unflatten(0, (-1, 2)).mean(1).softmax(1)
        known = self.kernel(sights, sentence[:, 0], words[:, 0])
        return ((1 - KERNEL) * looked + KERNEL * known).clamp(min=EPSILON).log()


def mark_answers(answer: NDArray[np.int64], names: Floats) -> Floats:
    """(n,), (answers, 384) → (n, answers): 1 for the answer of each question, some of it for what means nearly the
    same."""
    near = np.exp(ALIKE * (names @ names.T - 1))
    marks: Floats = (1 - SOFT) * np.eye(len(names), dtype=np.float32) + SOFT * near / near.sum(1, keepdims=True)
    return marks[answer]


def train_together(material: VisualMaterial, vocabulary: int, *among: QuestionSplit, looking: bool = True) -> Together:
    """Learned from the questions of these parts whose answers can be learned."""
    questions = material.among(*among)
    net = Together(questions.rows(questions.answer >= 0), vocabulary, looking)
    net.eval()
    return net


def predict(net: Together, asked: VisualMaterial) -> tuple[Tensor, Tensor]:
    """(n, answers) log-probabilities, and the answers; one that is not learned is -1."""
    arrays = asked.cells[asked.image], asked.sights[asked.image], asked.sentence, asked.words
    with torch.no_grad():
        outputs = net(*(torch.from_numpy(one) for one in arrays))
    return outputs, torch.from_numpy(asked.answer)


def accuracy(net: Together, asked: VisualMaterial) -> float:
    told, answer = predict(net, asked)
    return float((told.argmax(1) == answer).float().mean())


def calibration(told: Tensor, answer: Tensor) -> dict[str, object]:
    """By how much logits are sharpened so that chances fit best, and how often the first answer is right by its chance:
    bins of equal counts, made to rise (pool adjacent violators)."""
    known = answer >= 0
    losses = [float(functional.cross_entropy(told[known] * float(s), answer[known])) for s in SHARPNESS_GRID]
    sharpness = float(SHARPNESS_GRID[int(np.argmin(losses))])
    share, first = (told * sharpness).softmax(1).max(1)
    order = share.argsort()
    bins = [b for b in np.array_split(order.numpy(), BINS) if len(b)]
    shares = [float(share[b].mean()) for b in bins]
    pooled = [[float((first[b] == answer[b]).float().mean()), 1] for b in bins]
    n = 0
    while n + 1 < len(pooled):
        if pooled[n][0] > pooled[n + 1][0]:
            (one, some), (other, more) = pooled[n], pooled[n + 1]
            pooled[n : n + 2] = [[(one * some + other * more) / (some + more), some + more]]
            n = max(0, n - 1)
        else:
            n += 1
    return {
        "sharpness": sharpness,
        "shares": shares,
        "right": [value for value, count in pooled for _ in range(int(count))],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--daquar", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=BUNDLED)
    given = parser.parse_args()
    asked = read_questions(given.daquar)
    part = split_pictures(one.image for one in asked)
    learnable = [one for one in asked if part[one.image] != "held"]
    answers, words = answers_of(learnable), words_of(learnable)
    material = prepare(given.daquar, asked, answers, words)
    tuned, held, vocabulary = material.among("tune"), material.among("held"), len(words) + 2

    tuning = train_together(material, vocabulary, "train")
    blind = train_together(material, vocabulary, "train", "tune", looking=False)
    net = train_together(material, vocabulary, "train", "tune")
    figures = {
        "tuned": accuracy(tuning, tuned),
        "held": accuracy(net, held),
        "blind": accuracy(blind, held),
        "pictures": len(part),
        "questions": len(asked),
        "answers": len(answers),
    }
    path = given.out / "visual-answers.onnx"
    calibrated = calibration(*predict(tuning, tuned))
    export(net, path, {"answers": answers, "words": words, "calibration": calibrated, "figures": figures})
    card.write(given.out, figures)
    print(figures)
    print(f"{path}: {path.stat().st_size:,} bytes, SHA-256 {sha256(path)}")


if __name__ == "__main__":
    main()
