"""The setting `sight`, and what people are told of the teacher's pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossmedia.api.profiles import load_profile
from crossmedia.api.runtime import Runtime
from crossmedia.api.settings import InvalidSetting, Settings, read_settings
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.toy import TEACHER
from tests.api.helpers import Run, settings


@pytest.fixture
def models(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A folder of models that holds the toy's teacher."""
    (tmp_path / "models" / TEACHER).mkdir(parents=True)
    environment["CROSSMEDIA_MODELS"] = str(tmp_path / "models")
    return tmp_path / "models"


def profile(tmp_path: Path, **values: Any) -> Any:
    given = settings(tmp_path, **values)
    return load_profile(given, Catalog(given.models))


def wanted(given: Settings, *only: str) -> bool:
    return "sight" in Runtime(given).enricher_names(only)


def test_the_teacher_sees_later_or_at_once_or_never(tmp_path: Path, models: Path) -> None:
    later, at_once, never = (profile(tmp_path, models=models, sight=mode) for mode in ("both", "teacher", "student"))
    assert profile(tmp_path, models=models).sight is not None, "later is the default"
    assert later.sight.model == TEACHER
    assert (at_once.sight, never.sight) == (None, None)
    assert TEACHER in at_once.picture.model
    assert never.picture.model == later.picture.model == "toy"
    with pytest.raises(InvalidSetting):
        read_settings(sight="nobody")


def test_without_a_teacher_only_its_own_setting_fails(tmp_path: Path) -> None:
    assert profile(tmp_path).sight is None
    assert profile(tmp_path, sight="student").sight is None
    with pytest.raises(ModelMissing, match=TEACHER):
        profile(tmp_path, sight="teacher")


def test_the_pass_runs_where_there_is_something_to_do(tmp_path: Path, models: Path) -> None:
    assert wanted(settings(tmp_path, models=models))
    assert not wanted(settings(tmp_path, models=models, without=("sight",)))
    for values in ({}, {"models": models, "sight": "student"}, {"models": models, "sight": "teacher"}):
        assert not wanted(settings(tmp_path, **values))
    runtime = Runtime(settings(tmp_path))
    assert runtime.enrichers()[1] == [], "silently"
    [note] = runtime.enrichers(["sight"])[1]
    assert "crossmedia models pull clip-b16" in note
    runtime.close()


def test_passes_say_how_to_get_it(run: Run, environment: dict[str, str]) -> None:
    def row() -> dict[str, Any]:
        return next(one for one in json.loads(run("passes", "--json").stdout)["passes"] if one["pass"] == "sight")

    assert (row()["wanted"], row()["needs"]) == (False, ["crossmedia models pull clip-b16"])
    assert "crossmedia models pull clip-b16" in " ".join(run("passes").stdout.split())
    environment["CROSSMEDIA_SIGHT"] = "student"
    assert (row()["wanted"], row()["needs"]) == (False, [])


def test_encoders_that_cannot_be_loaded_keep_nobody_from_looking(run: Run, environment: dict[str, str]) -> None:
    environment["CROSSMEDIA_SIGHT"] = "teacher"
    assert "sight" in run("passes").stdout
    del environment["CROSSMEDIA_SIGHT"]
    environment |= {"CROSSMEDIA_PROFILE": "builtin", "CROSSMEDIA_SPEECH_MODEL": "no-such-model"}
    assert "sight" in run("passes").stdout


def test_passes_list_it_where_it_runs(run: Run, models: Path) -> None:
    [row] = [one for one in json.loads(run("passes", "--json").stdout)["passes"] if one["pass"] == "sight"]
    assert (row["wanted"], row["needs"]) == (True, [])


def test_status_tells_who_has_seen_what(run: Run, media: Path, environment: dict[str, str], tmp_path: Path) -> None:
    run("index", str(media), "--json")
    assert json.loads(run("status", "--json").stdout)["sight"] is None
    (tmp_path / "models" / TEACHER).mkdir(parents=True)
    environment["CROSSMEDIA_MODELS"] = str(tmp_path / "models")
    assert json.loads(run("status", "--json").stdout)["sight"] == {"seen": 0, "of": 2}
    assert json.loads(run("status", "--json").stdout)["pending"]["sight"] == 2
    run("enrich", "--only", "sight", "--json")
    assert json.loads(run("status", "--json").stdout)["sight"] == {"seen": 2, "of": 2}
    assert "2 of 2 pictures and videos seen by the teacher" in run("status").stdout
    del environment["CROSSMEDIA_MODELS"]
    assert json.loads(run("status", "--json").stdout)["sight"] == {"seen": 2, "of": 2}, "its vectors stay"
    assert COMMON in run("status").stdout
