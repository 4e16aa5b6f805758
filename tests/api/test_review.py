"""Judged, reviewed and blocked: over every face, from a label or a bank to what is served no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.api.use_cases.moderation import Blocked
from crossmedia.retrieval.documents import Enrichment, Label, Patch
from crossmedia.retrieval.policy.rules import BadPolicy
from crossmedia.retrieval.query import Query
from tests.api.helpers import Run, settings
from tests.media_makers import write_picture

RULES = """
[[rule]]
label = "object:knife"
action = "review"

[[rule]]
label = "plate"
action = "block"
"""


@pytest.fixture
def given(tmp_path: Path) -> Settings:
    (tmp_path / "policy.toml").write_text(RULES)
    photos = tmp_path / "photos"
    photos.mkdir()
    for n, name in enumerate(("a.png", "b.png")):
        write_picture(photos / name, seed=n)
    return settings(tmp_path, policy=tmp_path / "policy.toml")


@pytest.fixture
def service(given: Settings, tmp_path: Path) -> Iterator[Service]:
    service = Service(given)
    service.indexing.index([tmp_path / "photos"])
    yield service
    service.close()


def asset(service: Service, title: str) -> str:
    return next(
        a
        for a in service.runtime.store.asset_ids()
        if (found := service.runtime.store.asset(a)) and found.title == title
    )


def say(service: Service, title: str, *labels: tuple[str, str]) -> str:
    """An enricher finds these labels; returns the asset."""
    found = asset(service, title)
    said = tuple(Label(kind, value, 0.9, "m@1") for kind, value in labels)
    service.runtime.store.enrich(
        [Enrichment(found, "objects", "m@1", patches=(Patch(f"{found}-picture0", labels=said),))]
    )
    service.moderation.judge([found])
    return found


def test_what_is_found_is_judged_once(service: Service) -> None:
    found = say(service, "a.png", ("object", "knife"))
    [decision] = service.moderation.queue()
    assert (decision.asset, decision.action, decision.by_person) == (found, "review", False)
    assert decision.reasons == [
        {
            "action": "review",
            "kind": "object",
            "value": "knife",
            "score": 0.9,
            "model": "m@1",
            "moment": f"{found}-picture0",
        }
    ]
    assert decision.by.startswith("policy ")
    assert service.moderation.judge([found, asset(service, "b.png"), "nowhere"]) == 0
    say(service, "a.png")
    assert [d.action for d in service.moderation.history(found)] == ["review", "allow"]
    assert service.moderation.queue() == []


def test_a_person_has_the_last_word_until_something_new_is_found(service: Service) -> None:
    found = say(service, "a.png", ("object", "knife"))
    service.moderation.decide(found, "allow", "Ada", "a butter knife")
    assert service.moderation.judge([found]) == 0
    say(service, "a.png", ("object", "knife"), ("plate", "AB123"))
    history = service.moderation.history(found)
    assert [(d.action, d.by_person) for d in history] == [("review", False), ("allow", True), ("block", False)]
    assert {reason["kind"] for reason in history[-1].reasons} == {"object", "plate"}
    service.moderation.decide(found, "allow", "Ada")
    assert service.moderation.judge([found]) == 0
    with pytest.raises(InvalidRequest):
        service.moderation.decide(found, "burn", "Ada")
    with pytest.raises(InvalidRequest):
        service.moderation.decide(found, "allow", "  ")


def test_what_is_blocked_is_neither_found_nor_served(service: Service, given: Settings) -> None:
    found = say(service, "a.png", ("plate", "AB123"))
    everything = Query(texts=("picture",), min_relevance=0)
    assert found not in {hit.asset for hit in service.searching.search(everything).hits}
    with pytest.raises(Blocked):
        service.moderation.require_served(found)
    service.close()
    with TestClient(create_app(given)) as http:
        for part in ("content", "thumbnail", "preview", "transcript"):
            refused = http.get(f"/v1/assets/{found}/{part}")
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "blocked"), part
        assert http.head(f"/v1/assets/{found}/content").status_code == 403
        assert [d["asset"] for d in http.get("/v1/review", params={"action": "block"}).json()["decisions"]] == [found]
        done = http.post(f"/v1/review/{found[:12]}", json={"action": "allow", "by": "Ada", "note": "ours"}).json()
        assert (done["action"], done["by"], done["by_person"], done["note"]) == ("allow", "Ada", True, "ours")
        assert http.get(f"/v1/assets/{found}/content").status_code == 200
        assert [d["action"] for d in http.get(f"/v1/review/{found}").json()["decisions"]] == ["block", "allow"]
        for wrong in ({"action": "burn", "by": "Ada"}, {"action": "allow"}, {"action": "allow", "by": "x", "more": 1}):
            assert http.post(f"/v1/review/{found}", json=wrong).status_code == 422
        assert http.post("/v1/review/ffff", json={"action": "allow", "by": "Ada"}).status_code == 404


def test_a_bank_decides_as_it_says(service: Service, tmp_path: Path) -> None:
    given = settings(tmp_path)
    service.close()
    service = Service(given)
    service.banks.create("known", "block")
    service.banks.add("known", [tmp_path / "photos" / "b.png"], ["sha256"])
    assert service.moderation.judge_all() == (2, 0)
    [decision] = service.moderation.queue("block")
    assert (Path(decision.path).name, decision.reasons[0]["bank"]) == ("b.png", "known")
    # What is banked later is judged at once.
    service.banks.add("known", [tmp_path / "photos" / "a.png"], ["sha256"])
    assert len(service.moderation.queue("block")) == 2
    service.close()


def test_an_enriched_asset_is_judged(given: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    service = Service(given)
    monkeypatch.setattr(service.moderation, "judge", lambda assets: judged.extend(assets))
    service.indexing.index([tmp_path / "photos"])
    service.indexing.enrich()
    assert sorted(set(judged)) == sorted(service.runtime.store.asset_ids())
    service.close()


def test_commands(service: Service, run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    found = say(service, "a.png", ("object", "knife"))
    service.close()
    environment["CROSSMEDIA_POLICY"] = str(tmp_path / "policy.toml")
    assert "object:knife 0.90" in run("review", "list").stdout
    assert json.loads(run("review", "decide", found[:12], "block", "--by", "Ada", "--json").stdout)["action"] == "block"
    assert "Ada" in run("review", "history", found[:12]).stdout
    assert "Nothing to review" in run("review", "list").stdout
    assert [rule["kind"] for rule in json.loads(run("policy", "show", "--json").stdout)["rules"]] == ["object", "plate"]
    assert json.loads(run("policy", "apply", "--json").stdout) == {"assets": 2, "decisions": 0}
    (tmp_path / "policy.toml").write_text('[[rule]]\nlabel = "knif"\naction = "block"\n')
    assert "unknown label" in run("policy", "show", code=2).stderr


def test_a_broken_policy_stops_an_enrichment_before_it_begins(given: Settings, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[[rule]")
    service = Service(given)
    service.indexing.index([tmp_path / "photos"])
    with pytest.raises(BadPolicy):
        service.indexing.enrich()
    assert service.runtime.store.statistics().enrichments == {}
    service.close()


def killed(*_: object) -> int:
    raise RuntimeError("killed")


def test_what_a_crash_kept_from_being_judged_is_judged_first(
    service: Service, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(service.moderation, "judge", lambda assets: 0)
        blocked = say(service, "a.png", ("plate", "AB 12"))
        patched.setattr(service.moderation, "judge", killed)
        with pytest.raises(RuntimeError, match="killed"):
            service.indexing.enrich(only=["trust"])
    assert service.moderation.decisions.standing("block") == []
    assert service.moderation.decisions.owed()
    with TestClient(create_app(given)) as client:
        assert client.get(f"/v1/assets/{blocked}/content").status_code == 403
    assert service.moderation.decisions.owed() == []
    service.moderation.decisions.owe([blocked])
    service.indexing.enrich(only=["trust"])
    assert service.moderation.decisions.owed() == []


def test_a_decision_counts_though_its_process_died_before_the_store_knew(
    service: Service, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = asset(service, "a.png")
    everything = Query(texts=("picture",), min_relevance=0)
    deciding = Service(given)
    monkeypatch.setattr(deciding.moderation, "follow", killed)
    with pytest.raises(RuntimeError, match="killed"):
        deciding.moderation.decide(found, "block", "Ada")
    deciding.close()
    assert found not in {hit.asset for hit in service.searching.search(everything).hits}, (
        "nor in a service that runs on"
    )
    service.moderation.decide(found, "allow", "Ada")
    assert found in {hit.asset for hit in service.searching.search(everything).hits}
