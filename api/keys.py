"""Keys of requests, and the sessions that stand for them in a browser."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from crossmedia.api.attempts import Attempts, TooManyWrongKeys

COOKIE: Final = "crossmedia"
SESSION_SECONDS: Final = 30 * 86_400
"""A session ends by itself after these; a new one needs the key again."""


class Keys:
    """Tells valid keys and sessions from others. `now` gives Unix time."""

    def __init__(self, keys: Sequence[str], attempts: Attempts | None = None, now: Callable[[], float] = time.time):
        self._keys = [key.encode() for key in keys]
        self._attempts = attempts or Attempts()
        self._now = now

    @property
    def required(self) -> bool:
        return bool(self._keys)

    def key_of(self, headers: Headers, address: str) -> bytes | None:
        """The valid key of a request from this address: `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises TooManyWrongKeys, whether or not the key is valid: otherwise guessing could go on.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = (headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")).encode()
        if not given or not self._keys:
            return None
        if self._attempts.exhausted(address):
            raise TooManyWrongKeys("too many wrong keys came from this address", "wait a little and send the right one")
        key = next((key for key in self._keys if secrets.compare_digest(given, key)), None)
        if key is None:
            self._attempts.note(address)
        return key

    def session_of(self, key: bytes) -> str:
        """What a browser keeps instead of a key: it follows from the key, and the key does not follow from it."""
        expires = int(self._now()) + SESSION_SECONDS
        return f"{expires}.{_signature(key, expires)}"

    def in_session(self, headers: Headers) -> bool:
        """Whether a request carries a session of one of the keys that has not expired. `SameSite=Strict` keeps foreign
        pages from sending it."""
        expires, _, given = cookie_parser(headers.get("cookie", "")).get(COOKIE, "").partition(".")
        if not (expires.isascii() and expires.isdigit() and len(expires) < 20 and self._now() < int(expires)):
            return False
        return any(secrets.compare_digest(given.encode(), _signature(key, int(expires)).encode()) for key in self._keys)


def _signature(key: bytes, expires: int) -> str:
    return hmac.new(key, f"crossmedia session {expires}".encode(), hashlib.sha256).hexdigest()
