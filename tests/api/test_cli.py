"""The command line over the toy profile, in a process of its own where signals matter."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossmedia.eval import cli as eval_cli
from crossmedia.indexer.enrichers.registry import pass_names
from crossmedia.retrieval.documents import Asset, Document, Label, Moment, Source, moment_id
from crossmedia.retrieval.local import LocalStore
from tests.api.helpers import Run
from tests.media_makers import write_picture, write_video


def index(run: Run, media: Path, *words: str, code: int = 0) -> dict[str, object]:
    found: dict[str, object] = json.loads(
        run("index", str(media), "--without", "ocr", "--without", "transcript", "--json", *words, code=code).stdout
    )
    return found


def test_index_search_show_rm_status(run: Run, media: Path) -> None:
    assert index(run, media)["added"] == 4
    assert index(run, media)["unchanged"] == 4
    answer = json.loads(run("search", "red boats", "--json").stdout)
    assert set(answer) == {"hits", "took_ms", "notes", "facets", "next"}
    hit = answer["hits"][0]
    assert hit["path"] == str(media / "note.txt")
    assert {e["leg"] for e in hit["evidence"]} >= {"words", "text"}
    assert "note.txt" in run("search", "red boats").stdout
    assert "boats come home" in run("show", hit["asset"][:12]).stdout
    assert json.loads(run("show", hit["asset"], "--json").stdout)["sources"][0]["path"] == str(media / "note.txt")
    assert json.loads(run("status", "--json").stdout)["assets"] == {"audio": 1, "image": 2, "text": 1}
    run("rm", hit["asset"][:12])
    assert json.loads(run("search", "red boats", "--json", "--type", "text").stdout)["hits"] == []
    assert "Nothing matches" in run("search", "xyzzy").stdout
    assert (media / "note.txt").exists()


def test_search_with_files(run: Run, media: Path) -> None:
    write_video(media / "clip.mp4", [(3, 1.0), (4, 1.0)])
    index(run, media)
    for option, name in (("--image", "a.png"), ("--audio", "tone.wav"), ("--video", "clip.mp4")):
        hits = json.loads(run("search", option, str(media / name), "--json", "--min-relevance", "0").stdout)["hits"]
        assert hits[0]["path"] == str(media / name)
    (media / "b.png").rename(media / "b@2.png")
    for image in ("a.png@0.5", "b@2.png", "b@2.png@2"):
        run("search", "--image", str(media / image), "--json")
    both = run(
        "search", "blue", "--image", str(media / "a.png"), "--not", "green", "--json", "--type", "image", "--k", "1"
    )
    assert len(json.loads(both.stdout)["hits"]) <= 1


def test_failures_are_listed_and_end_with_one(run: Run, media: Path) -> None:
    (media / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    report = index(run, media, code=1)
    assert (report["added"], report["failed"]) == (4, 1)
    [failure] = report["failures"]  # type: ignore[misc]
    assert failure["error"].keys() == {"code", "message", "hint"}
    shown = run("index", str(media), "--without", "ocr", "--without", "transcript", code=1)
    assert "broken.jpg" in shown.stdout


def test_prune(run: Run, media: Path) -> None:
    index(run, media)
    (media / "a.png").unlink()
    report = index(run, media)
    assert (report["gone"], report["pruned"]) == ([str(media / "a.png")], False)
    assert index(run, media, "--prune")["pruned"] is True
    assert index(run, media)["gone"] == []


@pytest.mark.parametrize(
    "words",
    [
        ("index", "/nowhere/at/all"),
        ("index",),
        ("search", "--sort", "smell"),
        ("search", "x", "--leg", "smell"),
        ("search", "x", "--type", "smell"),
        ("search", "--image", "/nowhere.png"),
        ("search", "x", "--k", "0"),
        ("index", ".", "--without", "smell"),
        ("search", "x", "--after", "yesterday"),
        ("search", "--image", f"{__file__}@heavy"),
        ("search", "--image", f"{__file__}@nan"),
    ],
)
def test_wrong_usage_ends_with_two(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    LocalStore(tmp_path / "data").close()
    done = run(*words, code=2)
    assert done.stderr


def test_wrong_settings_end_with_two(run: Run, environment: dict[str, str]) -> None:
    for name, value in (("CROSSMEDIA_THREADS", "0"), ("CROSSMEDIA_PROFILE", "foo")):
        before = environment.get(name)
        environment[name] = value
        assert "invalid_setting" in run("doctor", code=2).stderr
        environment.pop(name)
        if before:
            environment[name] = before


@pytest.mark.parametrize("words", [("search", "x"), ("show", "abc"), ("rm", "abc"), ("status",)])
def test_looking_where_nothing_is_indexed(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert "no_collection" in run(*words, code=1).stderr
    assert not (tmp_path / "data").exists()


def test_brackets_are_not_markup(run: Run, tmp_path: Path) -> None:
    assert "/nowhere/[/red]x [dim]" in run("index", "/nowhere/[/red]x [dim]", code=2).stderr
    asset = Asset("ab" * 32, "image", "image/png", 3, "t", metadata={"[/key]": "v"})
    moment = Moment(moment_id(asset.id, "picture", 0), asset.id, "picture", labels=(Label("[/kind]", "v", 0.5, "m"),))
    store = LocalStore(tmp_path / "data")
    store.put([Document(asset, Source("/x", "x", "default", 3, 0), (moment,))])
    store.close()
    shown = run("show", asset.id).stdout
    assert "[/key] v" in shown
    assert "[/kind]: v" in shown
    eval_cli._tell("a task called [/x]")


def test_what_is_not_there_ends_with_one(run: Run, tmp_path: Path) -> None:
    LocalStore(tmp_path / "data").close()
    assert "not_found" in run("show", "abcdef", code=1).stderr
    assert "not_found" in run("rm", "abcdef", code=1).stderr


def test_models_and_doctor(run: Run) -> None:
    rows = {row["id"]: row for row in json.loads(run("models", "--json").stdout)}
    assert {"minilm-l6-v2", "lite2", "whisper-tiny.en"} <= set(rows)
    assert rows["lite2"]["source"] == "bundled"
    assert all(row["licence"] for row in rows.values())
    assert "store and indexes agree" in run("doctor").stdout
    assert "store and indexes agree" in run("doctor", "--deep").stdout


def test_passes_are_listed_and_nothing_is_made(run: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    environment["CROSSMEDIA_WITHOUT"] = "ocr"
    listed = {row["pass"]: row for row in json.loads(run("passes", "--json").stdout)["passes"]}
    assert tuple(listed) == pass_names()
    assert listed["objects"]["labels"] == ["object", "track", "moving"]
    assert {"objects", "hashes"} <= {name for name, row in listed.items() if row["wanted"]}
    assert not {"ocr", "faces", "spoof"} & {name for name, row in listed.items() if row["wanted"]}
    assert listed["objects"]["needs"] == []
    assert "what is written in pictures" in " ".join(run("passes").stdout.split())
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
@pytest.mark.process
def test_interrupt_is_safe_and_the_next_run_goes_on(run: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(800):
        write_picture(folder / f"p{i}.png", seed=i, width=16, height=16)
    data = tmp_path / "data"
    passes = [f"--without={name}" for name in pass_names()]
    command = [sys.executable, "-m", "crossmedia.api.cli", "index", str(folder), "--data", str(data), *passes]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if (data / "store.sqlite-wal").exists() and (data / "store.sqlite-wal").stat().st_size > 400_000:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert "Traceback" not in stderr
    rest = json.loads(run("index", str(folder), *passes, "--json").stdout)
    assert rest["added"] + rest["unchanged"] == 800
    if process.returncode:
        assert process.returncode == 1
        assert f"{rest['unchanged']} added" in stdout
    assert "store and indexes agree" in run("doctor").stdout


@pytest.mark.process
def test_watch_indexes_what_comes(run: Run, media: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    command = [
        sys.executable,
        "-m",
        "crossmedia.api.cli",
        "index",
        str(media),
        "--data",
        str(tmp_path / "data"),
        "--watch",
        "--without",
        "ocr",
        "--without",
        "transcript",
    ]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("Watching"):
                break
        (media / "late.txt").write_text("An otter sleeps on its back.")
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if json.loads(run("search", "otter", "--json").stdout)["hits"]:
                break
            time.sleep(0.2)
        else:
            raise AssertionError("the new file was not found")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert process.returncode == 0
