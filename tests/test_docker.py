"""The compose files: no engine is here to run them, so what can be wrong in them is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossmedia.api.cli import ENTRIES
from crossmedia.api.settings import Settings
from tests.pinned.refresh import STEPS

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "docker").glob("*.yaml"))


def services(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["services"]
    return found


def ours(path: Path) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services(path).items() if "build" in service}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_set_can_be_set(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ours(path)
    for service in ours(path).values():
        for name, value in service["environment"].items():
            assert name.removeprefix("CROSSMEDIA_").lower() in Settings.model_fields
            monkeypatch.setenv(name, re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value))
        Settings()
        assert service["build"] == {"context": "..", "dockerfile": "docker/Dockerfile"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_open_and_nothing_is_undeclared(path: Path) -> None:
    whole = yaml.safe_load(path.read_text())
    for name, service in services(path).items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        named = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert {volume for volume in named if not volume.startswith(("$", ".", "/"))} <= set(whole["volumes"])
        assert set(service.get("depends_on", ())) <= set(services(path))
    assert not re.search(r"password|secret|://[^/\s]*@", path.read_text(), re.IGNORECASE)


def test_many_machines_are_what_they_are_said_to_be() -> None:
    found = services(ROOT / "docker" / "compose.yaml")
    assert set(found) == {"api", "worker", "elasticsearch", "redis"}
    assert found["worker"]["deploy"]["replicas"] == 2
    assert found["worker"]["command"] == ["crossmedia", "worker"]
    assert "worker" in ENTRIES
    assert found["api"]["volumes"] == found["worker"]["volumes"], "uploads are read where they were received"
    for name in found["api"]["depends_on"]:
        assert found[name]["healthcheck"]["test"]
    settings = found["api"]["environment"]
    assert settings["CROSSMEDIA_QUEUE"].startswith("redis://redis:")
    assert settings["CROSSMEDIA_STORE"].startswith("elasticsearch://elasticsearch:")


def test_the_image_has_what_the_roles_need() -> None:
    written = (ROOT / "docker" / "Dockerfile").read_text()
    steps = re.findall(r"-r requirements/(\w+)\.txt", written)
    extras = {extra for step in STEPS if step.name in steps for extra in step.extras}
    assert extras == {"offline", "elastic", "queue"}
    assert steps[0] == "build"
    for folder in ("embeddings", "retrieval", "indexer", "api"):
        assert f"COPY {folder} {folder}" in written
