"""AASIST-L as a PyTorch network, whose parameters are named as in the published weights.

J. Jung, H.-S. Heo, H. Tak, H. Shim, J. S. Chung, B.-J. Lee, H.-J. Yu and N. Evans, "AASIST: audio anti-spoofing using
integrated spectro-temporal graph attention networks" (ICASSP 2022, arXiv:2110.01200). For use only: nothing here drops
out or is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, max_pool2d, selu

from crossmedia.embeddings.media import SAMPLE_RATE

FILTERS: Final = 70
TAPS: Final = 129
BLOCKS: Final = ((1, 32), (32, 32), (32, 24), (24, 24), (24, 24), (24, 24))
"""Channels into and out of each residual block."""
BANDS: Final = 23
"""Frequencies that the blocks leave: nodes of the spectral graph."""
NARROW, WIDE = 24, 32
"""What a node is described by, before and after the two graphs are joined."""
POOLING_RATIOS: Final = {
    "pool_S": 0.4,
    "pool_T": 0.5,
    "pool_hS1": 0.7,
    "pool_hT1": 0.7,
    "pool_hS2": 0.7,
    "pool_hT2": 0.7,
}
"""Share of its nodes that each pooling keeps."""
ALONE, JOINED = 2.0, 100.0
"""Temperatures of attention within one graph and in the joined one."""


def band_passes() -> Tensor:
    """(70, 1, 129): windowed sincs between neighbouring steps of the mel scale from 0 to 8 kHz; not trained, so not
    among the weights."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, FILTERS + 1) / 2595) - 1)
    times = np.arange(TAPS) - TAPS // 2
    shares = 2 * edges[:, None] / SAMPLE_RATE
    low_passes = shares * np.sinc(shares * times)
    return torch.tensor(np.diff(low_passes, axis=0) * np.hamming(TAPS), dtype=torch.float32)[:, None]


class Block(nn.Module):  # type: ignore[misc]
    """Two convolutions beside a way around them. The weights hold a first normalisation that the published network
    computes and does not use; it is here for its name only."""

    def __init__(self, before: int, after: int, *, first: bool) -> None:
        super().__init__()
        if not first:
            self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, after, (2, 3), padding=(1, 1))
        self.bn2 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, (2, 3), padding=(0, 1))
        self.conv_downsample = nn.Conv2d(before, after, (1, 3), padding=(0, 1)) if before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(selu(self.bn2(self.conv1(x))))
        return max_pool2d(y + self.conv_downsample(x), (1, 3))


