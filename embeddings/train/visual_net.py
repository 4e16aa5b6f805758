"""The networks that answer questions about pictures: stacked attention over a grid (Z. Yang et al., CVPR 2016).

They learn to tell what is in the picture as well, whatever is asked, which is also what the answer starts from.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from crossmedia.embeddings.train.visual_data import VisualMaterial
from crossmedia.embeddings.train.visual_sights import Grid, Sights
from crossmedia.embeddings.visual_answers import CELLS, SENTENCE

HIDDEN: Final = 384
WORD: Final = 96
GLIMPSES: Final = 2
LOUD: Final = 20.0
"""What unit vectors are multiplied with, so that their values are about one."""
DROPPED: Final = 0.5
SIDE: Final = 9
EPOCHS: Final = 14
RATE: Final = 1e-3
DECAY: Final = 0.1
BATCH: Final = 128
WORD_DROPOUT: Final = 0.1
"""Share of words that are hidden while learning."""
THINGS: Final = 0.05
"""What a thing that is told wrongly to be in the picture costs, beside a wrong answer."""


class VisualNet(nn.Module):  # type: ignore[misc]
    """`looking=False` is the same network without any picture: what questions alone tell."""

    def __init__(self, usual: Tensor, words: int, grid: int, sight: int, looking: bool = True) -> None:
        """`usual`: (answers,) how often pictures show them; `words`: how many there are by number; `grid` and `sight`:
        values of a cell, and of the whole picture."""
        super().__init__()
        self.looking, answers = looking, len(usual)
        self.words = nn.Embedding(words, WORD, padding_idx=0)
        self.order = nn.Conv1d(WORD, HIDDEN, 3, padding=1)
        self.asked = nn.Sequential(nn.Linear(SENTENCE + HIDDEN, HIDDEN), nn.Tanh(), nn.Dropout(DROPPED))
        self.cells = nn.Linear(grid + 2, HIDDEN)
        self.towards = nn.ModuleList(nn.Linear(HIDDEN, HIDDEN) for _ in range(GLIMPSES))
        self.weigh = nn.ModuleList(nn.Linear(HIDDEN, 1) for _ in range(GLIMPSES))
        self.seen = nn.Sequential(nn.Dropout(0.3), nn.Linear(sight, HIDDEN), nn.Tanh(), nn.Dropout(DROPPED))
        self.gate = nn.Linear(HIDDEN, HIDDEN)
        self.blind = nn.Sequential(nn.Dropout(DROPPED), nn.Linear(HIDDEN, answers))
        self.answer = nn.Sequential(nn.Dropout(DROPPED), nn.Linear(2 * HIDDEN, answers))
        self.things = nn.Linear(HIDDEN, answers, bias=False)
        self.share = nn.Parameter(torch.tensor(0.3))
        self.register_buffer("usual", torch.logit(usual, eps=0.003))
        places = torch.linspace(-1, 1, SIDE)
        self.register_buffer(
            "places", torch.stack(torch.meshgrid(places, places, indexing="ij"), dim=-1).reshape(CELLS, 2)
        )

    def forward(self, grid: Tensor, sight: Tensor, sentence: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 81, grid), (B, sight), (B, 384), (B, 24) → (B, answers) logits of the answer, and of what is in the
        picture."""
        read = torch.relu(self.order(self.words(words).transpose(1, 2)))
        question = self.asked(torch.cat([LOUD * sentence, read.amax(dim=2)], dim=1))
        logits: Tensor = self.blind(question)
        if not self.looking:
            return logits, self.usual.expand_as(logits)
        grid = torch.cat([grid, self.places.expand(grid.shape[0], -1, -1)], dim=2)
        shown = torch.tanh(self.cells(functional.dropout(grid, 0.2, self.training)))
        looking = question
        for towards, weigh in zip(self.towards, self.weigh, strict=True):
            attention = torch.softmax(weigh(torch.tanh(shown + towards(looking).unsqueeze(1))).squeeze(2), dim=1)
            looking = looking + (attention.unsqueeze(2) * shown).sum(dim=1)
        whole = self.seen(LOUD * sight)
        things = self.things(whole)
        both = torch.cat([looking, whole * torch.sigmoid(self.gate(question))], dim=1)
        return logits + self.answer(both) + self.share * things, self.usual + things


def train(
    known: VisualMaterial, marks: Tensor, vocabulary: int, grid: Grid, sights: Sights, seed: int, looking: bool
) -> VisualNet:
    """From questions of which all answers are known, each now and then about the mirror image. `marks`: (n,
    answers)."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    cells, whole = grid(torch.from_numpy(known.cells)), sights(torch.from_numpy(known.sights))
    shown = torch.from_numpy(known.shown).float()
    sentence, words = torch.from_numpy(known.sentence), torch.from_numpy(known.words)
    usual = shown[np.unique(known.image)].mean(0)
    net = VisualNet(usual, vocabulary, cells.shape[3], whole.shape[2], looking)
    steps = len(known.image) // BATCH
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps + 1, pct_start=0.2)
    net.train()
    for _ in range(EPOCHS):
        order = rng.permutation(len(known.image))
        for step in range(steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            view = rng.integers(0, 2, len(rows))
            image, read = known.image[rows], words[rows, view]
            hidden = (torch.rand(read.shape) < WORD_DROPOUT) & (read > 0)
            told, things = net(
                cells[image, view],
                whole[image, view],
                sentence[rows, view],
                torch.where(hidden, torch.ones_like(read), read),
            )
            loss = -(marks[rows] * told.log_softmax(1)).sum(1).mean()
            if looking:
                wrong = functional.binary_cross_entropy_with_logits(things, shown[image], reduction="sum")
                loss = loss + THINGS * wrong / len(rows)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()
    print(f"network {seed}{'' if looking else ' without looking'}", flush=True)
    net.eval()
    return net
