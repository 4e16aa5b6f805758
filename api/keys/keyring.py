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

from crossmedia.api.keys.attempts import Attempts, TooManyWrongKeys
from crossmedia.api.keys.scopes import SCOPES, Holder
from crossmedia.api.keys.stored import StoredKeys
from crossmedia.api.settings import Settings

COOKIE: Final = "crossmedia"
SESSION_SECONDS: Final = 30 * 86_400
"""A session ends by itself after these; a new one needs the key again."""


class Keyring:
    """Tells whose a request is: by keys of the settings, which may do everything, and by stored ones. `now` gives Unix
    time."""

    def __init__(
        self,
        keys: Sequence[str],
        stored: StoredKeys,
        attempts: Attempts | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = {f"setting-{number}": key.encode() for number, key in enumerate(keys, start=1)}
        self._stored = stored
        self._attempts = attempts or Attempts()
        self._now = now

    @classmethod
    def of(cls, settings: Settings) -> Keyring:
        return cls(settings.api_keys, StoredKeys(settings.data))

    @property
    def required(self) -> bool:
        """Whether requests need a key."""
        return bool(self._keys) or self._stored.exist

    def holder(self, headers: Headers, address: str) -> Holder | None:
        """Whose key a request from this address carries: `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises TooManyWrongKeys, whether or not the key is valid: otherwise guessing could go on.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
        if not given or not self.required:
            return None
        if self._attempts.exhausted(address):
            raise TooManyWrongKeys("too many wrong keys came from this address", "wait a little and send the right one")
        holder = self._of_settings(given) or self._stored.holder(given)
        if holder is None:
            self._attempts.note(address)
        return holder

    def begin_session(self, holder: Holder) -> str:
        """What a browser keeps instead of a key: the key does not follow from it."""
        key = self._keys.get(holder.name)
        if key is None:
            return self._stored.begin_session(holder, SESSION_SECONDS)
        expires = int(self._now()) + SESSION_SECONDS
        return f"{expires}.{_signature(key, expires)}"

    def session_holder(self, headers: Headers) -> Holder | None:
        """Whose session a request carries, if it has not expired. `SameSite=Strict` keeps foreign pages from sending
        it."""
        session = _session(headers)
        expires, dot, given = session.partition(".")
        if not dot:
            return self._stored.session_holder(session) if session else None
        if not (expires.isascii() and expires.isdigit() and len(expires) < 20 and self._now() < int(expires)):
            return None
        for name, key in self._keys.items():
            if secrets.compare_digest(given.encode(), _signature(key, int(expires)).encode()):
                return _everything(name)
        return None

    def end_session(self, headers: Headers) -> None:
        """A stored session is gone; one of a key of the settings ends where the browser forgets it."""
        self._stored.end_session(_session(headers))

    def close(self) -> None:
        self._stored.close()

    def _of_settings(self, given: str) -> Holder | None:
        wanted = given.encode()
        return next((_everything(n) for n, key in self._keys.items() if secrets.compare_digest(wanted, key)), None)


def _everything(name: str) -> Holder:
    return Holder(name, frozenset(SCOPES))


def _session(headers: Headers) -> str:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _signature(key: bytes, expires: int) -> str:
    return hmac.new(key, f"crossmedia session {expires}".encode(), hashlib.sha256).hexdigest()
