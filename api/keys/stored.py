"""Keys that were made with `crossmedia key add`, and their sessions: SQLite in a file of its own."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossmedia.api.keys.scopes import SCOPES, Holder, Scope
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.local.deferred import DeferredDatabase
from crossmedia.retrieval.store import NotFound

FILE: Final = "keys.sqlite"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)


class KeyTaken(CrossmediaError):
    """There is a key of that name."""

    code = "key_taken"
    status = 409


class InvalidKey(CrossmediaError):
    """A key's name or its scopes are none."""

    code = "bad_key"
    status = 422


@dataclass(frozen=True)
class StoredKey:
    """A key without itself. `created` and `expires` are Unix times; None: never."""

    name: str
    scopes: tuple[Scope, ...]
    created: float
    expires: float | None


class StoredKeys:
    """Once there was a key, requests need one, even after the last was removed. Thread-safe; what another process
    changes counts at once. `now` gives Unix time."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        """Raises StoreUnusable at the first use where the file cannot be opened."""
        self._database = DeferredDatabase(folder / FILE, "crossmedia.api.keys")
        self._now = now

    @property
    def exist(self) -> bool:
        return self._database.exists

    def add(self, name: str, scopes: Collection[str], expires: float | None = None) -> str:
        """Make a key, which is told this once. Raises InvalidKey, KeyTaken."""
        if not _NAME.fullmatch(name):
            raise InvalidKey(f"{name[:80]!r} is not a valid name", "use 1 to 64 letters, digits, '.', '_', '@' and '-'")
        if not scopes or not set(scopes) <= set(SCOPES):
            raise InvalidKey(f"{', '.join(scopes)[:80]!r} are no scopes", f"there are: {', '.join(SCOPES)}")
        key = secrets.token_urlsafe(32)
        with self._database.write() as connection:
            if connection.execute("SELECT 1 FROM key WHERE name = ?", (name,)).fetchone():
                raise KeyTaken(f"there is a key {name} already", "remove it first, or choose another name")
            connection.execute(
                "INSERT INTO key (name, hash, scopes, created, expires) VALUES (?, ?, ?, ?, ?)",
                (name, _hash(key), " ".join(s for s in SCOPES if s in scopes), self._now(), expires),
            )
        # Hashes only, but nobody else has to see who may do what.
        self._database.path.chmod(0o600)
        return key

    def remove(self, name: str) -> None:
        """With its sessions. Raises NotFound."""
        if self.exist:
            with self._database.write() as connection:
                if connection.execute("DELETE FROM key WHERE name = ?", (name,)).rowcount:
                    return
        raise NotFound(f"there is no key {name}", "crossmedia key list shows all")

    def list_keys(self) -> list[StoredKey]:
        """By name, those that have expired included."""
        if not self.exist:
            return []
        rows = self._database.connection().execute("SELECT name, scopes, created, expires FROM key ORDER BY name")
        return [StoredKey(row[0], tuple(s for s in SCOPES if s in row[1].split()), row[2], row[3]) for row in rows]

    def holder(self, key: str) -> Holder | None:
        """Whose key this is, if it is valid."""
        return self._one("SELECT name, scopes FROM key WHERE hash = ? AND coalesce(expires > ?, 1)", key)

    def begin_session(self, holder: Holder, seconds: float) -> str:
        """What a browser keeps instead of the key; it ends with the key at the latest."""
        token = secrets.token_urlsafe(32)
        with self._database.write() as connection:
            connection.execute("DELETE FROM session WHERE expires <= ?", (self._now(),))
            connection.execute(
                "INSERT INTO session (hash, key, expires) VALUES (?, ?, ?)",
                (_hash(token), holder.name, self._now() + seconds),
            )
        return token

    def session_holder(self, token: str) -> Holder | None:
        """Whose session this is, if it and the key are valid."""
        return self._one(
            """SELECT name, scopes FROM session JOIN key ON key.name = session.key
            WHERE session.hash = ?1 AND session.expires > ?2 AND coalesce(key.expires > ?2, 1)""",
            token,
        )

    def end_session(self, token: str) -> None:
        if self.exist:
            with self._database.write() as connection:
                connection.execute("DELETE FROM session WHERE hash = ?", (_hash(token),))

    def close(self) -> None:
        self._database.close()

    def _one(self, query: str, secret: str) -> Holder | None:
        if not self.exist:
            return None
        row = self._database.connection().execute(query, (_hash(secret), self._now())).fetchone()
        return Holder(row[0], frozenset(s for s in SCOPES if s in row[1].split())) if row else None


def _hash(secret: str) -> str:
    """Of 256 random bits: nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
