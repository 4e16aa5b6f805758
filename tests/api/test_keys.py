"""Keys and sessions: guessing is slow, and a session ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers

from crossmedia.api.keys.attempts import ADDRESSES, SECONDS, WRONG_KEYS, Attempts, TooManyWrongKeys
from crossmedia.api.keys.keyring import COOKIE, SESSION_SECONDS, Keyring
from crossmedia.api.keys.scopes import SCOPES, Holder
from crossmedia.api.keys.stored import StoredKeys
from crossmedia.api.server import create_app
from tests.api.helpers import settings

KEY = Headers({"X-API-Key": "secret"})
SECRET = Holder("setting-2", frozenset(SCOPES))
WRONG = Headers({"Authorization": "Bearer wrong"})


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> Keyring:
    return Keyring(["other", "secret"], StoredKeys(tmp_path, clock), Attempts(clock), clock)


def exhaust(keys: Keyring, address: str) -> None:
    for _ in range(WRONG_KEYS):
        assert keys.holder(WRONG, address) is None


def test_guessing_is_slowed_down_where_it_comes_from(keys: Keyring, clock: Clock) -> None:
    exhaust(keys, "192.0.2.1")
    for headers in (WRONG, KEY):
        with pytest.raises(TooManyWrongKeys):
            keys.holder(headers, "192.0.2.1")
    assert keys.holder(KEY, "192.0.2.2") == SECRET
    clock.seconds += SECONDS + 0.1
    assert keys.holder(KEY, "192.0.2.1") == SECRET
    assert keys.holder(WRONG, "192.0.2.1") is None
    with pytest.raises(TooManyWrongKeys):
        keys.holder(WRONG, "192.0.2.1")
    clock.seconds += SECONDS * WRONG_KEYS
    exhaust(keys, "192.0.2.1")


def test_addresses_of_one_network_count_together(keys: Keyring) -> None:
    for number in range(WRONG_KEYS):
        keys.holder(WRONG, f"2001:db8::{number}")
    with pytest.raises(TooManyWrongKeys):
        keys.holder(KEY, "2001:db8::ffff")
    assert keys.holder(KEY, "2001:db8:1::1") == SECRET


def test_requests_without_a_key_are_no_guesses(keys: Keyring) -> None:
    for _ in range(3 * WRONG_KEYS):
        assert keys.holder(Headers({}), "192.0.2.1") is None
    assert keys.holder(KEY, "192.0.2.1") == SECRET


def test_addresses_are_forgotten(clock: Clock) -> None:
    attempts = Attempts(clock)
    for number in range(2 * ADDRESSES):
        attempts.note(f"host-{number}")
    assert len(attempts._wrong) == ADDRESSES


def cookie(value: str) -> Headers:
    return Headers({"Cookie": f"{COOKIE}={value}"})


def test_a_session_ends(keys: Keyring, clock: Clock) -> None:
    session = keys.begin_session(SECRET)
    assert keys.session_holder(cookie(session))
    clock.seconds += SESSION_SECONDS - 1
    assert keys.session_holder(cookie(session))
    clock.seconds += 2
    assert not keys.session_holder(cookie(session))


def test_a_session_cannot_be_made_or_prolonged_without_the_key(keys: Keyring, tmp_path: Path) -> None:
    guess = Keyring(["guess"], StoredKeys(tmp_path))
    guessed = guess.begin_session(Holder("setting-1", frozenset(SCOPES)))
    expires, _, signature = keys.begin_session(SECRET).partition(".")
    for value in (
        f"{int(expires) + 1}.{signature}",
        signature,
        f".{signature}",
        f"{expires}.",
        f"{expires}.{signature[:-1]}",
        "",
        "x",
        f"{'9' * 400}.{signature}",
        f"²{expires}.{signature}",
        guessed,
    ):
        assert not keys.session_holder(cookie(value)), value


def test_over_http(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path, api_keys=("secret",)))) as http:
        assert http.post("/v1/session", headers={"X-API-Key": "secret"}).status_code == 204
        assert http.get("/v1/jobs").status_code == 200
        for number in range(WRONG_KEYS):
            path = ("/v1/jobs", "/v1/session")[number % 2]
            wrong = TestClient(http.app).request(
                ("GET", "POST")[number % 2], path, headers={"X-API-Key": f"guess {number}"}
            )
            assert wrong.status_code == 401
        for method, path in (("GET", "/v1/jobs"), ("POST", "/v1/session")):
            refused = TestClient(http.app).request(method, path, headers={"X-API-Key": "secret"})
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_wrong_keys")
            assert refused.headers["retry-after"] == "3"
        assert http.get("/v1/jobs").status_code == 200, "a session is no guess"
        assert http.get("/healthz").status_code == 200
