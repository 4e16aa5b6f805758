"""`crossmedia eval` over the toy profile: adapters, both modes, reports and their comparison."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from crossmedia.embeddings.toy import COLOURS
from crossmedia.eval import figures, metrics, report
from crossmedia.eval.cli import app
from crossmedia.eval.compare import compare
from crossmedia.eval.cutoff import absent_from, frequent_words
from crossmedia.eval.probes import ABSENT, gibberish
from crossmedia.eval.run import TaskResult
from crossmedia.eval.tasks import UnknownDataset, open_tasks
from tests.media_makers import tone, write_wav

WANTED = ("red", "green", "blue", "yellow")


@pytest.fixture
def captioned(tmp_path: Path) -> Path:
    folder = tmp_path / "colours"
    folder.mkdir()
    rows = ["image,caption"]
    for name in WANTED:
        Image.fromarray(np.full((32, 32, 3), COLOURS[name], dtype=np.uint8)).save(folder / f"{name}.png")
        rows += [f"{name}.png,{name}", f"{name}.png,something {name}"]
    (folder / "captions.csv").write_text("\n".join(rows) + "\n")
    return folder


def run(*words: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CROSSMEDIA_PROFILE", "toy")
    monkeypatch.setenv("CROSSMEDIA_DECODE_WORKERS", "1")
    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("mode", [(), ("--matrix",)])
def test_captioned_folder_is_measured(
    captioned: Path, tmp_path: Path, mode: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("run", str(captioned), "--out", str(tmp_path / "report"), *mode, monkeypatch=monkeypatch)
    context, results = report.read_report(tmp_path / "report")
    assert context.mode == ("matrix" if mode else "engine")
    to_image, to_text = results
    assert to_image.task == "colours: text → image"
    assert metrics.mean(to_image.measures["R@1"]) == 1
    assert to_image.ranks == (1,) * 8
    assert metrics.mean(to_text.measures["R@5"]) == 1
    text = (tmp_path / "report" / "report.md").read_text()
    assert "100.0 [100.0, 100.0]" in text
    assert "toy" in text


def test_distractors_join_galleries_of_pictures_and_are_wrong(
    captioned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for n, name in enumerate(("purple", "brown", "cyan")):
        Image.fromarray(np.full((32, 32, 3), COLOURS[name], dtype=np.uint8)).save(others / f"{n}.png")
    (others / "notes.txt").write_text("what the pictures are")
    out = str(tmp_path / "report")
    run("run", str(captioned), "--out", out, "--distractors", str(others), monkeypatch=monkeypatch)
    to_image, to_text = report.read_report(tmp_path / "report")[1]
    assert (to_image.task, to_image.gallery) == ("colours: text → image, 3 others", 7)
    assert to_text.gallery == 8
    assert to_image.ranks == (1,) * 8


def test_class_folders_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, hertz in (("low", 200.0), ("high", 3000.0)):
        (tmp_path / "sounds" / kind).mkdir(parents=True)
        for i in range(3):
            write_wav(tmp_path / "sounds" / kind / f"{i}.wav", tone(0.5, hertz + 10 * i))
    run("run", str(tmp_path / "sounds"), "--out", str(tmp_path / "report"), "--matrix", monkeypatch=monkeypatch)
    found = {r.task: r for r in report.read_report(tmp_path / "report")[1]}
    assert metrics.mean(found["sounds: text → sound"].measures["mAP"]) == 1
    assert metrics.mean(found["sounds: sound → text"].measures["R@1"]) == 1
    assert metrics.mean(found["sounds: sound → sound by class"].measures["mAP"]) == 1


def test_unknown_dataset_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownDataset) as error:
        open_tasks(str(tmp_path), tmp_path, tmp_path)
    assert "flickr8k" in error.value.hint


def test_comparison_tells_certain_from_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    before = rng.integers(0, 2, 400).astype(float)
    better = np.clip(before + (rng.random(400) < 0.2), 0, 1)
    same = before.copy()
    same[0] = 1 - same[0]
    a = TaskResult("t", "data", 10, (1,), {"R@1": tuple(before)})
    [up], _ = compare([a], [TaskResult("t", "data", 10, (1,), {"R@1": tuple(better)})], ["R@1"])
    assert up.certain
    assert up.low > 0.05
    [chance], _ = compare([a], [TaskResult("t", "data", 10, (1,), {"R@1": tuple(same)})], ["R@1"])
    assert not chance.certain
    found, left_out = compare(
        [a], [TaskResult("t", "other", 10, (1,), {"R@1": (1.0,)}), TaskResult("new", "x", 1, (), {})], ["R@1"]
    )
    assert found == []
    assert len(left_out) == 2
    for name, values in (("a", before), ("b", better)):
        measures = {m: tuple(values) for m in report.SHOWN_MEASURES}
        report.write(
            tmp_path / name,
            report.Context("cmd", "engine", ("m",), "here"),
            [TaskResult("t", "data", 10, (1,) * 400, measures)],
            None,
        )
    assert "*" in run("compare", str(tmp_path / "a"), str(tmp_path / "b"), monkeypatch=monkeypatch)


def test_probes_and_words() -> None:
    captions = {Path(f"{i}.jpg"): ("A dog runs", "The dog is running", "an x-ray") for i in range(9)}
    assert frequent_words(captions) == ["dog"]
    assert "an x-ray of a hand" not in absent_from(captions)
    assert len(set(ABSENT)) == len(ABSENT) >= 100
    assert len(set(gibberish(50, 1))) >= 45


def test_interval_holds_the_mean_and_narrows() -> None:
    few, many = [0.0, 1.0] * 5, [0.0, 1.0] * 500
    for values in (few, many):
        low, high = metrics.interval(values)
        assert low <= 0.5 <= high
    assert np.diff(metrics.interval(many)) < np.diff(metrics.interval(few))
    assert json.dumps(metrics.interval([])) == "[0.0, 0.0]"


def test_reports_of_figures_are_compared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("a", 0.5), ("b", 0.9)):
        figure = figures.Figure("right", value, of=10, low=value - 0.1, high=value + 0.1)
        section = figures.Section("All", "", (figure,))
        figures.write(tmp_path / name, "Answers", report.Context("x", "answers", ("m",), "here"), [section])
    row = run("compare", str(tmp_path / "a"), str(tmp_path / "b"), monkeypatch=monkeypatch).splitlines()[1]
    assert row.split()[:2] == ["All", "right"]
    assert "*" in row
    assert "*" not in run("compare", str(tmp_path / "a"), str(tmp_path / "a"), monkeypatch=monkeypatch)
