"""The policy over the service: every asset that was looked at is judged, people decide, and what is blocked is not
served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from crossmedia.api.invalid import InvalidRequest
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.banks.store import ACTIONS, Action
from crossmedia.retrieval.documents import Moment
from crossmedia.retrieval.policy.decisions import Decision, Decisions
from crossmedia.retrieval.policy.rules import DEFAULT, BadPolicy, Policy, Reason, gravest, read_policy
from crossmedia.retrieval.query import Filters

if TYPE_CHECKING:
    from crossmedia.api.service import Service

LONGEST: Final = 2_000
"""Characters of a note, of somebody's name."""
PAGE: Final = 500
READ: Final = 50
"""Assets whose moments are read at once."""


class Blocked(CrossmediaError):
    """An asset's content is not served: a rule or a person blocked it."""

    code = "blocked"
    status = 403


class Moderation:
    """Decisions lie in the data directory, beside the collection; the last one on an asset counts."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.decisions = Decisions(service.settings.data)

    @cached_property
    def policy(self) -> Policy:
        """From the file of the settings, or the default; raises BadPolicy."""
        path = self._service.settings.policy
        if path is None:
            return read_policy(DEFAULT)
        try:
            return read_policy(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadPolicy(f"{path} cannot be read: {error}", "name a policy file with CROSSMEDIA_POLICY") from error

    def judge(self, assets: Sequence[str]) -> int:
        """Apply the policy to assets as they are now; returns how many decisions were new.

        Nothing is written where nothing has changed. What a person decided stands until there is a reason that was not
        there when it was decided.
        """
        latest = self.decisions.latest(assets)
        new: list[Decision] = []
        for some in (assets[n : n + READ] for n in range(0, len(assets), READ)):
            for asset, stored_asset in self._service.store.contents(some).items():
                moments = [held.moment for held in stored_asset.moments]
                if decision := self._judged(asset, moments, latest.get(asset)):
                    new.append(decision)
        self.decisions.add(new)
        self.follow()
        return len(new)

    def settle(self, assets: Sequence[str] | None = None) -> None:
        """Judge these, or whatever a crash kept from being judged: no longer owed then. Raises StoreUnusable,
        BadPolicy."""
        if assets is None:
            assets = self.decisions.owed()
            if not (assets or self.decisions.last()) or not self._service.has_collection:
                return
        for some in (assets[n : n + PAGE] for n in range(0, len(assets), PAGE)):
            self.judge(some)
            self.decisions.settle(some)
        self.follow()

    def follow(self) -> bool:
        """Let the collection know what is blocked by now; whether anything was ever decided.

        The journal is written first. Whoever decided may have died since, so this is called at every start and before
        every search too, when it is no more than a look.
        """
        if not self.decisions.last():
            return False
        self._service.store.follow(self.decisions)
        return True

    def judge_all(
        self, plan: Callable[[int], None] = lambda total: None, advance: Callable[[int], None] = lambda count: None
    ) -> tuple[int, int]:
        """Everything in the collection, after a change of the policy: how many assets, how many new decisions."""
        store = self._service.store
        plan(sum(store.statistics().assets.values()))
        done = new = 0
        some: list[str] = []
        for asset in store.asset_ids():
            some.append(asset)
            if len(some) == PAGE:
                new += self.judge(some)
                done += len(some)
                advance(len(some))
                some = []
        new += self.judge(some)
        advance(len(some))
        return done + len(some), new

    def decide(self, asset: str, action: str, by: str, note: str = "") -> dict[str, Any]:
        """A person's decision on an indexed asset; raises NotFound, Ambiguous, InvalidRequest."""
        chosen = _action(action)
        who = " ".join(by.split())
        if not who or len(who) > LONGEST or len(note) > LONGEST:
            raise InvalidRequest("say who decides, in at most 2,000 characters", "give a name; a note as long at most")
        found = self._service.resolve(asset)
        before = self.decisions.latest([found]).get(found)
        # What somebody has seen when deciding is what would not make it anew.
        reasons = before.reasons if before else ()
        self.decisions.add([Decision(found, chosen, who, True, reasons, note)])
        self.follow()
        return self.told([self.decisions.latest([found])[found]])[0]

    def queue(self, action: str = "review", limit: int = 100, before: int | None = None) -> list[dict[str, Any]]:
        """Assets of which this is the last word, newest first; of those that are indexed still."""
        return self.told(self.decisions.standing(_action(action), limit, before), indexed=True)

    def history(self, asset: str) -> list[dict[str, Any]]:
        """All that was decided of an asset, oldest first; it need not be indexed any more if its whole id is given."""
        whole = asset.lower()
        found = whole if self.decisions.latest([whole]) else self._service.resolve(asset)
        return self.told(self.decisions.history(found))

    def require_served(self, asset: str) -> None:
        """Raises Blocked."""
        decision = self.decisions.latest([asset]).get(asset)
        if decision is not None and decision.action == "block":
            raise Blocked(f"{asset[:12]} is blocked by {decision.maker}", "crossmedia review history ID tells why")

    def unblocked(self, filters: Filters) -> Filters:
        """The filters, and nothing that is blocked."""
        return replace(filters, journal=self.decisions.id) if self.follow() else filters

    def told(self, decisions: Iterable[Decision], *, indexed: bool = False) -> list[dict[str, Any]]:
        some = list(decisions)
        placed = self._service.store.placed([d.asset for d in some]) if self._service.has_collection else {}
        return [
            {
                "id": d.id, "asset": d.asset, "action": d.action, "by": d.maker, "by_person": d.by_person,
                "reasons": [dict(reason) for reason in d.reasons], "note": d.note, "at": d.at,
                "path": placed[d.asset][1][0].path if d.asset in placed and placed[d.asset][1] else None,
                "media": placed[d.asset][0].media if d.asset in placed else None,
            }
            for d in some
            if not indexed or d.asset in placed
        ]  # fmt: skip

    def close(self) -> None:
        self.decisions.close()

    def _judged(self, asset: str, moments: Sequence[Moment], before: Decision | None) -> Decision | None:
        """A decision, if it is another than the one before."""
        known = self._service.banks.lookup_asset(asset) if self._service.banks.any_enabled else None
        action, reasons = self.policy.judged(moments, known.found if known else ())
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
    raise InvalidRequest(f"{word[:80]!r} is no action", f"there are: {', '.join(ACTIONS)}")


def _key(reason: Any) -> tuple[str, str, str]:
    return reason["kind"], reason["value"], reason.get("bank", "")
