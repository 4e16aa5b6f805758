"""Learns to answer questions about pictures from DAQUAR.

    python -m embeddings.train.visual_answers --daquar ../shared/data/daquar --out embeddings/bundled

writes `visual-answers.onnx` and its card and prints what to pin in `embeddings/cards.py`. A fifth of the pictures is held out
(`visual_data.parts`): nothing is fitted, chosen or calibrated on it. Settings were chosen, and chances are calibrated, on another
tenth; then two networks and a kernel machine (`visual_kernel`) are learned from that too, and ship as one. The same is done once
without looking at pictures, to tell what looking adds.
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

from embeddings.catalog import BUNDLED, sha256
from embeddings.text import MiniLM
from embeddings.train import visual_answers_card as card
from embeddings.train.visual_data import Pictures, Questions, answers_of, looked_at, parts, prepared, read, words_of
from embeddings.train.visual_graph import export
from embeddings.train.visual_kernel import FAR, Kernel
from embeddings.train.visual_net import VisualNet

EPOCHS: Final = 14
RATE: Final = 1e-3
DECAY: Final = 0.1
BATCH: Final = 128
SOFT: Final = 0.25
"""How much of an answer's mark goes to answers that mean nearly the same, by their sentence vectors."""
NEAR: Final = 12.0
CUT: Final = 0.1
"""Share of words that are hidden while learning."""
NETWORKS: Final = 2
KERNEL: Final = 0.7
"""How much of the answer is the kernel machine's; the rest is the networks'."""
LEAST: Final = 1e-4
"""A probability, before it is taken the logarithm of."""
SHARP: Final = np.linspace(0.4, 2.5, 43)
BINS: Final = 8


class Material:
    """Everything as tensors. Cells are standardised by their mean and spread over the pictures that are learned from."""

    def __init__(self, pictures: Pictures, asked: Questions, part: NDArray[np.str_], answers: list[str]) -> None:
        self.part, self.asked = part, asked
        cells = torch.from_numpy(pictures.cells.astype(np.float32))
        seen = torch.from_numpy(np.unique(asked.image[part != "held"]))
        self.mean, self.spread = cells[seen].mean((0, 1, 2)), cells[seen].std((0, 1, 2)) + 1e-3
        self.cells = ((cells - self.mean) / self.spread).clamp(-FAR, FAR)
        self.whole = torch.from_numpy(pictures.whole.astype(np.float32))
        self.objects = torch.from_numpy(pictures.objects.astype(np.float32))
        self.sights = torch.from_numpy(pictures.sights)
        self.image, self.answer = torch.from_numpy(asked.image), torch.from_numpy(asked.answer)
        self.words, self.sentence = torch.from_numpy(asked.words), torch.from_numpy(asked.sentence)
        meant = torch.from_numpy(MiniLM(BUNDLED).encode(answers).vectors["text"])
        near = torch.softmax(meant @ meant.T * NEAR, dim=1)
        self.marks = functional.one_hot(torch.arange(len(answers))).float() * (1 - SOFT) + SOFT * near

    def rows(self, among: tuple[str, ...]) -> NDArray[np.int64]:
        """Questions of these parts whose answers can be learned."""
        return np.flatnonzero(np.isin(self.part, among) & (self.asked.answer >= 0))

    def inputs(self, rows: Tensor, view: Tensor) -> tuple[Tensor, ...]:
        """Of these questions, each with a view of its picture: 1 is the mirrored one."""
        mirrored = (view == 1).long()
        image = self.image[rows]
        return (
            self.cells[image, view], self.whole[image, view], self.objects[image, view], self.sentence[rows, mirrored],
            self.words[rows, mirrored],
        )  # fmt: skip


