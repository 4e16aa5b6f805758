"""The registry of passes: their order, which of them run, and what is no pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crossmedia.embeddings.cards import CARDS
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.errors import DependencyMissing, ModelMissing
from crossmedia.embeddings.extensions import OWN, Extension, ExtensionBroken, ExtensionConflict
from crossmedia.embeddings.label_kinds import OUR_KINDS
from crossmedia.embeddings.toy import toy_profile
from crossmedia.indexer.enrichers import registry
from crossmedia.indexer.enrichers.descriptions import PASS
from crossmedia.indexer.enrichers.registry import OUR_PASSES, absent, build, build_all, order_passes, pass_names, select
from crossmedia.indexer.enrichers.specification import Package, PassSpec


class Context:
    """Nothing but models and encoders."""

    catalog = Catalog()
    threads = 1
    profile = toy_profile()


def spec(name: str, *after: str, **values: Any) -> PassSpec:
    def nothing(context: Any) -> Any:
        raise ValueError("no such file")

    return PassSpec(**{"name": name, "summary": name, "build": nothing, "after": after, **values})


def known(*specs: PassSpec, package: str = OWN) -> dict[str, Extension[PassSpec]]:
    return {one.name: Extension(one, package) for one in specs}


def test_ours_keep_their_order() -> None:
    assert pass_names()[: len(OUR_PASSES)] == tuple(one.name for one in OUR_PASSES)


def test_a_pass_comes_behind_those_that_it_reads() -> None:
    assert list(order_passes(known(spec("a", "c", "absent"), spec("b"), spec("c", "b")))) == ["b", "c", "a"]


def test_passes_that_wait_for_each_other() -> None:
    with pytest.raises(ExtensionConflict, match="a of crossmedia and b of crossmedia"):
        order_passes(known(spec("a", "b"), spec("b", "a"), spec("c")))


def test_what_ours_declare_is_there() -> None:
    kinds, models = set(OUR_KINDS), {card.id for card in CARDS}
    for one in OUR_PASSES:
        assert set(one.labels) <= kinds
        assert set(one.models) <= models
        assert set(one.after) <= set(pass_names())


def test_which_run(monkeypatch: pytest.MonkeyPatch) -> None:
    here, away = Package("NumPy", "numpy", ""), Package("x", "no_such_package", "pip install x")
    passes = known(
        spec("on"),
        spec("off", default="off"),
        spec("switched", default="off", switch="faces"),
        spec("installed", default="installed", packages=(here,)),
        spec("lacking", default="installed", packages=(here, away)),
    )
    monkeypatch.setattr(registry, "passes", lambda: passes)
    assert select(()) == ["on", "installed"]
    assert select({"faces"}) == ["on", "switched", "installed"]
    assert select({"indications"}, without=["on"]) == ["installed"]
    assert select((), only=["lacking", "off"]) == ["off", "lacking"]
    with pytest.raises(registry.UnknownEnricher, match="'smell'"):
        select((), only=["smell"])


def test_what_is_absent_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = spec("a", packages=(Package("x", "no_such_package", "pip install x"),), models=("no-such-model",))
    package, model = absent(lacking, Catalog())
    assert isinstance(package, DependencyMissing)
    assert package.hint == "pip install x"
    assert isinstance(model, ModelMissing)
    monkeypatch.setattr(registry, "passes", lambda: known(lacking))
    _, notes = build_all(["a"], lambda name: build(name, Context()))  # type: ignore[arg-type]
    assert notes[-1] == "a is left out: x is not installed; pip install x"


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (spec("a"), "box 1.0 failed: ValueError: no such file"),
        (replace(PASS, name="other"), "declares the pass 'other'"),
        (replace(PASS, after=()), "builds 'descriptions' after"),
        (spec("a", build=lambda context: None), "AttributeError"),
        (replace(PASS, spaces=("smell",)), "writes to smell"),
    ],
)
def test_a_foreign_pass_that_cannot_be_built_is_noted(
    broken: PassSpec, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "passes", lambda: known(broken, package="box 1.0"))
    with pytest.raises(ExtensionBroken, match=why):
        build(broken.name, Context())  # type: ignore[arg-type]
    built, notes = build_all([broken.name], lambda name: build(name, Context()))  # type: ignore[arg-type]
    assert not built
    assert why in notes[-1]


def test_ours_that_fail_are_no_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "passes", lambda: known(spec("a")))
    with pytest.raises(ValueError, match="no such file"):
        build("a", Context())  # type: ignore[arg-type]
