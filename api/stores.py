"""Opens the store that the settings name."""

from __future__ import annotations

from api.settings import Settings
from embeddings.errors import CrossmediaError
from retrieval.local import LocalStore
from retrieval.store import Store


class NoCollection(CrossmediaError):
    """There is no store yet."""

    code = "no_collection"
    status = 404


def open_store(settings: Settings) -> Store:
    """The store, made if there is none yet. Raises StoreUnusable."""
    return LocalStore(settings.data)


def has_store(settings: Settings) -> bool:
    """Whether there is one; looking makes none."""
    return (settings.data / "store.sqlite").exists()


def place(settings: Settings) -> str:
    """Where it lies, for a person."""
    return str(settings.data)