def learned(
    material: Material, answers: int, words: int, seed: int, among: tuple[str, ...], looking: bool
) -> VisualNet:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = VisualNet(answers, words, looking)
    rows = material.rows(among)
    steps = len(rows) // BATCH
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps + 1, pct_start=0.2)
    for _ in range(EPOCHS):
        net.train()
        order = rng.permutation(rows)
        for step in range(steps):
            some = torch.from_numpy(order[step * BATCH : (step + 1) * BATCH])
            *seen, sentence, words_read = material.inputs(
                some, torch.from_numpy(rng.integers(0, material.cells.shape[1], len(some)))
            )
            hidden = (torch.rand(words_read.shape) < CUT) & (words_read > 0)
            told = net(*seen, sentence, torch.where(hidden, torch.ones_like(words_read), words_read))
            loss = -(material.marks[material.answer[some]] * told.log_softmax(1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()
    print(f"network {seed}{'' if looking else ' without looking'}", flush=True)
    net.eval()
    return net


class Together(nn.Module):  # type: ignore[misc]
    """Networks and the kernel machine as one, from cells as they are seen."""

    def __init__(self, nets: list[VisualNet], kernel: Kernel, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)
        self.kernel = kernel
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def forward(
        self, cells: Tensor, whole: Tensor, objects: Tensor, sentence: Tensor, words: Tensor, sights: Tensor
    ) -> Tensor:
        """Log-probabilities, (B, answers)."""
        cells = ((cells - self.mean) / self.spread).clamp(-FAR, FAR)
        told = torch.stack([net(cells, whole, objects, sentence, words).log_softmax(1) for net in self.nets]).mean(0)
        return ((1 - KERNEL) * told.softmax(1) + KERNEL * self.kernel(sights, sentence)).clamp(min=LEAST).log()


def together(material: Material, answers: int, words: int, among: tuple[str, ...], looking: bool = True) -> Together:
    """Learned from these parts."""
    nets = [learned(material, answers, words, seed, among, looking) for seed in range(NETWORKS)]
    rows = material.rows(among)
    kernel = Kernel(
        material.sights[material.image[rows]].numpy(), material.sentence[rows, 0].numpy(),
        material.marks[material.answer[rows]].numpy(), looking,
    )  # fmt: skip
    net = Together(nets, kernel, material.mean, material.spread)
    net.eval()
    return net


def judged(net: Together, material: Material, which: str) -> tuple[Tensor, Tensor]:
    """(N, answers) log-probabilities of the questions of a part, and their answers; one that is not learned is -1."""
    rows = torch.from_numpy(np.flatnonzero(material.part == which))
    plain = torch.zeros(len(rows), dtype=torch.int64)
    with torch.no_grad():
        inputs = material.inputs(rows, plain)
        cells = inputs[0] * material.spread + material.mean
        told = net(cells, *inputs[1:], material.sights[material.image[rows]])
    return told, material.answer[rows]


def accuracy(net: Together, material: Material, which: str) -> float:
    told, answer = judged(net, material, which)
    return float((told.argmax(1) == answer).float().mean())


def calibration(told: Tensor, answer: Tensor) -> dict[str, object]:
    """By how much logits are sharpened so that chances fit best, and how often the first answer is right by its chance: bins of
    equal counts, made to rise (pool adjacent violators)."""
    known = answer >= 0
    losses = [float(functional.cross_entropy(told[known] * float(s), answer[known])) for s in SHARP]
    sharpness = float(SHARP[int(np.argmin(losses))])
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
    asked = read(given.daquar)
    names = sorted({one.image for one in asked})
    part_of = parts(names)
    learnable = [one for one in asked if part_of[one.image] != "held"]
    answers, words = answers_of(learnable), words_of(learnable)
    questions = prepared(asked, names, answers, words)
    material = Material(
        looked_at(given.daquar, names), questions, np.array([part_of[one.image] for one in asked]), answers
    )

    sizes = len(answers), len(words)
    tuning = together(material, *sizes, ("train",))
    chances = calibration(*judged(tuning, material, "tune"))
    blind = accuracy(together(material, *sizes, ("train", "tune"), looking=False), material, "held")
    net = together(material, *sizes, ("train", "tune"))
    figures = {
        "tuned": accuracy(tuning, material, "tune"), "held": accuracy(net, material, "held"), "blind": blind,
        "pictures": len(names), "questions": len(asked), "answers": len(answers),
    }  # fmt: skip
    path = given.out / "visual-answers.onnx"
    about = {"answers": answers, "words": words, "calibration": chances, "figures": figures}
    export(net, path, about)
    card.write(given.out, figures)
    print(figures)
    print(f"{path}: {path.stat().st_size:,} bytes, SHA-256 {sha256(path)}")


if __name__ == "__main__":
    main()
