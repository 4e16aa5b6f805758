"""The policy: every asset that was looked at is judged, people decide, and what is blocked is not
served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.runtime import Runtime
from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Medium
from crossmedia.retrieval.banks.indexed import hashes_of
from crossmedia.retrieval.banks.store import ACTIONS, Action
from crossmedia.retrieval.documents import Moment
from crossmedia.retrieval.policy.decisions import Decision, Decisions
from crossmedia.retrieval.policy.rules import DEFAULT, BadPolicy, Policy, Reason, gravest, read_policy
from crossmedia.retrieval.query import Filters

MAX_NOTE_CHARACTERS: Final = 2_000
"""Characters of a note, of somebody's name."""
PAGE: Final = 500
READ: Final = 50
"""Assets whose moments are read at once."""


class Blocked(CrossmediaError):
    """An asset's content is not served: a rule or a person blocked it."""

    code = "blocked"
    status = 403


class DecisionOut(BaseModel):
    """One entry of the journal. `by`: a person, or `policy` and its version; `reasons`: labels with their scores and
    models, or banks with the distance; `id` grows from one decision to the next."""

    id: int
    asset: str
    path: str | None
    media: Medium | None
    action: Action
    by: str
    by_person: bool
    reasons: list[dict[str, Any]]
    note: str
    at: float


