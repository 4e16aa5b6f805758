"""`python -m crossmedia.embeddings.train.question_kinds --out embeddings/bundled`: learns what questions ask for.

Each sentence of `questions.csv` stands for several: its blanks are filled from lists, by turns that depend on nothing
but their place. Held out for the figure are whole sentences, not fillings, since fillings of one sentence are nearly
one.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.question_kinds import NAME
from crossmedia.embeddings.text import MiniLM

SENTENCES: Final = Path(__file__).with_name("questions.csv")
MAX_FILLINGS: Final = 12
"""Fillings of a sentence with blanks."""
DECAY: Final = 2e-4
"""Weight decay, chosen on the held-out sentences."""
FOLDS: Final = 5
FILLERS: Final = {
    "thing": "dog; cat; red car; bicycle; table; lamp; horse; ball; chair; boat; hat; sign; tree; cup; guitar; "
    "helicopter; window; shirt",
    "things": "dogs; cats; cars; bicycles; chairs; horses; people; boats; birds; windows; bottles; children; clocks; "
    "trees; books",
    "medium": "photo; picture; recording; video; film; image; document; clip; sound; page; lecture; file",
    "media": "photos; pictures; recordings; videos; films; images; documents; clips; sounds; files",
    "person": "man; woman; boy; girl; child; player; speaker; person; cyclist; old lady; surfer",
    "people": "people; men; women; children; dogs; players; boys; girls; customers",
    "doing": "running; jumping; riding a horse; swimming; playing football; sitting; smiling; climbing; singing; "
    "barking; walking",
    "topic": "the lighthouse; honey; the storm; bread; bees; the concert; the printing press; the rocket; fog; the "
    "budget; a new contract; the election; the harbour; mice; the orchestra; galaxies",
    "colour": "red; brown; blue; white; black; green; yellow",
    "place": "on the beach; in the snow; outdoors; in a kitchen; at night; near water; in a city",
}


def fill_blanks(sentence: str, number: int) -> Iterator[str]:
    """A sentence's fillings, and each without its mark, since not everybody types one."""
    blanks = re.findall(r"\{(\w+)\}", sentence)
    for turn in range(MAX_FILLINGS if blanks else 1):
        text = sentence
        for place, blank in enumerate(blanks):
            words = FILLERS[blank].split("; ")
            text = text.replace("{" + blank + "}", words[(7 * number + 5 * turn + 3 * place) % len(words)], 1)
        yield text if turn % 3 else text.rstrip("?")


def read_sentences(path: Path = SENTENCES) -> list[tuple[str, str]]:
    """(kind, sentence)."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [(row["kind"], row["question"]) for row in csv.DictReader(stream)]


def fit(
    vectors: NDArray[np.float32], kinds: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, D) rows of kinds in 0..count → the softmax's (D, count) and (count,), each kind weighing the same."""
    dim = vectors.shape[1]
    hot = np.eye(count)[kinds]
    weights = (1 / (count * hot.sum(0)))[kinds][:, None]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        matrix, bias = flat[: dim * count].reshape(dim, count), flat[dim * count :]
        logits = vectors @ matrix + bias
        logits -= logits.max(1, keepdims=True)
        shares = np.exp(logits)
        shares /= shares.sum(1, keepdims=True)
        wrong = (shares - hot) * weights
        value = -float((np.log((shares * hot).sum(1)) * weights[:, 0]).sum()) + DECAY / 2 * float((matrix**2).sum())
        return value, np.concatenate([(vectors.T @ wrong + DECAY * matrix).ravel(), wrong.sum(0)])

    best = minimize(loss, np.zeros((dim + 1) * count), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return best[: dim * count].reshape(dim, count).astype(np.float32), best[dim * count :].astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=BUNDLED)
    out: Path = parser.parse_args().out
    sentences = read_sentences()
    names = sorted({kind for kind, _ in sentences})
    texts = [(n, names.index(kind), text) for n, (kind, said) in enumerate(sentences) for text in fill_blanks(said, n)]
    vectors = MiniLM(BUNDLED).encode([text for _, _, text in texts]).vectors["text"]
    kinds = np.array([kind for _, kind, _ in texts])
    folds = np.array([number % FOLDS for number, _, _ in texts])
    right = 0
    for fold in range(FOLDS):
        matrix, bias = fit(vectors[folds != fold], kinds[folds != fold], len(names))
        right += int((np.argmax(vectors[folds == fold] @ matrix + bias, 1) == kinds[folds == fold]).sum())
    print(f"{len(sentences)} sentences, {len(texts)} fillings; of sentences held out {right / len(texts):.1%} right")
    matrix, bias = fit(vectors, kinds, len(names))
    np.savez_compressed(out / NAME, matrix=matrix.astype(np.float16), bias=bias, kinds=np.array(names))
    print(f"{out / NAME}: {(out / NAME).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
