"""The arrows of ARCHITECTURE.md: a room imports the rooms below it and nothing above."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOOR = {"embeddings": 0, "retrieval": 1, "indexer": 2, "eval": 3, "api": 3}
FILES = [path for room in FLOOR for path in (ROOT / room).rglob("*.py")]


def room_of(module: str) -> str | None:
    """The room that a module of ours is in; the public Python API is the service's. None of a foreign module."""
    first, _, rest = module.partition(".")
    if first != "crossmedia":
        return None
    name = rest.split(".")[0]
    return name if name in FLOOR else "api"


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_points_up(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        assert name.split(".")[0] != "tests"
        other = room_of(name)
        if other is not None:
            assert FLOOR[other] <= FLOOR[room], f"{path} imports {name}, a floor above"
        if room == "api":
            assert other != "eval", f"{path}: the service must not need the evaluation"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[2:] if parts[:2] == ("api", "python") else parts
    return ".".join(("crossmedia", *(part for part in parts if part != "__init__")))


def test_no_module_needs_itself() -> None:
    """No circle of imports, those inside functions and for types alone included."""
    modules = {module_of(path): path for path in FILES}
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        graph[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                graph[name] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                graph[name] |= (whole & modules.keys()) or {node.module}
        graph[name] &= modules.keys() - {name, "crossmedia"}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_value_types_import_nothing_of_ours() -> None:
    assert not [name for name in imports(ROOT / "embeddings" / "media.py") if room_of(name)]


def test_running_needs_no_torch() -> None:
    for path in FILES:
        if "train" not in path.parts:
            assert not {"torch", "onnx", "transformers"} & {name.split(".")[0] for name in imports(path)}, path


def test_files_hold_one_idea() -> None:
    long = {
        str(path.relative_to(ROOT)): n for path in FILES if (n := path.read_text(encoding="utf-8").count("\n")) > 500
    }
    assert not long
