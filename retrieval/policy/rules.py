"""A policy file: which labels, and which matches of banks, mean allow, review or block.

[[rule]]
label = "nudity:exposed"    # KIND or KIND:VALUE
least = 0.6                 # score from which it counts (0)
count = 1                   # on one moment (1)
action = "review"

[[rule]]
bank = "press"              # or "*": every bank, with the action it has itself
action = "allow"
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.label_kinds import LabelKind, known_kinds
from crossmedia.retrieval.banks.store import ACTIONS, Action
from crossmedia.retrieval.documents import Label, Moment

if TYPE_CHECKING:
    from crossmedia.retrieval.banks.matching import BankMatch

MAX_POLICY_BYTES: Final = 1_000_000
"""Bytes of a policy file."""
MAX_LINE_CHARACTERS: Final = 2_000
"""What reading a key costs grows with the square of its dots: 100,000 of them take tens of gigabytes."""
MAX_RULES: Final = 1_000
TOLD: Final = 100
"""Reasons of a decision that are kept, gravest first."""
DEFAULT: Final = """
[[rule]]
bank = "*"

[[rule]]
label = "nudity:exposed"
least = 0.6
action = "review"

[[rule]]
label = "abuse:words"
least = 0.8
action = "review"
"""
"""What applies without a file. Scores that tell of forged faces and synthetic speech are indications, and no rule of
it."""


class BadPolicy(CrossmediaError):
    """A policy file is none."""

    code = "bad_policy"
    status = 422


@dataclass(frozen=True)
class Rule:
    """On a label (`kind`, `value` or any) or a bank (`*`: any), never both. `action` None: the bank's own."""

    action: Action | None
    kind: str | None = None
    value: str | None = None
    least: float = 0.0
    count: int = 1
    bank: str | None = None


