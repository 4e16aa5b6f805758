"""A running service as a Python object."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from crossmedia.api.invalid import InvalidRequest
from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.indexer.scan import ScannedFile, scan
from crossmedia.retrieval.captions import TranscriptFormat

BATCH_FILES, BATCH_BYTES = 100, 64 << 20
"""What one request carries at most, except that a larger file goes alone."""
POLL_SECONDS = 0.1


class RemoteError(CrossmediaError):
    """The service answered with an error; `code` is the service's."""

    def __init__(self, code: str, message: str, hint: str, status: int, remedy: str | None = None) -> None:
        super().__init__(message, hint, Remedy(remedy) if remedy else None)
        self.code = code
        self.status = status


class Unreachable(CrossmediaError):
    """There is no service at this address, or something else that answers."""

    code = "unreachable"
    status = 502


class Client:
    """The methods of `crossmedia.Library` against a running service, but for `Maintenance`. Files are uploaded.

    Every method raises RemoteError with what the service says, and Unreachable where it says nothing. `timeout`:
    seconds for one answer; `job_timeout`: for all that `index` uploads; the service goes on with what it has.
    """

    def __init__(self, url: str, key: str | None = None, timeout: float = 60.0, job_timeout: float = 3600.0) -> None:
        self._http = httpx.Client(
            base_url=url, timeout=timeout, headers={"Authorization": f"Bearer {key}"} if key else {}
        )
        self._job_timeout = job_timeout

    def index(self, *paths: str | Path, collection: str = "default", without: Sequence[str] = ()) -> dict[str, Any]:
        """Upload files (folders with every visible file in them), wait for both passes, return one report of it all.
        Raises RemoteError of code `timeout`."""
        until = time.monotonic() + self._job_timeout
        total: dict[str, Any] = {"notes": []}
        begun: list[str] = []
        for batch in _batches(scan([Path(path) for path in paths])):
            with ExitStack() as stack:
                files = [("file", (f.location.name, stack.enter_context(f.location.open("rb")))) for f in batch]
                about = {"collection": collection, "without": list(without), "path": [f.path for f in batch]}
                job = self._json("POST", "/v1/assets", files=files, data=about)
            begun.append(job["id"])
        for job_id in begun:
            _add(total, self._report(job_id, until))
        return {**total, "notes": list(dict.fromkeys(total["notes"]))}

    def search(
        self,
        text: str | Sequence[str] = (),
        *,
        files: Sequence[str | Path] = (),
        weights: Sequence[float] = (),
        **query: Any,
    ) -> dict[str, Any]:
        """As `Library.search`."""
        request = json.dumps(search_json(text, weights, query))
        if not files:
            return self._json("POST", "/v1/search", content=request, headers={"Content-Type": "application/json"})
        with ExitStack() as stack:
            parts = [("file", (Path(f).name, stack.enter_context(Path(f).open("rb")))) for f in files]
            return self._json("POST", "/v1/search", files=parts, data={"query": request})

    def ask(
        self,
        question: str = "",
        *,
        asset: str | None = None,
        image: str | Path | None = None,
        voice: str | Path | None = None,
        **scope: Any,
    ) -> dict[str, Any]:
        """As `Library.ask`; files are uploaded and not kept."""
        request = json.dumps({"question": question, "asset": asset, **scope})
        with ExitStack() as stack:
            files = {
                name: (Path(file).name, stack.enter_context(Path(file).open("rb")))
                for name, file in (("image", image), ("voice", voice))
                if file is not None
            }
            if files:
                return self._json("POST", "/v1/ask", files=files, data={"query": request})
        return self._json("POST", "/v1/ask", content=request, headers={"Content-Type": "application/json"})

    def summary(self, asset: str, sentences: int = 3) -> dict[str, Any]:
        return self._json("GET", f"/v1/assets/{asset}/summary", params={"sentences": sentences})

    def get(self, asset: str) -> dict[str, Any]:
        return self._json("GET", f"/v1/assets/{asset}")

    def where(self, asset: str, words: str, moment: str | None = None) -> dict[str, Any]:
        asked = {"words": words, **({} if moment is None else {"moment": moment})}
        return self._json("GET", f"/v1/assets/{asset}/where", params=asked)

    def transcript(self, asset: str, form: TranscriptFormat = "json") -> str | dict[str, Any]:
        if form == "json":
            return self._json("GET", f"/v1/assets/{asset}/transcript")
        return self._request("GET", f"/v1/assets/{asset}/transcript", params={"format": form}).text

    def labels(self, *kinds: str, limit: int = 20) -> list[dict[str, Any]]:
        return self._list("labels", params={"kind": list(kinds), "limit": limit})

    def voices(self) -> list[dict[str, Any]]:
        return self._list("voices")

    def name_voice(self, voice: str, to: str) -> None:
        self._json("PUT", f"/v1/voices/{quote(voice)}", json={"name": to})

    def merge_voices(self, names: Sequence[str], into: str | None = None) -> None:
        self._json("POST", "/v1/voices/merge", json={"voices": list(names), "into": into})

    def verify_voices(self, one: str | Path, other: str | Path) -> dict[str, Any]:
        return self._verified("voices", one, other)

    def people(self) -> list[dict[str, Any]]:
        return self._list("people")

    def appearances(self, person: str) -> list[dict[str, Any]]:
        appearances: list[dict[str, Any]] = self._json("GET", f"/v1/people/{quote(person)}")["appearances"]
        return appearances

    def name_person(self, person: str, to: str) -> None:
        self._json("PUT", f"/v1/people/{quote(person)}", json={"name": to})

    def merge_people(self, names: Sequence[str], into: str | None = None) -> None:
        self._json("POST", "/v1/people/merge", json={"people": list(names), "into": into})

    def split_person(
        self, person: str, to: str | None = None, *, faces: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> dict[str, Any]:
        wanted = {"person": person, "to": to, "faces": list(faces), "assets": list(assets)}
        return self._json("POST", "/v1/people/split", json=wanted)

    def forget_person(self, person: str) -> int:
        return int(self._json("DELETE", f"/v1/people/{quote(person)}")["faces"])

    def verify_faces(self, one: str | Path, other: str | Path) -> dict[str, Any]:
        return self._verified("people", one, other)

    def _verified(self, whose: str, one: str | Path, other: str | Path) -> dict[str, Any]:
        with Path(one).open("rb") as first, Path(other).open("rb") as second:
            files = [("file", (Path(one).name, first)), ("file", (Path(other).name, second))]
            return self._json("POST", f"/v1/{whose}/verify", files=files)

    def lookup(
        self, *, file: str | Path | None = None, hash: str | None = None, asset: str | None = None
    ) -> dict[str, Any]:
        """As `Library.lookup`; a file is uploaded and not kept."""
        if file is None:
            wanted = {name: value for name, value in (("hash", hash), ("asset", asset)) if value is not None}
            return self._json("POST", "/v1/lookup", json=wanted)
        with Path(file).open("rb") as stream:
            return self._json("POST", "/v1/lookup", files={"file": (Path(file).name, stream)})

    def trust(self, *, file: str | Path | None = None, asset: str | None = None) -> dict[str, Any]:
        """As `Library.trust`; a file is uploaded and not kept."""
        if (file is None) == (asset is None):
            raise InvalidRequest("name a file or an asset", "give one of the two")
        if file is None:
            return self._json("GET", f"/v1/assets/{asset}/trust")
        with Path(file).open("rb") as stream:
            return self._json("POST", "/v1/trust", files={"file": (Path(file).name, stream)})

    def banks(self) -> list[dict[str, Any]]:
        return self._list("banks")

    def create_bank(self, name: str, action: str = "review") -> dict[str, Any]:
        return self._json("POST", "/v1/banks", json={"name": name, "action": action})

    def add_to_bank(self, bank: str, *what: str | Path, tags: str = "", crops: bool = False) -> dict[str, Any]:
        """As `Library.add_to_bank`; files are uploaded and not kept. Files and what is none are two requests, each of
        them all or none."""
        files = [Path(one) for one in what if Path(one).is_file()]
        words = [str(one) for one in what if not Path(one).is_file()]
        place = f"/v1/banks/{quote(bank)}/hashes"
        done: dict[str, Any] = {}
        if words:
            _add(done, self._json("POST", place, json={"what": words, "tags": tags}))
        if files:
            with ExitStack() as stack:
                parts = [("file", (file.name, stack.enter_context(file.open("rb")))) for file in files]
                form = {"tags": tags, "crops": "true" if crops else "false"}
                _add(done, self._json("POST", place, files=parts, data=form))
        return {**done, "bank": bank}

    def import_bank(self, bank: str, table: str | Path, *, skip_bad: bool = False) -> dict[str, Any]:
        """As `Library.import_bank`; the table is uploaded and not kept."""
        with Path(table).open("rb") as stream:
            return self._json(
                "POST",
                f"/v1/banks/{quote(bank)}/table",
                files={"file": (Path(table).name, stream)},
                params={"skip_bad": skip_bad},
            )

    def review(self, action: str = "review", limit: int = 100) -> list[dict[str, Any]]:
        decisions: list[dict[str, Any]] = self._json("GET", "/v1/review", params={"action": action, "limit": limit})[
            "decisions"
        ]
        return decisions

    def decide(self, asset: str, action: str, by: str, note: str = "") -> dict[str, Any]:
        return self._json("POST", f"/v1/review/{asset}", json={"action": action, "by": by, "note": note})

    def plate(self, text: str) -> list[dict[str, Any]]:
        plates: list[dict[str, Any]] = self._json("GET", f"/v1/plates/{quote(text)}")["plates"]
        return plates

    def delete(self, asset: str) -> None:
        self._json("DELETE", f"/v1/assets/{asset}")

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _report(self, job_id: str, until: float) -> dict[str, Any]:
        while True:
            job = self._json("GET", f"/v1/jobs/{job_id}")
            if job["state"] == "failed":
                raise RemoteError(**job["error"], status=500)
            if job["state"] == "done":
                report: dict[str, Any] = job["report"]
                return report
            if time.monotonic() > until:
                raise RemoteError("timeout", f"job {job_id} is still {job['state']}", f"look at /v1/jobs/{job_id}", 504)
            time.sleep(POLL_SECONDS)

    def _list(self, what: str, **request: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._json("GET", f"/v1/{what}", **request)[what]
        return items

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = self._request(method, path, **request)
        try:
            body: dict[str, Any] = response.json()
        except ValueError as error:
            raise self._foreign(response) from error
        return body

    def _request(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"{self._http.base_url} does not answer: {error}", "start it: crossmedia serve"
            ) from error
        if response.is_error:
            try:
                raise RemoteError(**response.json()["error"], status=response.status_code)
            except (ValueError, KeyError, TypeError) as error:
                raise self._foreign(response) from error
        return response

    def _foreign(self, response: httpx.Response) -> Unreachable:
        return Unreachable(
            f"{self._http.base_url} answered {response.status_code}, but not as Crossmedia does", "check the address"
        )


def search_json(text: str | Sequence[str], weights: Sequence[float], query: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of a search; `weights` are of the files beside it."""
    files = {"files": [{"weight": weight} for weight in weights]} if weights else {}
    return {"text": text if isinstance(text, str) else list(text), **files, **query}


def _batches(files: Iterator[ScannedFile]) -> Iterator[list[ScannedFile]]:
    batch: list[ScannedFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) >= BATCH_FILES or size + file.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _add(total: dict[str, Any], report: Mapping[str, Any]) -> None:
    """Numbers are summed, lists and mappings joined."""
    for name, value in report.items():
        if isinstance(value, dict):
            total[name] = {**total.get(name, {}), **value}
        elif isinstance(value, list):
            total[name] = [*total.get(name, []), *value]
        elif isinstance(value, int | float) and not isinstance(value, bool) and name in total:
            total[name] += value
        else:
            total[name] = value
