"""The vocabularies that come with the package."""

from __future__ import annotations

from pathlib import Path

from crossmedia.retrieval.vocabularies.folder import SUFFIX, NoVocabulary
from crossmedia.retrieval.vocabularies.vocabulary import Vocabulary, parse

FOLDER = Path(__file__).parent


def bundled() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def read_bundled(name: str) -> Vocabulary:
    """Raises NoVocabulary."""
    if name not in bundled():
        raise NoVocabulary(
            f"no vocabulary {name} comes with the package", f"name a file of labels, or one of: {', '.join(bundled())}"
        )
    return parse(name, (FOLDER / f"{name}{SUFFIX}").read_text("utf-8"))
