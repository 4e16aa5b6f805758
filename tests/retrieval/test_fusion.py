from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.retrieval.fusion import Fused, fold, fuse
from crossmedia.retrieval.query import Evidence
from tests.retrieval.makers import unit


def evidence(leg: str, rank: int, relevance: float) -> Evidence:
    return Evidence(leg, 0.0, relevance, rank)


rankings = st.lists(
    st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1), max_size=8).map(
        lambda found: {
            moment: evidence("leg", rank, relevance)
            for rank, (moment, relevance) in enumerate(sorted(found.items(), key=lambda x: -x[1]), start=1)
        }
    ),
    max_size=4,
)


@given(rankings)
def test_fusion_keeps_every_moment_once_and_takes_the_strongest_relevance(found: list[dict[str, Evidence]]) -> None:
    fused = fuse(found)
    assert sorted(f.moment for f in fused) == sorted(set().union(*found)) if found else fused == []
    for f in fused:
        assert f.relevance == max(r[f.moment].relevance for r in found if f.moment in r)
        assert [e.relevance for e in f.evidence] == sorted((e.relevance for e in f.evidence), reverse=True)
    assert [f.score for f in fused] == sorted((f.score for f in fused), reverse=True)


@given(rankings)
def test_one_leg_keeps_its_order(found: list[dict[str, Evidence]]) -> None:
    for ranking in found:
        wanted = [m for m, e in ranking.items() if e.relevance > 0]
        assert [f.moment for f in fuse([ranking]) if f.relevance > 0] == wanted


def test_agreement_wins() -> None:
    one = {"a": evidence("x", 1, 0.9), "b": evidence("x", 2, 0.9)}
    other = {"c": evidence("y", 1, 0.9), "b": evidence("y", 2, 0.9)}
    assert fuse([one, other])[0].moment == "b"


def test_best_of_a_poor_leg_stays_below() -> None:
    good = {"a": evidence("x", 1, 0.9), "b": evidence("x", 2, 0.85)}
    poor = {"junk": evidence("y", 1, 0.05)}
    assert [f.moment for f in fuse([good, poor])] == ["a", "b", "junk"]


def test_fold_counts_what_it_hides() -> None:
    ranked = [Fused(m, 1.0 - i / 10, 0.9, ()) for i, m in enumerate("abcd")]
    vectors = {
        "a": unit(1),
        "b": unit(2),
        "c": unit(1),
        "d": (unit(1) + 0.01 * unit(2)) / np.linalg.norm(unit(1) + 0.01 * unit(2)),
    }
    assert [(f.moment, more) for f, more in fold(ranked, vectors, 0.985)] == [("a", 2), ("b", 0)]
    assert [f.moment for f, _ in fold(ranked, {}, 0.985)] == list("abcd")
