"""Trains the heads, then the heads together with the last blocks of the picture network.

The blocks below stay as they are and are already quantised: their output on every picture is computed once (`maps`), so
that the CPU of a laptop is enough, and what is trained sees the same rounding as what ships. BatchNorm is folded into
the convolutions. The classes of ImageNet are kept by distilling the untrained network's (Li and Hoiem, "Learning
without forgetting", 2016). What ships is the moving average of the weights.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from crossmedia.embeddings.train import lite2
from crossmedia.embeddings.train.head import Heads, Objective
from crossmedia.embeddings.train.material import Material

PHOTOS, THINGS = 448, 96
"""Of each in a batch."""
WARM_EPOCHS, WARM_RATE, WARM_DECAY = 24, 1e-3, 0.05
"""Heads alone on the features of the untrained network; epochs of the photos."""
STEPS, BODY_RATE, HEAD_RATE, DECAY, RISE = 150, 1.5e-4, 5e-4, 0.05, 0.2
DISTILLATION_WEIGHT: Final = 0.5
"""Weight of the distillation of classes."""
AVERAGE: Final = 0.98


class Tail(nn.Module):  # type: ignore[misc]
    """The network from `lite2.TAPPED` on: quantised maps (N, C, H, W) uint8 → features (N, 1280)."""

    def __init__(self, net: lite2.Lite2, scale: float, zero: int) -> None:
        """`scale`, `zero`: of the quantisation of the maps."""
        super().__init__()
        self.blocks, self.top, self.classifier = lite2.fold_tail(net)
        self.scale, self.zero = scale, zero

    def forward(self, maps: Tensor) -> Tensor:
        x = (maps.float() - self.zero) * self.scale
        with torch.autocast("cpu", dtype=torch.bfloat16):
            for block in self.blocks:
                x = block(x)
            x = nn.functional.relu6(self.top(x))
        return x.float().mean((2, 3))


@dataclass(frozen=True, eq=False)
class TrainedNets:
    """The heads and the tail, in inference mode."""

    heads: Heads
    tail: Tail


def train(
    material: Material, strangers: NDArray[np.float32], net: lite2.Lite2, scale: float, zero: int, seed: int
) -> TrainedNets:
    """Both stages. `strangers`: (M, 1152) text vectors; `net`: the untrained network; `scale`, `zero`: of the maps."""
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    tail, heads = Tail(net, scale, zero), Heads(material.texts.shape[1])
    objective = Objective(material, strangers, chance)
    drawn = batches(material.photos, material.maps.shape[:2], (PHOTOS, THINGS), chance)

    frozen = torch.stack([features(tail, material.maps[:, view]) for view in range(material.maps.shape[1])], 1)
    steps = WARM_EPOCHS * material.photos // PHOTOS
    optimiser = torch.optim.AdamW(heads.parameters(), lr=WARM_RATE, weight_decay=WARM_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, WARM_RATE, total_steps=steps + 1)
    for items, view in itertools.islice(drawn, steps):
        step(optimiser, schedule, objective(heads, frozen[items, view], items))
    del frozen

    both = nn.ModuleList([heads, tail])
    average = copy.deepcopy(both)
    groups: list[dict[str, Any]] = [
        {"params": tail.parameters(), "lr": BODY_RATE},
        {"params": heads.parameters(), "lr": HEAD_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [BODY_RATE, HEAD_RATE], total_steps=STEPS + 1, pct_start=RISE
    )
    shown = track(itertools.islice(drawn, STEPS), "fine-tuning", STEPS)
    for number, (items, view) in enumerate(shown):
        seen = tail(torch.from_numpy(material.maps[items, view]))
        known = torch.from_numpy(material.logits[items, view].astype(np.float32)).log_softmax(1)
        log_probabilities = tail.classifier(seen).log_softmax(1)
        forgotten = nn.functional.kl_div(log_probabilities, known, log_target=True, reduction="batchmean")
        step(optimiser, schedule, objective(heads, seen, items) + DISTILLATION_WEIGHT * forgotten)
        follow(average, both, number)
    return TrainedNets(average[0].eval(), average[1].eval())


@torch.no_grad()  # type: ignore[untyped-decorator]
def follow(average: nn.Module, trained: nn.Module, number: int) -> None:
    """Move the average of the weights after step `number`, from 0: the first steps count for less."""
    share = min(AVERAGE, (1 + number) / (10 + number))
    for slow, fast in zip(average.parameters(), trained.parameters(), strict=True):
        slow.lerp_(fast, 1 - share)


def step(optimiser: torch.optim.Optimizer, schedule: Any, loss: Tensor) -> None:
    """One of the optimiser and its schedule."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()


@torch.no_grad()  # type: ignore[untyped-decorator]
def features(tail: Tail, maps: NDArray[np.uint8], size: int = 128) -> Tensor:
    """(N, C, H, W) quantised maps → (N, 1280)."""
    return torch.cat([tail(torch.from_numpy(maps[n : n + size])) for n in range(0, len(maps), size)])


def batches(
    photos: int, shape: tuple[int, ...], sizes: tuple[int, int], chance: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Items and the view of each, without end: every photo once before any comes again, and every other item.

    `shape`: how many items there are, of which the first are the `photos`, and views of each; `sizes`: photos and other
    items of a batch.
    """
    count, views = shape
    shown = shuffle(np.arange(photos), sizes[0], chance)
    rest = shuffle(np.arange(photos, count), sizes[1], chance)
    for pair in zip(shown, rest, strict=True):
        items = np.concatenate(pair)
        yield items, chance.integers(views, size=len(items))


def shuffle(items: NDArray[np.int64], size: int, chance: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Batches without end, each item once before any comes again."""
    while True:
        order = chance.permutation(items)
        for n in range(0, len(items) - size + 1, size):
            yield order[n : n + size]
