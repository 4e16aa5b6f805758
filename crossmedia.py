"""Crossmedia for scripts and notebooks: a library on this machine, or a service over HTTP, with the same methods.

    library = open_library("data")
    library.index("photos")
    for hit in library.search("a dog on the beach")["hits"]:
        print(hit["relevance"], hit["path"])

Files to search by are named by their paths: `library.search(files=["dog.jpg"])`.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embeddings.errors import CrossmediaError

__all__ = ["Client", "CrossmediaError", "Library", "open_library"]


class _Closing(ABC):
    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Library(_Closing):
    """Everything over one data directory, in this process."""

    def __init__(self, data: str | Path, **settings: Any) -> None:
        from api.service import Service
        from api.settings import Settings

        self._service = Service(Settings(data=Path(data), **settings))

    def index(self, *paths: str | Path, collection: str = "default", without: Sequence[str] = ()) -> dict[str, Any]:
        """Index files and folders and enrich them; returns the report: counts, `assets` by path, `failures`, `gone`."""
        self._service.enrichers(without=without)
        report = self._service.index([Path(path) for path in paths], collection)
        enriched, notes = self._service.enrich(without=without)
        return {**report.as_dict(), "assets": report.assets, **enriched.as_dict(), "notes": notes}

    def search(
        self, text: str | Sequence[str] = (), *, files: Sequence[str | Path] = (), **query: Any
    ) -> dict[str, Any]:
        """`{"hits": […], "took_ms": …}`; further arguments as in POST /v1/search: negative, media, k, filters, …"""
        from api.schema import SearchRequest, answer_json

        request = SearchRequest.model_validate(_request(text, query))
        return answer_json(self._service.search(request.query([self._service.example(Path(file)) for file in files])))

    def get(self, asset: str) -> dict[str, Any]:
        """An asset with its moments; raises NotFound."""
        from api.schema import asset_json
        from retrieval.store import NotFound

        found = self._service.resolve(asset)
        described = self._service.store.asset(found)
        if described is None:
            raise NotFound(f"no asset {asset}", "it was removed just now")
        return asset_json(described, self._service.store.sources(found), self._service.store.moments(found))

    def delete(self, asset: str) -> None:
        """Remove an asset from the index; its file stays."""
        self._service.store.delete([self._service.resolve(asset)])

    def close(self) -> None:
        self._service.close()


def open_library(data: str | Path = ".crossmedia", **settings: Any) -> Library:
    """The library in a data directory, made if it is not there. `settings` as in `api.settings.Settings`."""
    return Library(data, **settings)


class RemoteError(CrossmediaError):
    """The service answered with an error; `code` is the service's."""

    def __init__(self, code: str, message: str, hint: str, status: int) -> None:
        super().__init__(message, hint)
        self.code = code
        self.status = status


class Client(_Closing):
    """The same methods against a running service. Files are uploaded."""

    def __init__(self, url: str, key: str | None = None, timeout: float = 60.0) -> None:
        import httpx

        self._http = httpx.Client(
            base_url=url, timeout=timeout, headers={"Authorization": f"Bearer {key}"} if key else {}
        )

    def index(
        self, *paths: str | Path, collection: str = "default", without: Sequence[str] = (), wait: float = 3600.0
    ) -> dict[str, Any]:
        """Upload files (folders with every visible file in them), wait for the job, return its report."""
        report: dict[str, Any] = {}
        with ExitStack() as stack:
            files = [("file", (path.name, stack.enter_context(path.open("rb")))) for path in _files(paths)]
            body = {"collection": collection, "without": list(without)}
            job = self._json("POST", "/v1/assets", files=files, data=body)
        until = time.monotonic() + wait
        while time.monotonic() < until:
            job = self._json("GET", f"/v1/jobs/{job['id']}")
            if job["state"] == "failed":
                raise RemoteError(**job["error"], status=500)
            if job["state"] == "done":
                report = job["report"]
                return report
            time.sleep(0.1)
        raise RemoteError("timeout", f"job {job['id']} is still {job['state']}", "wait longer: GET /v1/jobs/ID", 504)

    def search(
        self, text: str | Sequence[str] = (), *, files: Sequence[str | Path] = (), **query: Any
    ) -> dict[str, Any]:
        """As `Library.search`."""
        request = _request(text, query)
        if not files:
            return self._json("POST", "/v1/search", json=request)
        with ExitStack() as stack:
            parts = [("file", (Path(f).name, stack.enter_context(Path(f).open("rb")))) for f in files]
            return self._json("POST", "/v1/search", files=parts, data={"query": json.dumps(request)})

    def get(self, asset: str) -> dict[str, Any]:
        return self._json("GET", f"/v1/assets/{asset}")

    def delete(self, asset: str) -> None:
        self._json("DELETE", f"/v1/assets/{asset}")

    def close(self) -> None:
        self._http.close()

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = self._http.request(method, path, **request)
        body: dict[str, Any] = response.json()
        if response.is_error:
            raise RemoteError(**body["error"], status=response.status_code)
        return body


def _request(text: str | Sequence[str], query: dict[str, Any]) -> dict[str, Any]:
    return {"text": text if isinstance(text, str) else list(text), **query}


def _files(paths: Sequence[str | Path]) -> list[Path]:
    from indexer.scan import scan

    return [found.location for found in scan([Path(path) for path in paths])]