class Attention(nn.Module):  # type: ignore[misc]
    """A layer of graph attention over nodes (N, nodes, in) of one kind."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.att_proj = nn.Linear(before, after)
        self.att_weight = nn.Parameter(torch.empty(after, 1))
        self.proj_with_att = nn.Linear(before, after)
        self.proj_without_att = nn.Linear(before, after)
        self.bn = nn.BatchNorm1d(after)

    def forward(self, x: Tensor) -> Tensor:
        strength = (_pairwise(x, self.att_proj) @ self.att_weight)[..., 0]
        output = torch.softmax(strength / ALONE, dim=-1) @ x
        return _normal(self.bn, self.proj_with_att(output) + self.proj_without_att(x))


class JoinedAttention(nn.Module):  # type: ignore[misc]
    """The same over nodes of two kinds, with weights for either kind and between them, and a master node that hears
    all."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.proj_type1, self.proj_type2 = nn.Linear(before, before), nn.Linear(before, before)
        self.att_proj, self.att_projM = nn.Linear(before, after), nn.Linear(before, after)
        for kinds in ("11", "22", "12", "M"):
            self.register_parameter(f"att_weight{kinds}", nn.Parameter(torch.empty(after, 1)))
        self.proj_with_att, self.proj_without_att = nn.Linear(before, after), nn.Linear(before, after)
        self.proj_with_attM, self.proj_without_attM = nn.Linear(before, after), nn.Linear(before, after)
        self.bn = nn.BatchNorm1d(after)

    def forward(self, first: Tensor, second: Tensor, master: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count = first.shape[1]
        x = torch.cat([self.proj_type1(first), self.proj_type2(second)], 1)
        pairs = _pairwise(x, self.att_proj)
        above = torch.cat(
            [pairs[:, :count, :count] @ self.att_weight11, pairs[:, :count, count:] @ self.att_weight12], 2
        )
        below = torch.cat(
            [pairs[:, count:, :count] @ self.att_weight12, pairs[:, count:, count:] @ self.att_weight22], 2
        )
        strength = torch.cat([above, below], 1)[..., 0]
        heard = torch.tanh(self.att_projM(x * master)) @ self.att_weightM
        heard = torch.softmax(heard / JOINED, dim=1).transpose(1, 2) @ x
        master = self.proj_with_attM(heard) + self.proj_without_attM(master)
        output = torch.softmax(strength / JOINED, dim=-1) @ x
        y = _normal(self.bn, self.proj_with_att(output) + self.proj_without_att(x))
        return y[:, :count], y[:, count:], master


class Pool(nn.Module):  # type: ignore[misc]
    """Keeps the share `kept` of the nodes, the highest rated first, each times its rate."""

    def __init__(self, width: int, kept: float) -> None:
        super().__init__()
        self.kept = kept
        self.proj = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        rate = torch.sigmoid(self.proj(x))
        best = torch.topk(rate, max(1, int(x.shape[1] * self.kept)), dim=1).indices
        return torch.gather(x * rate, 1, best.expand(-1, -1, x.shape[2]))


class AasistL(nn.Module):  # type: ignore[misc]
    """`sound` (N, 64,600) samples at 16 kHz → `logits` (N, 2): spoofed, bona fide."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.register_buffer("bands", band_passes(), persistent=False)
        self.first_bn = nn.BatchNorm2d(1)
        blocks = [Block(before, after, first=n == 0) for n, (before, after) in enumerate(BLOCKS)]
        self.encoder = nn.Sequential(*(nn.Sequential(block) for block in blocks))
        self.pos_S = nn.Parameter(torch.empty(1, BANDS, NARROW))
        self.master1, self.master2 = (nn.Parameter(torch.empty(1, 1, NARROW)) for _ in range(2))
        self.GAT_layer_S, self.GAT_layer_T = Attention(NARROW, NARROW), Attention(NARROW, NARROW)
        for way in "12":
            setattr(self, f"HtrgGAT_layer_ST{way}1", JoinedAttention(NARROW, WIDE))
            setattr(self, f"HtrgGAT_layer_ST{way}2", JoinedAttention(WIDE, WIDE))
        for name, kept in POOLING_RATIOS.items():
            setattr(self, name, Pool(WIDE if "h" in name else NARROW, kept))
        self.out_layer = nn.Linear(5 * WIDE, 2)
        self.load_state_dict(weights)

    def forward(self, sound: Tensor) -> Tensor:
        x = max_pool2d(conv1d(sound[:, None], self.bands).abs()[:, None], 3)
        seen = self.encoder(selu(self.first_bn(x))).abs()
        bands = self.pool_S(self.GAT_layer_S(seen.amax(3).transpose(1, 2) + self.pos_S))
        times = self.pool_T(self.GAT_layer_T(seen.amax(2).transpose(1, 2)))
        ways = [self._way(way, times, bands) for way in "12"]
        times, bands, master = (torch.maximum(one, other) for one, other in zip(*ways, strict=True))
        output = [times.abs().amax(1), times.mean(1), bands.abs().amax(1), bands.mean(1), master[:, 0]]
        return self.out_layer(torch.cat(output, 1))

    def _way(self, way: str, times: Tensor, bands: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One of two ways through the joined graph."""
        part = dict(self.named_children())
        master = getattr(self, f"master{way}").expand(times.shape[0], -1, -1)
        times, bands, master = part[f"HtrgGAT_layer_ST{way}1"](times, bands, master)
        times, bands = part[f"pool_hT{way}"](times), part[f"pool_hS{way}"](bands)
        more = part[f"HtrgGAT_layer_ST{way}2"](times, bands, master)
        return times + more[0], bands + more[1], master + more[2]


def _pairwise(x: Tensor, projection: nn.Linear) -> Tensor:
    """(N, nodes, nodes, out): what any two nodes have in common."""
    return torch.tanh(projection(x[:, :, None] * x[:, None]))


def _normal(norm: nn.BatchNorm1d, x: Tensor) -> Tensor:
    return selu(norm(x.transpose(1, 2)).transpose(1, 2))
