"""Opens the store that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossmedia.api.remains import STORE, require_store
from crossmedia.api.settings import Settings
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.store import Store

if TYPE_CHECKING:
    from crossmedia.retrieval.elastic import ElasticStore
    from crossmedia.retrieval.elastic.address import Access, Address


class NoCollection(CrossmediaError):
    """There is no store yet."""

    code = "no_collection"
    status = 404


class ClientMissing(CrossmediaError):
    """The package that talks to Elasticsearch is not installed."""

    code = "client_missing"


def open_store(settings: Settings) -> Store:
    """The store, made if there is none yet. Raises StoreMissing, StoreUnusable, BadAddress,
    ClientMissing."""
    if settings.store:
        return _elastic(settings)
    require_store(settings.data)
    return LocalStore(settings.data)


def has_store(settings: Settings) -> bool:
    """Whether there is one; looking makes none. Raises as `open_store` does."""
    if not settings.store:
        require_store(settings.data)
        return (settings.data / STORE).exists()
    opened = _elastic(settings)
    try:
        return opened.exists()
    finally:
        opened.close()


def place(settings: Settings) -> str:
    """Where it lies, for a person; nothing secret is in it."""
    return str(_address(settings)[0]) if settings.store else str(settings.data)


def _elastic(settings: Settings) -> ElasticStore:
    address, access = _address(settings)
    from crossmedia.retrieval.elastic import ElasticStore

    return ElasticStore(address, access)


def _address(settings: Settings) -> tuple[Address, Access]:
    try:
        from crossmedia.retrieval.elastic.address import Access, parse_address
    except ModuleNotFoundError as error:
        raise ClientMissing(
            "the store is an Elasticsearch, and its client is not installed", 'pip install "crossmedia[elastic]"'
        ) from error
    access = Access(
        settings.store_api_key.get_secret_value(),
        settings.store_user,
        settings.store_password.get_secret_value(),
        str(settings.store_ca or ""),
    )
    return parse_address(settings.store.get_secret_value(), access)
