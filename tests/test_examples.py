"""Every example in a docstring gives what it says."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.test_house import FLOOR

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    "crossmedia." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for room in FLOOR
    for path in (ROOT / room).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8") and "python" not in path.relative_to(ROOT).parts
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    failed, tried = doctest.testmod(module)
    assert failed == 0
    assert tried
