"""Train the sound tower's head on Whisper's encoder, then calibrate and measure it.

    python -m crossmedia.embeddings.train.sound_tower --data ../shared/data --out embeddings/bundled

writes `sound-tower.npz`, `backgrounds-sound.json` and the card `sound.md`, and prints the figures and what to pin in
`embeddings/cards.toml`. About four minutes on two cores, without torch. The anchors are vectors of the text tower
bundled at that time and pictures those of its picture tower, so run it again, last, whenever either is trained anew.

Learned: on ESC-10 (K. J. Piczak 2015, CC BY 3.0), LibriSpeech (Panayotov et al. 2015, CC BY 4.0) for speech, and made
sounds. All that is chosen or calibrated is so on ESC-10's folds held out. UrbanSound8K (CC BY-NC) is only measured on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.builtin import towers
from crossmedia.embeddings.cards import SOUND
from crossmedia.embeddings.catalog import BUNDLED, Catalog, sha256
from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.encoder import Encoder, Vectors, normalise
from crossmedia.embeddings.query_bank import content
from crossmedia.embeddings.sound_head import SoundHead, save, softmax, standardise
from crossmedia.embeddings.speech import Whisper
from crossmedia.embeddings.train import sound_card, sound_measure
from crossmedia.embeddings.train.sound_data import FOLDS, Matrix, Sounds, balance, load_learned, load_spoken, load_urban
from crossmedia.embeddings.train.sound_kinds import SOUND_KINDS, TEMPLATES

DECAY: Final = 0.003
"""Of the weights, squared."""
STEPS: Final = 300
RIDGE: Final = 1.0


def words(text: Encoder[str]) -> Callable[[list[str]], Vectors]:
    """Texts → (N, 512) unit rows of the map of words, without the two dimensions of the query bank."""
    return lambda texts: content(text.encode(texts).vectors["common"])


def anchors(said: Callable[[list[str]], Vectors]) -> Vectors:
    """(K, 512): of each kind the mean of its words in all templates."""
    means = [
        said([template.format(w) for w in kind.words for template in TEMPLATES]).mean(axis=0) for kind in SOUND_KINDS
    ]
    return normalise(np.stack(means))


def fit(sounds: Sounds, targets: Vectors) -> SoundHead:
    """Softmax over anchors, kinds weighing the same, by Nesterov's accelerated gradient; temperature still 1."""
    mean, deviation = _scale(sounds)
    rows = standardise(sounds.features, mean, deviation)
    x = np.hstack([rows, np.ones((len(rows), 1), np.float32)])
    y = _numbers(sounds)[:, None] == np.arange(len(SOUND_KINDS))
    share = balance(sounds.kinds).astype(np.float32)[:, None]
    # Half the largest curvature of the loss bounds the step (Böhning 1992).
    step = 1 / (0.5 * _largest(x * np.sqrt(share)) + DECAY)
    decay = np.full((x.shape[1], 1), DECAY, np.float32)
    decay[-1] = 0
    weights = ahead = np.zeros((x.shape[1], len(SOUND_KINDS)), np.float32)
    for n in range(STEPS):
        slope = x.T @ ((softmax(x @ ahead) - y) * share) + decay * ahead
        stepped = ahead - np.float32(step) * slope
        ahead = stepped + np.float32(n / (n + 3)) * (stepped - weights)
        weights = stepped
    names, told = tuple(kind.name for kind in SOUND_KINDS), tuple(kind.source == "esc10" for kind in SOUND_KINDS)
    return SoundHead(mean, deviation, weights, targets, 1.0, names, told)


def ridge(sounds: Sounds, targets: Vectors) -> Callable[[Matrix], Vectors]:
    """The plain alternative: a linear map to the anchors by least squares. Measured beside the softmax."""
    mean, deviation = _scale(sounds)
    rows = standardise(sounds.features, mean, deviation)
    x = np.hstack([rows, np.ones((len(rows), 1), np.float32)]).astype(np.float64)
    weighed = x * balance(sounds.kinds)[:, None] * len(SOUND_KINDS)
    solved = np.linalg.solve(weighed.T @ x + RIDGE * np.eye(x.shape[1]), weighed.T @ targets[_numbers(sounds)])
    return lambda features: normalise(standardise(features, mean, deviation) @ solved[:-1] + solved[-1])


