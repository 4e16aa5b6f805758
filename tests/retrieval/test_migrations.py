"""A database of any age opens, and is then like a new one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.local.database import Database, migrations, register
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import StoreUnusable

HOUSE = Path(__file__).resolve().parents[2]
PACKAGES = sorted(
    "crossmedia." + ".".join(folder.relative_to(HOUSE).parts)
    for folder in {
        path.parent for room in ("retrieval", "indexer", "api", "eval") for path in (HOUSE / room).rglob("*.sql")
    }
)
AS_THEY_WERE = Path(__file__).parent / "schemas"
"""The scripts under the names they had, unchanged since a store was made with them."""
LOCAL = "crossmedia.retrieval.local"
AGES = {
    "the first hour": ("initial_of_the_first_hour",),
    "the first hour, then random pairs": ("initial_of_the_first_hour", "unrelated"),
    "one": ("initial",),
    "two": ("initial", "unrelated"),
    "three, when attachments came before random pairs": ("initial", "attachments", "unrelated"),
    "four": ("initial", "attachments", "unrelated", "description"),
}
"""Every order of scripts that a store was ever made by; how many they are is its `user_version`."""


def schema(path: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
        ).fetchall()


def opened(path: Path, package: str) -> list[tuple[str, str, str]]:
    Database(path, package).close()
    return schema(path)


def test_there_are_migrations_in_several_rooms() -> None:
    assert {"crossmedia.indexer", LOCAL, "crossmedia.retrieval.banks", "crossmedia.retrieval.policy"} <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_database_that_stopped_at_any_migration_ends_like_a_new_one(package: str, tmp_path: Path) -> None:
    scripts = migrations(package)
    new = opened(tmp_path / "new.sqlite", package)
    for version in range(1, len(scripts)):
        path = tmp_path / f"{version}.sqlite"
        with sqlite3.connect(path) as connection:
            register(connection)
            connection.executescript("".join(scripts[:version]) + f"PRAGMA user_version={version};")
        assert opened(path, package) == new


@pytest.mark.parametrize("age", AGES)
def test_a_store_of_any_age_ends_like_a_new_one(age: str, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with sqlite3.connect(path) as connection:
        for name in AGES[age]:
            connection.executescript((AS_THEY_WERE / f"{name}.sql").read_text())
        connection.execute(f"PRAGMA user_version={len(AGES[age])}")
    assert opened(path, LOCAL) == opened(tmp_path / "new.sqlite", LOCAL)


def test_words_of_any_script_are_indexed_of_what_was_stored_before(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("".join(migrations(LOCAL)[:8]) + "PRAGMA user_version=8;")
        connection.execute(
            "INSERT INTO asset (id, hash, media, mime, size, title, metadata) "
            "VALUES (1, 'a', 'text', 'x', 1, 'a', '{}')"
        )
        connection.execute(
            "INSERT INTO source (location, path, collection, asset, size, mtime_ns) "
            "VALUES ('/a', 'a', 'default', 1, 1, 1)"
        )
        connection.executemany(
            "INSERT INTO moment (id, key, asset, kind, title, text) VALUES (?, ?, 1, 'paragraph', 'a.txt', ?)",
            [(1, "chinese", "灯塔在午夜停电两小时"), (2, "english", "a lighthouse"), (3, "none", None)],
        )
    store = LocalStore(tmp_path)
    assert [match.moment for match in store.search_text("燈塔停電", 5, Filters())] == ["chinese"]
    assert [match.moment for match in store.search_text("lighthouses", 5, Filters())] == ["english"]
    assert store.verify() == []
    with store.writing() as connection:
        assert connection.execute("SELECT moment, title FROM moment_prepared").fetchall()[0][:] == (1, None)
        connection.execute("UPDATE moment SET text = 'a dog' WHERE id = 1")
        connection.execute("DELETE FROM moment WHERE id = 2")
        assert connection.execute("SELECT count(*) FROM moment_prepared").fetchone()[0] == 0
    assert store.search_text("灯塔", 5, Filters()) == store.search_text("lighthouses", 5, Filters()) == []
    assert store.verify() == []
    store.close()


@pytest.mark.parametrize("names", [("001_a", "001_b"), ("001_a", "003_b"), ("002_a",), ("001_a", "2_b")])
def test_numbers_that_are_not_in_order_are_refused(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "odd_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in names:
        (package / f"{name}.sql").write_text("SELECT 1;")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="numbered"):
        migrations("odd_migrations")


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=999")
    with pytest.raises(StoreUnusable, match="newer"):
        Database(path, LOCAL)
    assert schema(path) == []
