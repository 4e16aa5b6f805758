"""Talking to the cluster: who may ask, what is asked again, and what each failure means for a person."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any, Final, TypeVar

from elastic_transport import ConnectionError as NotReached
from elastic_transport import ConnectionTimeout, TlsError, TransportError
from elasticsearch import ApiError, Elasticsearch, OrjsonSerializer, UnsupportedProductError
from elasticsearch.exceptions import ElasticsearchWarning
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_before_delay

from crossmedia.embeddings.errors import NoRoom, Remedy
from crossmedia.retrieval.elastic.address import Access, Address
from crossmedia.retrieval.store import StoreBusy, StoreUnusable

ResultT = TypeVar("ResultT")
VERSIONS: Final = (8, 9)
AGAIN: Final = frozenset((429, 502, 503, 504))
"""What a server answers that is busy, starting, or electing a master: the same request may succeed in a moment."""
FIRST_WAIT, MAX_WAIT = 0.1, 2.0
"""Seconds between attempts."""
FAILURES: Final = (ApiError, TransportError, UnsupportedProductError)
"""What the client raises."""
READ_SECONDS: Final = 60.0


class StoreRefused(StoreUnusable):
    """The server does not let us in."""

    code = "store_refused"
    status = 503


class StoreFull(NoRoom, StoreUnusable):
    """The server's disks are full, so that it only reads."""

    code = "store_full"


class StoreBlocked(StoreUnusable):
    """Nobody may write the index for the moment."""

    code = "store_blocked"
    status = 503


class Connection:
    """A client, and the patience with which it is used. Safe for several threads."""

    def __init__(self, address: Address, access: Access) -> None:
        self.address = address
        options: dict[str, Any] = {"ca_certs": access.ca} if access.ca else {}
        if access.api_key:
            options["api_key"] = access.api_key
        elif access.user:
            options["basic_auth"] = (access.user, access.password)
        warnings.filterwarnings("ignore", category=ElasticsearchWarning)
        try:
            self.client = Elasticsearch(
                list(address.hosts),
                serializer=OrjsonSerializer(),
                request_timeout=READ_SECONDS,
                max_retries=0,
                http_compress=not all("//127.0.0.1" in h or "//localhost" in h for h in address.hosts),
                **options,
            )
        except (ValueError, OSError) as error:
            raise StoreRefused(
                f"no connection can be made to {address}: {error}",
                "check CROSSMEDIA_STORE_CA; it needs an address that begins with elasticsearch+https://",
            ) from error

    def check(self) -> None:
        """Raises StoreUnusable where no Elasticsearch of a version we know answers."""
        number = str(self.ask(self.client.info)["version"]["number"])
        if not number.split(".")[0].isdigit() or int(number.split(".")[0]) not in VERSIONS:
            raise StoreUnusable(
                f"{self.address} is Elasticsearch {number}",
                f"use version {' or '.join(map(str, VERSIONS))}",
            )

    def ask(self, call: Callable[..., ResultT], **values: Any) -> ResultT:
        """`call(**values)`, again and again for as long as patience lasts while the server is away, starting or busy
        (or the call says so itself: StoreBusy). Every request we make may be made twice: ids are ours."""
        return self.insist(call, self.address.patience, **values)

    def insist(self, call: Callable[..., ResultT], patience: float, **values: Any) -> ResultT:
        """`ask` for so many seconds at most."""
        attempts = Retrying(
            retry=retry_if_exception(worth_another),
            wait=_wait,
            stop=stop_before_delay(min(patience, self.address.patience)),
            reraise=True,
        )
        try:
            return attempts(call, **values)
        except FAILURES as error:
            raise explain(error, self.address) from error

    def close(self) -> None:
        self.client.close()


def _wait(state: RetryCallState) -> float:
    """Seconds before the next attempt: twice as many each time, up to a limit, and spread so that clients do not all
    come back at once."""
    return min(FIRST_WAIT * 2.0 ** (state.attempt_number - 1), MAX_WAIT) * random.uniform(0.5, 1.5)


def worth_another(error: BaseException) -> bool:
    """Whether the same request may succeed later. A full disk does not empty itself in seconds."""
    if isinstance(error, StoreBusy):
        return True
    if isinstance(error, ApiError):
        return error.status_code in AGAIN and not _full(str(error.body))
    return isinstance(error, (NotReached, ConnectionTimeout)) and not isinstance(error, TlsError)


def explain(error: Exception, address: Address) -> StoreUnusable:
    """What to tell a person."""
    if isinstance(error, UnsupportedProductError):
        return StoreUnusable(f"the server at {address} is not Elasticsearch", "check the address")
    if isinstance(error, ApiError):
        return explain_status(error.status_code, _reason(error.body), address)
    if isinstance(error, TlsError):
        return StoreRefused(
            f"{address} cannot be trusted: {_plain(error)}",
            "name the certificate that signed it with CROSSMEDIA_STORE_CA",
        )
    if isinstance(error, ConnectionTimeout):
        return StoreBusy(f"{address} did not answer in time", "look at the cluster's load, then try again")
    return StoreUnusable(
        f"{address} cannot be reached: {_plain(error)}",
        "start Elasticsearch, or check CROSSMEDIA_STORE (elasticsearch+https:// where the server has TLS)",
    )


def explain_status(status: int, reason: str, address: Address) -> StoreUnusable:
    """The failure that an answer of this status means."""
    if _full(reason):
        return StoreFull(
            f"the disks of {address} are full, so that it only reads: {reason}",
            "free space or add a node; Elasticsearch writes again by itself below the flood-stage watermark",
        )
    if "index write (api)" in reason or "require_alias" in reason:
        return StoreBlocked(
            f"{address} does not accept writes at the moment: {reason}",
            "try again in a minute; if a reindex died just then, run it again: it finishes and opens the index",
            Remedy.REINDEX,
        )
    if status in (401, 403):
        return StoreRefused(
            f"{address} refuses access: {reason}",
            "set CROSSMEDIA_STORE_API_KEY, or CROSSMEDIA_STORE_USER and CROSSMEDIA_STORE_PASSWORD, "
            "with the rights monitor, manage and all on the index",
        )
    if status in AGAIN:
        return StoreBusy(f"{address} is busy or not ready: {reason}", "look at the cluster's health, then try again")
    return StoreUnusable(f"{address} answered {status}: {reason}", "see the server's log")


def _full(reason: str) -> bool:
    return "flood-stage watermark" in reason or "read-only / allow delete" in reason


def _reason(body: Any) -> str:
    """The innermost cause that the server names."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return str(error or body)[:300]
    causes = [error, *error.get("root_cause", ())]
    cause: Any = causes[-1]
    while isinstance(cause.get("caused_by"), dict):
        cause = cause["caused_by"]
    return f"{cause.get('type')}: {cause.get('reason')}"[:500]


def _plain(error: Exception) -> str:
    return str(getattr(error, "message", error)).splitlines()[0][:300]
