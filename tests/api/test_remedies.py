"""Hints are plain English; each face adds what its own users can do."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

from crossmedia.api.guards import error_body
from crossmedia.api.remedies import COMMANDS, command_hint, request_hint
from crossmedia.embeddings.errors import CrossmediaError, Remedy
from tests.test_house import ROOT

HINT_IN_CODE = re.compile(
    r"\bcrossmedia (?:index|enrich|reindex|doctor|serve|rm|bank|align|export|import|models|search)\b"
)


def test_a_face_adds_its_own_words() -> None:
    error = CrossmediaError("no bank press", "check the name, or create it", Remedy.LIST_BANKS)
    assert command_hint(error) == "check the name, or create it: crossmedia bank list"
    assert request_hint(error) == "check the name, or create it: GET /v1/banks"
    assert error_body(error)["error"]["remedy"] == "list banks"
    assert request_hint(CrossmediaError("m", "merge the two", Remedy.MERGE)) == "merge the two"
    assert command_hint(CrossmediaError("m", "h")) == "h"
    assert "remedy" not in CrossmediaError("m", "h").as_dict()
    assert set(COMMANDS) == set(Remedy)


def test_a_remedy_crosses_processes() -> None:
    again = pickle.loads(pickle.dumps(CrossmediaError("m", "h", Remedy.CHECK)))
    assert (again.message, again.hint, again.remedy) == ("m", "h", Remedy.CHECK)


def test_lower_floors_do_not_speak_of_commands() -> None:
    """Whoever calls them may have no command line."""
    speaking = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for room in ("embeddings", "retrieval", "indexer")
        for path in sorted((ROOT / room).rglob("*.py"))
        for line in _strings(path)
        if HINT_IN_CODE.search(line)
    ]
    assert not speaking


def _strings(path: Path) -> list[str]:
    """Lines with strings that a person may read; docstrings, comments and training commands are for developers."""
    if "train" in path.parts:
        return []
    inside = False
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        quotes = line.count('"""')
        if not inside and not quotes and '"' in line and not line.lstrip().startswith("#"):
            lines.append(line)
        inside ^= quotes % 2 == 1
    return lines
