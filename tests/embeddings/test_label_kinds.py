"""The vocabulary: ours, those of passes, and values that are closed."""

from __future__ import annotations

import pytest

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.extensions import Extension, ExtensionConflict, Extensions
from crossmedia.embeddings.label_kinds import OBJECT, LabelKind, LabelSource, kind_named, known_kinds, said_kinds
from crossmedia.indexer.enrichers import abuse, forgery, nudity, spoof
from crossmedia.indexer.provenance import facts

SMELL = LabelKind(name="smell", title="Smells", said=True)


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Kinds of labels that a foreign pass declares."""

    def declare(*kinds: LabelKind) -> None:
        source = Extension(LabelSource(labels=kinds), "box 1.0")
        monkeypatch.setattr(label_kinds, "extensions", lambda group, kind: Extensions((source,), ()))
        known_kinds.cache_clear()
        said_kinds.cache_clear()

    yield declare
    monkeypatch.undo()
    known_kinds.cache_clear()
    said_kinds.cache_clear()


def test_a_pass_adds_its_kinds(declared) -> None:  # type: ignore[no-untyped-def]
    assert "smell" not in said_kinds()
    declared(SMELL, OBJECT)
    assert known_kinds()["smell"] is SMELL
    assert said_kinds()[-1] == "smell"


def test_a_kind_of_another_meaning_is_a_conflict(declared) -> None:  # type: ignore[no-untyped-def]
    declared(LabelKind(name="object", title="Objects"))
    with pytest.raises(ExtensionConflict, match=r"'object' is declared by crossmedia and otherwise by box 1\.0"):
        known_kinds()


def test_what_is_left_of_a_pass_that_is_gone_has_its_name() -> None:
    assert kind_named("smell") == LabelKind(name="smell", title="smell")


def test_closed_values_are_those_that_are_said() -> None:
    said = {
        label_kinds.ABUSE: {abuse.WORDS},
        label_kinds.NUDITY: {nudity.EXPOSED},
        label_kinds.FORGERY: {forgery.FACE, forgery.TRACK},
        label_kinds.SPOOF: {spoof.SPEECH},
        label_kinds.TRUST: {
            facts.GENERATED,
            facts.EDITED,
            facts.COMPOSITE,
            facts.CAPTURED,
            facts.SIGNED,
            facts.UNKNOWN,
            facts.INVALID,
            facts.UNREADABLE,
        },
    }
    assert {kind: kind.values for kind in label_kinds.OUR_KINDS if kind.values is not None} == said
