"""The network that answers questions about pictures, in PyTorch."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from embeddings.visual_answers import CELLS, CHANNELS, OBJECTS

WHOLE: Final = 386 + 256
SENTENCE: Final = 384
HIDDEN: Final = 384
WORD: Final = 96
GLIMPSES: Final = 2
SENTENCES, VECTORS = 20.0, 10.0
"""What unit vectors are multiplied with, so that their values are about one."""
DROPPED: Final = 0.5
SIDE: Final = 9


class VisualNet(nn.Module):  # type: ignore[misc]
    """`looking=False` is the same network without any picture: what questions alone tell."""

    def __init__(self, answers: int, words: int, looking: bool = True) -> None:
        super().__init__()
        self.looking = looking
        self.words = nn.Embedding(words + 2, WORD, padding_idx=0)
        self.order = nn.Conv1d(WORD, HIDDEN, 3, padding=1)
        self.asked = nn.Sequential(nn.Linear(SENTENCE + HIDDEN, HIDDEN), nn.Tanh(), nn.Dropout(DROPPED))
        self.cells = nn.Linear(CHANNELS + 2, HIDDEN)
        self.towards = nn.ModuleList(nn.Linear(HIDDEN, HIDDEN) for _ in range(GLIMPSES))
        self.weigh = nn.ModuleList(nn.Linear(HIDDEN, 1) for _ in range(GLIMPSES))
        self.seen = nn.Sequential(nn.Linear(WHOLE + 3 * OBJECTS, HIDDEN), nn.Tanh(), nn.Dropout(DROPPED))
        self.gate = nn.Linear(HIDDEN, HIDDEN)
        self.blind = nn.Sequential(nn.Dropout(DROPPED), nn.Linear(HIDDEN, answers))
        self.answer = nn.Sequential(nn.Dropout(DROPPED), nn.Linear(2 * HIDDEN, answers))
        places = torch.linspace(-1, 1, SIDE)
        grid = torch.stack(torch.meshgrid(places, places, indexing="ij"), dim=-1).reshape(CELLS, 2)
        self.register_buffer("places", grid)

    def forward(self, cells: Tensor, whole: Tensor, objects: Tensor, sentence: Tensor, words: Tensor) -> Tensor:
        """(B, 81, 352), (B, 642), (B, 240), (B, 384), (B, 24) → (B, answers) logits."""
        read = torch.relu(self.order(self.words(words).transpose(1, 2)))
        question = self.asked(torch.cat([SENTENCES * sentence, read.amax(dim=2)], dim=1))
        logits: Tensor = self.blind(question)
        if not self.looking:
            return logits
        grid = torch.cat([cells, self.places.expand(cells.shape[0], -1, -1)], dim=2)
        shown = torch.tanh(self.cells(nn.functional.dropout(grid, 0.2, self.training)))
        looking = question
        for towards, weigh in zip(self.towards, self.weigh, strict=True):
            attention = torch.softmax(weigh(torch.tanh(shown + towards(looking).unsqueeze(1))).squeeze(2), dim=1)
            looking = looking + (attention.unsqueeze(2) * shown).sum(dim=1)
        whole = self.seen(torch.cat([VECTORS * whole, objects], dim=1))
        both = torch.cat([looking, whole * torch.sigmoid(self.gate(question))], dim=1)
        return logits + self.answer(both)