class Moderation:
    """Decisions lie in the data directory, beside the collection; the last one on an asset counts."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.decisions = Decisions(runtime.settings.data)

    @cached_property
    def policy(self) -> Policy:
        """From the file of the settings, or the default; raises BadPolicy."""
        path = self._runtime.settings.policy
        if path is None:
            return read_policy(DEFAULT)
        try:
            return read_policy(path.read_text("utf-8"), self._runtime.vocabularies.kinds())
        except (OSError, UnicodeDecodeError) as error:
            raise BadPolicy(f"{path} cannot be read: {error}", "name a policy file with CROSSMEDIA_POLICY") from error

    def judge(self, assets: Sequence[str]) -> int:
        """Apply the policy to assets as they are now; returns how many decisions were new.

        Nothing is written where nothing has changed. What a person decided stands until there is a reason that was not
        there when it was decided.
        """
        latest = self.decisions.latest(assets)
        new: list[Decision] = []
        for page in chunks(assets, READ):
            for asset, stored in self._runtime.store.contents(page).items():
                moments = [held.moment for held in stored.moments]
                if decision := self._judge_one(asset, moments, latest.get(asset)):
                    new.append(decision)
        self.decisions.add(new)
        self.follow()
        return len(new)

    def settle(self, assets: Sequence[str] | None = None) -> None:
        """Judge these, or whatever a crash kept from being judged: no longer owed then. Raises StoreUnusable,
        BadPolicy."""
        if assets is None:
            assets = self.decisions.owed()
            if not (assets or self.decisions.last()) or not self._runtime.has_collection:
                return
        for page in chunks(assets, PAGE):
            self.judge(page)
            self.decisions.settle(page)
        self.follow()

    def follow(self) -> bool:
        """Let the collection know what is blocked by now; whether anything was ever decided.

        The journal is written first. Whoever decided may have died since, so this is called at every start and before
        every search too, when it is no more than a look.
        """
        if not self.decisions.last():
            return False
        self._runtime.store.follow(self.decisions)
        return True

    def judge_all(
        self, plan: Callable[[int], None] = lambda total: None, advance: Callable[[int], None] = lambda count: None
    ) -> tuple[int, int]:
        """Everything in the collection, after a change of the policy: how many assets, how many new decisions."""
        store = self._runtime.store
        plan(sum(store.statistics().assets.values()))
        done = new = 0
        page: list[str] = []
        for asset in store.asset_ids():
            page.append(asset)
            if len(page) == PAGE:
                new += self.judge(page)
                done += len(page)
                advance(len(page))
                page = []
        new += self.judge(page)
        advance(len(page))
        return done + len(page), new

    def decide(self, asset: str, action: str, by: str, note: str = "") -> DecisionOut:
        """A person's decision on an indexed asset; raises NotFound, Ambiguous, InvalidRequest."""
        chosen = _action(action)
        who = " ".join(by.split())
        if not who or len(who) > MAX_NOTE_CHARACTERS or len(note) > MAX_NOTE_CHARACTERS:
            raise InvalidRequest("say who decides, in at most 2,000 characters", "give a name; a note as long at most")
        resolved = self._runtime.resolve(asset)
        before = self.decisions.latest([resolved]).get(resolved)
        # What somebody has seen when deciding is what would not make it anew.
        reasons = before.reasons if before else ()
        self.decisions.add([Decision(resolved, chosen, who, True, reasons, note)])
        self.follow()
        return self._describe([self.decisions.latest([resolved])[resolved]])[0]

    def queue(self, action: str = "review", limit: int = 100, before: int | None = None) -> list[DecisionOut]:
        """Assets of which this is the last word, newest first; of those that are indexed still."""
        return self._describe(self.decisions.standing(_action(action), limit, before), indexed=True)

    def history(self, asset: str) -> list[DecisionOut]:
        """All that was decided of an asset, oldest first; it need not be indexed any more if its whole id is given."""
        whole = asset.lower()
        resolved = whole if self.decisions.latest([whole]) else self._runtime.resolve(asset)
        return self._describe(self.decisions.history(resolved))

    def require_served(self, asset: str) -> None:
        """Raises Blocked."""
        decision = self.decisions.latest([asset]).get(asset)
        if decision is not None and decision.action == "block":
            raise Blocked(f"{asset[:12]} is blocked by {decision.maker}", "crossmedia review history ID shows why")

    def resolve_served(self, asset: str) -> str:
        """The asset whose id starts so; raises NotFound, Ambiguous, Blocked."""
        resolved = self._runtime.resolve(asset)
        self.require_served(resolved)
        return resolved

    def unblocked(self, filters: Filters) -> Filters:
        """The filters, and nothing that is blocked."""
        return replace(filters, journal=self.decisions.id) if self.follow() else filters

    def _describe(self, decisions: Iterable[Decision], *, indexed: bool = False) -> list[DecisionOut]:
        """With what is known of their assets; `indexed`: only of those that are still in the collection."""
        listed = list(decisions)
        placed = self._runtime.store.placed([d.asset for d in listed]) if self._runtime.has_collection else {}
        described = []
        for decision in listed:
            asset, sources = placed.get(decision.asset, (None, []))
            if indexed and asset is None:
                continue
            described.append(
                DecisionOut(
                    id=decision.id,
                    asset=decision.asset,
                    path=sources[0].path if sources else None,
                    media=asset.media if asset else None,
                    action=decision.action,
                    by=decision.maker,
                    by_person=decision.by_person,
                    reasons=[dict(reason) for reason in decision.reasons],
                    note=decision.note,
                    at=decision.at,
                )
            )
        return described

    def close(self) -> None:
        self.decisions.close()

    def _judge_one(self, asset: str, moments: Sequence[Moment], before: Decision | None) -> Decision | None:
        """A decision, if it is another than the one before."""
        matches = []
        if self._runtime.bank_store.enabled():
            matches = self._runtime.matcher.match(known for known, _ in hashes_of(asset, moments))
        action, reasons = self.policy.judged(moments, matches)
        if before is None and not reasons:
            return None
        if before is not None:
            seen = {_key(reason) for reason in before.reasons}
            fresh = [reason for reason in reasons if reason.key not in seen]
            same = before.action == action and not fresh and len(seen) == len({reason.key for reason in reasons})
            if same or (before.by_person and not fresh):
                return None
            if before.by_person:
                # Somebody has decided on the others: what is new is what it is about.
                action, reasons = gravest(fresh), (*fresh, *(Reason(**one) for one in before.reasons))
        maker = f"policy {self.policy.version}"
        return Decision(asset, action, maker, False, tuple(reason.as_dict() for reason in reasons))


def _action(word: str) -> Action:
    """Raises InvalidRequest."""
    for action in ACTIONS:
        if action == word:
            return action
    raise InvalidRequest(f"{word[:80]!r} is not an action", f"there are: {', '.join(ACTIONS)}")


def _key(reason: Any) -> tuple[str, str, str]:
    return reason["kind"], reason["value"], reason.get("bank", "")
