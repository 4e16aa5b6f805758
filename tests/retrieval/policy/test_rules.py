"""Rules: what they make of labels and matches, and what is no rule."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.label_kinds import known_kinds
from crossmedia.retrieval.banks.hashes import Hash
from crossmedia.retrieval.banks.matching import BankMatch
from crossmedia.retrieval.documents import Label
from crossmedia.retrieval.policy.rules import DEFAULT, BadPolicy, read_policy
from tests.retrieval.makers import asset_id, moment

RULES = """
[[rule]]
label = "object:Knife"
least = 0.6
count = 2
action = "review"

[[rule]]
label = "plate"
action = "block"

[[rule]]
bank = "*"

[[rule]]
bank = "Press"
action = "allow"
"""


def shown(*labels: tuple[str, str, float]) -> list:  # type: ignore[type-arg]
    made = tuple(Label(kind, value, score, "m@1") for kind, value, score in labels)
    return [moment(asset_id("a"), number=0, labels=made)]


def match(bank: str, action: str) -> BankMatch:
    known = Hash.of("sha256", "ab" * 32)
    return BankMatch(known, known, 0.0, None, bank, action, "")  # type: ignore[arg-type]


def test_scores_and_counts() -> None:
    policy = read_policy(RULES)
    assert policy.judged(shown(("object", "knife", 0.9), ("object", "knife", 0.5)), ()) == ("allow", ())
    action, [reason] = policy.judged(shown(("object", "knife", 0.7), ("object", "KNIFE", 0.6)), ())
    assert (action, reason.kind, reason.value, reason.score, reason.model) == ("review", "object", "knife", 0.7, "m@1")
    assert reason.moment == f"{asset_id('a')}-picture0"
    # Two on two moments are not two on one.
    apart = [
        *shown(("object", "knife", 0.9)),
        moment(asset_id("a"), number=1, labels=shown(("object", "knife", 0.9))[0].labels),
    ]
    assert policy.judged(apart, ())[0] == "allow"


def test_block_goes_first_and_what_is_allowed_needs_no_review() -> None:
    policy = read_policy(RULES)
    knives = shown(("object", "knife", 0.9), ("object", "knife", 0.9))
    assert policy.judged(knives, [match("press", "review")])[0] == "allow"
    assert policy.judged(knives, [match("other", "review")])[0] == "review"
    action, reasons = policy.judged(knives, [match("press", "block"), match("other", "block")])
    assert (action, reasons[0].bank, reasons[0].distance) == ("block", "other", 0.0)
    assert policy.judged(shown(("plate", "AB1", 0.1)), [match("press", "block")])[0] == "block"


def test_the_default_names_no_indication_of_forgery() -> None:
    policy = read_policy(DEFAULT)
    assert {rule.kind for rule in policy.rules} == {None, "nudity", "abuse"}
    assert policy.judged(shown(("forgery", "face", 1.0), ("spoof", "speech", 1.0)), ())[0] == "allow"
    assert policy.judged(shown(("nudity", "exposed", 0.7)), ())[0] == "review"
    assert policy.judged([], [match("x", "block")])[0] == "block"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[rule]", "not valid TOML"),
        ("rule = " + "[\n" * 100_000, "nested too deeply"),
        ("rule = " + "{a=" * 600, "nested too deeply"),
        ("[[rule]]\nlabel" + ".a" * 100_000 + " = 1", "line of the policy is too long"),
        ("[[rule]]\naction = 'block'\nlabel" + ".a" * 990 + " = 1", "unknown label|nested too deeply"),
        ("x = 1", "has x"),
        ("rule = 3", "not a list"),
        ("rule = [1]", "rule 1 is no table"),
        ('[[rule]]\nlabel = "objct:dog"\naction = "block"', "unknown label 'objct:dog'"),
        ('[[rule]]\nlabel = "nudity:naked"\naction = "block"', "unknown label 'nudity:naked'"),
        ("[[rule]]\nlabel = 3\naction = 'block'", "unknown label 3"),
        ('[[rule]]\nlabel = "object"\naction = "burn"', "action 'burn'"),
        ('[[rule]]\nlabel = "object"', "action None"),
        ('[[rule]]\nlabel = "object"\nbank = "x"\naction = "block"', "a label or a bank"),
        ("[[rule]]\naction = 'block'", "a label or a bank"),
        ('[[rule]]\nlabel = "object"\nleast = 1.5\naction = "block"', "least = 1.5"),
        ('[[rule]]\nlabel = "object"\nleast = true\naction = "block"', "least = True"),
        ('[[rule]]\nlabel = "object"\ncount = 0\naction = "block"', "count = 0"),
        ('[[rule]]\nbank = "x"\ncount = 2\naction = "block"', "something else"),
        ('[[rule]]\nlabel = "object"\nscore = 2\naction = "block"', "has score"),
    ],
)
def test_what_is_no_policy(text: str, told: str) -> None:
    with pytest.raises(BadPolicy, match=told):
        read_policy(text)


@given(st.text(max_size=80))
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    with contextlib.suppress(BadPolicy):
        assert read_policy(text).version


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(known_kinds())), st.sampled_from(["exposed", "words", "x"]), st.floats(0, 1))
    )
)
def test_more_labels_never_make_it_milder_without_a_rule_that_allows(labels: list[tuple[str, str, float]]) -> None:
    policy = read_policy(DEFAULT)
    order = ("allow", "review", "block")
    fewer, more = policy.judged(shown(*labels[:1]), ())[0], policy.judged(shown(*labels), ())[0]
    assert order.index(more) >= order.index(fewer)
