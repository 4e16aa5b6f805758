"""Requests drawn from the service's own description: every answer is one that it declares, none a fault of ours."""

from __future__ import annotations

import contextlib
import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from crossmedia.api.server import create_app
from tests.api.helpers import finished, settings
from tests.attack.scale import REQUESTS_AN_HOUR, SEED, count, keep, share
from tests.media_makers import tone, write_picture, write_wav

pytestmark = pytest.mark.slow

KEY = "a key of all scopes"


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, TestClient, dict[str, str]]]]:
    """Services that each request goes to: one that asks for no key, one with its key, the same without. Each has a
    folder of its own, which may be destroyed."""
    with contextlib.ExitStack() as stack:
        made = []
        for name, keys, headers in (
            ("open", (), {}),
            ("with a key", (KEY,), {"X-API-Key": KEY}),
            ("without the key", (KEY,), {}),
        ):
            folder = tmp_path_factory.mktemp("room")
            roots = folder / "roots"
            roots.mkdir()
            write_picture(roots / "a.png", seed=1, width=48, height=32)
            write_wav(roots / "tone.wav", tone(0.5))
            (roots / "note.txt").write_text("The red boats come home.")
            app = create_app(settings(folder, api_keys=keys, roots=(str(roots),), reserve_bytes=0, max_jobs=50))
            http = stack.enter_context(TestClient(app, raise_server_exceptions=False))
            allowed = {"X-API-Key": KEY} if keys else {}
            finished_job = http.post("/v1/assets", json={"path": str(roots)}, headers=allowed)
            http.headers.update(allowed)
            finished(http, finished_job)
            for key in allowed:
                del http.headers[key]
            made.append((name, http, headers))
        yield made


def described() -> dict[str, Any]:
    """What the service says of itself; its folder is never opened."""
    description: dict[str, Any] = create_app(settings(Path(os.devnull))).openapi()
    return description


SCHEMA = schemathesis.openapi.from_dict(described())
OPERATIONS = {result.ok().label: result.ok() for result in SCHEMA.get_all_operations()}


def is_varied(operation: Any) -> bool:
    """Whether there is more than one request of it."""
    return bool(operation.body or operation.query or operation.path_parameters)


VARIED = sum(map(is_varied, OPERATIONS.values()))


def cases(operation: Any, there: dict[str, list[str]]) -> st.SearchStrategy[Case]:
    """Requests as described, requests that break the description, and such about what is there."""
    kinds = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if is_varied(operation):
        kinds.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    named = [parameter.name for parameter in operation.path_parameters if parameter.name in there]
    for name in named:
        others = {p.name: "a" for p in operation.path_parameters}
        kinds += [
            operation.as_strategy(path_parameters={**others, name: value}, generation_mode=mode)
            for value in there[name]
            for mode in (GenerationMode.POSITIVE,)
        ]
    return st.one_of(kinds)


def sent(http: TestClient, case: Case, headers: dict[str, str]) -> Any:
    """The answer, None where no client could make such a request."""
    try:
        prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
        request = http.build_request(
            prepared.method or "GET", prepared.url or "", content=prepared.body, headers={**prepared.headers, **headers}
        )
    except Exception:
        return None
    return http.send(request)


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_requests(
    label: str, rooms: list[tuple[str, TestClient, dict[str, str]]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    operation = OPERATIONS[label]
    declared = {int(status) for status in operation.definition.raw["responses"]}
    statuses: Counter[str] = Counter()
    there = {"asset": [], "job": []}
    for _, http, headers in rooms[:2]:
        there["asset"] += [x["asset"] for x in http.get("/v1/assets", headers=headers).json()["assets"]]
        there["job"] += [x["id"] for x in http.get("/v1/jobs", headers=headers).json()["jobs"]]

    def complaint(room: str, answer: Any) -> str | None:
        status = answer.status_code
        statuses[str(status)] += 1
        if status not in declared:
            return f"{room}: status {status} is not declared: {answer.text[:500]}"
        if status >= 400 and not answer.json()["error"]["hint"]:
            return f"{room}: no hint: {answer.text[:500]}"
        if room == "without the key" and status < 400 and label not in OPEN:
            return f"{room}: {status} without a key"
        return None

    @seed(f"{SEED}/{label}")
    @hypothesis_settings(
        max_examples=share(1.05 * REQUESTS_AN_HOUR / VARIED / len(rooms), 3),  # some no client can send
        database=None,
        phases=(Phase.generate,),  # making a finding smaller takes minutes; it is kept as a command line
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(operation, there))
    def run(case: Case) -> None:
        for room, http, headers in rooms:
            answer = sent(http, case, headers)
            if answer is None:
                continue
            if wrong := complaint(room, answer):
                statuses["findings"] += 1
                pytest.fail(keep("requests", label.replace("/", "_"), case.as_curl_command().encode(), wrong))

    try:
        with contextlib.suppress(Unsatisfiable):
            run()
    finally:
        asked = sum(n for status, n in statuses.items() if status.isdigit())
        count("requests", asked=asked, answers_500=statuses["500"], **{f"status_{k}": v for k, v in statuses.items()})
    assert asked, "nothing was sent"
    assert not [record.getMessage() for record in caplog.records if record.exc_info]


OPEN = {"GET /healthz", "GET /readyz", "POST /v1/session", "DELETE /v1/session"}
"""What is answered without a key."""