def temperature(chances: Matrix, kinds: NDArray[np.int64], share: NDArray[np.float64]) -> float:
    """What to divide the logits by so that held-out kinds are likeliest (Guo et al. 2017), to about 1 %."""
    logits = np.log(np.maximum(chances, 1e-30))
    tried = np.geomspace(0.1, 10, 400)
    mine = np.arange(len(kinds)), kinds
    losses = [-(share * np.log(softmax((logits / t).astype(np.float32))[mine] + 1e-12)).sum() for t in tried]
    return float(tried[int(np.argmin(losses))])


def _scale(sounds: Sounds) -> tuple[Matrix, Matrix]:
    real = sounds.features[sounds.recorded]
    return real.mean(axis=0), real.std(axis=0)


def _numbers(sounds: Sounds) -> NDArray[np.int64]:
    place = {kind.name: n for n, kind in enumerate(SOUND_KINDS)}
    return np.array([place[name] for name in sounds.kinds.tolist()])


def _largest(matrix: Matrix) -> float:
    """Largest squared singular value, by power iteration, a little over."""
    vector = np.ones(matrix.shape[1], np.float32)
    for _ in range(30):
        vector = matrix.T @ (matrix @ vector)
        size = float(np.linalg.norm(vector))
        vector /= size
    return 1.05 * size


def train(sounds: Sounds, said: Callable[[list[str]], Vectors]) -> tuple[SoundHead, Matrix, Vectors]:
    """The head of all sounds; and of each sound the probabilities, calibrated, and the ridge's vector from its fold
    held out."""
    targets = anchors(said)
    held = np.zeros((len(sounds.kinds), len(SOUND_KINDS)), np.float32)
    plain = np.zeros((len(sounds.kinds), DIM), np.float32)
    for fold in FOLDS:
        out = sounds.folds == fold
        held[out] = fit(sounds[~out], targets).chances(sounds.features[out])
        plain[out] = ridge(sounds[~out], targets)(sounds.features[out])
    real = sounds[sounds.recorded]
    measured = temperature(held[sounds.recorded], _numbers(real), balance(real.kinds))
    whole = fit(sounds, targets)
    head = SoundHead(whole.mean, whole.deviation, whole.weights, targets, measured, whole.names, whole.told)
    return head, softmax((np.log(np.maximum(held, 1e-30)) / measured).astype(np.float32)), plain


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, learn, write, print."""
    parser = argparse.ArgumentParser(description="Train, calibrate and measure the sound tower's head.")
    parser.add_argument("--data", type=Path, required=True, help="folder with esc10, speakers, urbansound8k, …")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder the results are written to")
    parser.add_argument("--models", type=Path, help="a models folder with Whisper, where its package is absent")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args(arguments)
    whisper = Whisper(Catalog(asked.models).resolve("whisper-tiny.en"), asked.threads)
    text, picture, _ = towers(Catalog(asked.models), asked.threads)
    asked.out.mkdir(parents=True, exist_ok=True)

    sounds = load_learned(asked.data, whisper)
    head, held, plain = train(sounds, words(text))
    path = asked.out / "sound-tower.npz"
    head = save(head, path)
    measured = sound_measure.Measured(head, sounds, held, plain, text, picture)
    measured_values: dict[str, Any] = {"backgrounds": measured.calibrations(asked.data / "flickr8k")}
    measured_values["figures"] = measured.figures() | measured.measure_unlearned(
        load_urban(asked.data, whisper), load_spoken(asked.data, whisper)
    )
    (asked.out / "backgrounds-sound.json").write_text(json.dumps(measured_values, indent=1) + "\n", "utf-8")
    sound_card.write(asked.out, whisper.model, measured_values["figures"])
    print(json.dumps(measured_values, indent=1))
    for file in SOUND.files:
        made = asked.out / file.name
        if made.is_file():
            print(f'ModelFile("{file.name}", "{sha256(made)}", {made.stat().st_size}),')


if __name__ == "__main__":
    main()
