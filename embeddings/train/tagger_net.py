"""EfficientAT's mn04 in PyTorch: MobileNetV3-Large at 0.4 of its width over log-mel spectrograms.

F. Schmid, K. Koutini and G. Widmer, "Efficient large-scale audio tagging via transformer-to-CNN knowledge distillation"
(ICASSP 2023); A. Howard et al., "Searching for MobileNetV3" (ICCV 2019). Written anew; module names are those of the
published weights.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

EPSILON: Final = 1e-3
"""Of the batch normalisation."""
LAYERS: Final = (
    (False, False, 1),
    (False, False, 2),
    (False, False, 1),
    (True, False, 2),
    (True, False, 1),
    (True, False, 1),
    (False, True, 2),
    (False, True, 1),
    (False, True, 1),
    (False, True, 1),
    (True, True, 1),
    (True, True, 1),
    (True, True, 2),
    (True, True, 1),
    (True, True, 1),
)
"""Of each block whether it squeezes and excites, whether its activation is the hard swish (else ReLU), its stride;
widths and kernels are those of the weights."""


class _Squeeze(nn.Module):  # type: ignore[misc]
    """Weighs channels by what all of the spectrogram says of them."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(channels, inner), nn.Linear(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean((2, 3))))))
        return x * weights[:, :, None, None]


class _Concurrent(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.conc_se_layers = nn.ModuleList([_Squeeze(channels, inner)])

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.conc_se_layers[0](x)
        return output


def _conv(weight: Tensor, stride: int, activation: type[nn.Module] | None, *, deep: bool = False) -> nn.Sequential:
    """A convolution of these weights' shape, normalised; `deep`: each channel by itself."""
    out, inner, kernel = weight.shape[0], weight.shape[1], weight.shape[2]
    groups = out if deep else 1
    layers: list[nn.Module] = [
        nn.Conv2d(inner * groups, out, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out, eps=EPSILON),
    ]
    return nn.Sequential(*layers, *([activation()] if activation else []))


class _Block(nn.Module):  # type: ignore[misc]
    def __init__(self, weights: Mapping[str, Tensor], swish: bool, squeezes: bool, stride: int) -> None:
        super().__init__()
        activation = nn.Hardswish if swish else nn.ReLU
        numbers = sorted({int(name.split(".")[0]) for name in weights})
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        for number in numbers:
            if squeezes and number == numbers[-2]:
                inner = weights[f"{number}.conc_se_layers.0.fc1.weight"]
                parts[str(number)] = _Concurrent(inner.shape[1], inner.shape[0])
                continue
            weight = weights[f"{number}.0.weight"]
            last = number == numbers[-1]
            deep = weight.shape[2] > 1
            parts[str(number)] = _conv(weight, stride if deep else 1, None if last else activation, deep=deep)
        self.block = nn.Sequential(parts)
        first, last_weight = weights[f"{numbers[0]}.0.weight"], weights[f"{numbers[-1]}.0.weight"]
        came = first.shape[0] if first.shape[1] == 1 and first.shape[2] > 1 else first.shape[1]
        self.same = stride == 1 and came == last_weight.shape[0]

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.block(x)
        return output + x if self.same else output


class Mn04(nn.Module):  # type: ignore[misc]
    """(B, 1, 128, frames) normalised log-mels → (B, 527) logits."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_conv(weights["features.0.0.weight"], 2, nn.Hardswish)]
        for number, (squeezes, swish, stride) in enumerate(LAYERS, start=1):
            start = f"features.{number}.block."
            own = {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
            blocks.append(_Block(own, swish, squeezes, stride))
        blocks.append(_conv(weights["features.16.0.weight"], 1, nn.Hardswish))
        self.features = nn.Sequential(*blocks)
        first, last = weights["classifier.2.weight"], weights["classifier.5.weight"]
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(1),
            nn.Linear(first.shape[1], first.shape[0]),
            nn.Hardswish(),
            nn.Dropout(0.2),
            nn.Linear(last.shape[1], last.shape[0]),
        )
        self.load_state_dict(dict(weights))

    def forward(self, mels: Tensor) -> Tensor:
        output: Tensor = self.classifier(self.features(mels))
        return output