@dataclass(frozen=True)
class Reason:
    """Why: what a model says of a moment, or what is banked and how near it is."""

    action: Action
    kind: str
    value: str
    score: float | None = None
    model: str | None = None
    moment: str | None = None
    bank: str | None = None
    distance: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What is the same reason when it is given again."""
        return self.kind, self.value, self.bank or ""

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Policy:
    """Rules and what they are known by."""

    rules: tuple[Rule, ...]
    version: str

    def judged(self, moments: Sequence[Moment], matches: Iterable[BankMatch]) -> tuple[Action, tuple[Reason, ...]]:
        """What is to be done with an asset, and why, gravest first.

        Block goes before everything. What may be shown, by a rule or a bank that allows it, needs no review.
        """
        reasons = list(dict.fromkeys([*self._of_labels(moments), *self._of_banks(matches)]))
        reasons.sort(key=lambda reason: (_GRAVITY.index(reason.action), -(reason.score or 0.0)))
        return gravest(reasons), tuple(reasons[:TOLD])

    def _of_labels(self, moments: Sequence[Moment]) -> Iterable[Reason]:
        for rule in self.rules:
            if rule.kind is None or rule.action is None:
                continue
            for moment in moments:
                met = [label for label in moment.labels if _meets(label, rule)]
                if len(met) >= rule.count:
                    best = max(met, key=lambda label: label.score)
                    yield Reason(rule.action, best.kind, best.value, best.score, best.model, moment.id)

    def _of_banks(self, matches: Iterable[BankMatch]) -> Iterable[Reason]:
        for match in matches:
            for rule in self.rules:
                if rule.bank is not None and rule.bank.casefold() in ("*", match.bank.casefold()):
                    yield Reason(
                        rule.action or match.action,
                        match.known.kind,
                        match.known.value,
                        bank=match.bank,
                        distance=match.distance,
                    )
                    break


_GRAVITY: Final[tuple[Action, ...]] = ("block", "allow", "review")


def gravest(reasons: Iterable[Reason]) -> Action:
    """What reasons together ask for; nothing asks for nothing."""
    return min((reason.action for reason in reasons), key=_GRAVITY.index, default="allow")


def _meets(label: Label, rule: Rule) -> bool:
    fits = label.kind == rule.kind and rule.value in (None, label.value.casefold())
    return fits and label.score >= rule.least


def read_policy(text: str, kinds: Mapping[str, LabelKind] | None = None) -> Policy:
    """The rules of a policy file, over labels of these kinds, or those that any collection has. Raises BadPolicy, which
    names the rule that is wrong."""
    if len(text) > MAX_POLICY_BYTES:
        raise BadPolicy("the policy is too long", f"at most {MAX_POLICY_BYTES:,} characters")
    if any(len(line) > MAX_LINE_CHARACTERS for line in text.split("\n")):
        raise BadPolicy("a line of the policy is too long", f"at most {MAX_LINE_CHARACTERS:,} characters")
    try:
        found = tomllib.loads(text)
        return _policy(found, known_kinds() if kinds is None else kinds)
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"the policy is not valid TOML: {error}", "see docs/trust-and-moderation.md") from error
    except RecursionError as error:
        raise BadPolicy("the policy is nested too deeply", "see docs/trust-and-moderation.md") from error


def _policy(found: dict[str, Any], kinds: Mapping[str, LabelKind]) -> Policy:
    given = found.pop("rule", [])
    if found:
        raise BadPolicy(f"the policy has {', '.join(sorted(found))}", "it consists of [[rule]] tables")
    if not isinstance(given, list) or len(given) > MAX_RULES:
        raise BadPolicy("the rules are not a list, or too many", f"write [[rule]], at most {MAX_RULES:,} times")
    rules = tuple(_rule(n, one, kinds) for n, one in enumerate(given, start=1))
    # A bank that is named goes before all banks.
    ordered = sorted(rules, key=lambda rule: rule.bank == "*")
    return Policy(tuple(ordered), hashlib.sha256(repr(ordered).encode()).hexdigest()[:12])


def _rule(number: int, given: object, kinds: Mapping[str, LabelKind]) -> Rule:
    def bad(what: str, hint: str) -> BadPolicy:
        return BadPolicy(f"rule {number} {what}", hint)

    if not isinstance(given, dict):
        raise bad("is no table", "write [[rule]]")
    if unknown := given.keys() - {"label", "bank", "least", "count", "action"}:
        raise bad(f"has {', '.join(sorted(unknown))}", "a rule has label or bank, least, count, action")
    if ("label" in given) == ("bank" in given):
        raise bad("has to name a label or a bank", 'write label = "KIND:VALUE" or bank = "NAME"')
    action = given.get("action")
    if action not in ACTIONS and not (action is None and "bank" in given):
        raise bad(f"has the action {action!r}", f"there are: {', '.join(ACTIONS)}")
    if "bank" in given:
        if not isinstance(given["bank"], str) or {"least", "count"} & given.keys():
            raise bad("on a bank has something else", 'write bank = "NAME" or "*", and an action')
        return Rule(action, bank=given["bank"])
    return Rule(action, *_label(given["label"], kinds, bad), **_bounds(given, bad))


def _label(given: object, known: Mapping[str, LabelKind], bad: Any) -> tuple[str, str | None]:
    kind, _, value = given.partition(":") if isinstance(given, str) else ("", "", "")
    kinds = {name: one.values for name, one in known.items() if one.ruled}
    if kind not in kinds:
        raise bad(f"names an unknown label {given!r}", f"kinds of labels are: {', '.join(kinds)}")
    values = kinds[kind]
    if value and values is not None and value.casefold() not in values:
        raise bad(f"names an unknown label {given!r}", f"{kind} has: {', '.join(sorted(values))}")
    return kind, value.casefold() or None


def _bounds(given: Mapping[str, Any], bad: Any) -> dict[str, Any]:
    least, count = given.get("least", 0.0), given.get("count", 1)
    if isinstance(least, bool) or not isinstance(least, int | float) or not 0 <= least <= 1:
        raise bad(f"has least = {least!r}", "a score is between 0 and 1")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise bad(f"has count = {count!r}", "a count is a whole number of at least 1")
    return {"least": float(least), "count": count}
