"""The journal of decisions."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from crossmedia.retrieval.policy.decisions import FILE, Decision, Decisions


def test_the_last_word_counts_and_all_are_kept(tmp_path: Path) -> None:
    journal = Decisions(tmp_path)
    assert (journal.latest(["a"]), journal.history("a"), journal.standing("block")) == ({}, [], [])
    assert not (tmp_path / FILE).exists()
    reason = {"kind": "nudity", "value": "exposed", "score": 0.7}
    journal.add([Decision("a", "review", "policy 1", False, (reason,)), Decision("b", "block", "policy 1", False)])
    journal.add([Decision("a", "block", "Ada", True, (reason,), "seen")])
    assert [(d.action, d.maker, d.note) for d in journal.history("a")] == [
        ("review", "policy 1", ""),
        ("block", "Ada", "seen"),
    ]
    assert journal.latest(["a", "b", "c"]).keys() == {"a", "b"}
    assert journal.latest(["a"])["a"].reasons == (reason,)
    assert [d.asset for d in journal.standing("block")] == ["a", "b"]
    assert [d.asset for d in journal.standing("block", before=journal.standing("block")[0].id)] == ["b"]
    assert [d.asset for d in journal.standing("block", limit=1)] == ["a"]
    assert journal.standing("review") == []
    journal.close()
    assert Decisions(tmp_path).latest(["b"])["b"].action == "block"


def test_nothing_is_changed_or_deleted(tmp_path: Path) -> None:
    journal = Decisions(tmp_path)
    journal.add([Decision("a", "review", "policy 1", False)])
    journal.add([])
    journal.close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        for statement in ("UPDATE decision SET action = 'allow'", "DELETE FROM decision"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(statement)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(
                "INSERT INTO decision (asset, action, maker, by_person, reasons, at) VALUES ('a', 'burn', '', 0, '', 0)"
            )
    assert len(Decisions(tmp_path).history("a")) == 1


def test_a_journal_that_lost_its_id_gets_another(tmp_path: Path) -> None:
    journal = Decisions(tmp_path)
    journal.add([Decision("a", "block", "Ada", True)])
    journal.close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("DELETE FROM identity")
    connection.close()
    journal = Decisions(tmp_path)
    assert journal.id == Decisions(tmp_path).id
    assert len(journal.id) == 16
    journal.close()
