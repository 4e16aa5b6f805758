"""The commands around the shared queue."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossmedia.api.cli import app
from crossmedia.indexer.shared.redis_queue import RedisQueue
from tests.redis_server import RedisServer


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "CROSSMEDIA_PROFILE": "toy",
        "CROSSMEDIA_DATA": str(tmp_path / "data"),
        "CROSSMEDIA_WITHOUT": "ocr,transcript",
        "CROSSMEDIA_DECODE_WORKERS": "1",
        "COLUMNS": "300",
    }


def nobody() -> str:
    """An address where no server listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"redis://:s3cret@127.0.0.1:{probe.getsockname()[1]}/0"


@pytest.mark.network
def test_a_worker_says_what_it_lacks(environment: dict[str, str]) -> None:
    alone = CliRunner().invoke(app, ["worker"], env=environment)
    assert alone.exit_code == 2
    assert "no shared queue is configured" in alone.output
    assert "CROSSMEDIA_QUEUE=redis://" in alone.output
    lost = CliRunner().invoke(app, ["worker"], env={**environment, "CROSSMEDIA_QUEUE": nobody()})
    assert lost.exit_code == 1
    assert "queue_unreachable" in lost.output
    assert "start Redis" in lost.output
    assert "s3cret" not in lost.output


@pytest.mark.parametrize(
    "wrong",
    [
        "amqp://:s3cret@host",
        "redis://",
        "s3cret",
        "redis://:s3cret@host:port/0",
        "redis://:s3cret@host/one",
        "redis:///0",
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(wrong: str, environment: dict[str, str]) -> None:
    for command in (["worker"], ["status"]):
        refused = CliRunner().invoke(app, command, env={**environment, "CROSSMEDIA_QUEUE": wrong})
        assert refused.exit_code == 2
        assert "invalid_setting" in refused.output
        assert "redis://[USER:PASSWORD@]HOST:PORT/DB" in refused.output
        assert "s3cret" not in refused.output


def test_a_folder_is_left_to_the_workers(
    environment: dict[str, str], redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    monkeypatch.chdir(tmp_path)
    without = CliRunner().invoke(app, ["index", "media", "--enqueue"], env=environment)
    assert (without.exit_code, "no_queue" in without.output) == (2, True)
    environment["CROSSMEDIA_QUEUE"] = redis_server.url
    assert CliRunner().invoke(app, ["index", "none", "--enqueue"], env=environment).exit_code == 2
    assert CliRunner().invoke(app, ["index", "media", "--enqueue", "--watch"], env=environment).exit_code == 2
    left = CliRunner().invoke(
        app, ["index", "media", "--enqueue", "--json", "--collection", "c", "--without", "ocr"], env=environment
    )
    assert left.exit_code == 0, left.output
    queue = RedisQueue(redis_server.url)
    [job] = queue.unfinished()
    assert json.loads(left.stdout) == {"job": job.id}
    assert job.payload == {"paths": [str(media)], "within": [], "collection": "c", "without": ["ocr"]}
    queue.close()


def test_status_and_doctor_tell_of_the_queue(
    environment: dict[str, str], redis_server: RedisServer, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("The red boats come home.")
    assert CliRunner().invoke(app, ["index", str(tmp_path / "note.txt")], env=environment).exit_code == 0
    embedded = json.loads(CliRunner().invoke(app, ["status", "--json"], env=environment).stdout)
    assert embedded["queue"] == {"queue": "embedded", "jobs": {}, "workers": None}
    there = {**environment, "CROSSMEDIA_QUEUE": redis_server.url}
    queue = RedisQueue(redis_server.url)
    queue.submit("index", {})
    told = json.loads(CliRunner().invoke(app, ["status", "--json"], env=there).stdout)
    assert told["queue"] == {"queue": queue.address, "jobs": {"queued": 1}, "workers": 0}
    idle = CliRunner().invoke(app, ["doctor"], env=there)
    assert ", workers: 0" in idle.output
    assert "crossmedia worker starts one" in idle.output
    assert idle.exit_code == 1
    queue.present("a:1")
    assert "1 queued; workers: 1" in CliRunner().invoke(app, ["status"], env=there).output
    assert f"queue {queue.address}, workers: 1" in CliRunner().invoke(app, ["doctor"], env=there).output
    queue.close()
    gone = {**environment, "CROSSMEDIA_QUEUE": nobody()}
    status = CliRunner().invoke(app, ["status"], env=gone)
    assert status.exit_code == 0
    assert "does not answer" in status.output
    doctor = CliRunner().invoke(app, ["doctor"], env=gone)
    assert doctor.exit_code == 1
    assert "does not answer" in doctor.output
    assert "s3cret" not in status.output + doctor.output


@pytest.mark.process
def test_without_the_client_the_command_that_brings_it_is_told(environment: dict[str, str]) -> None:
    program = "import sys; sys.modules['redis'] = None; from crossmedia.api.cli import app; app()"
    there = {**os.environ, **environment, "CROSSMEDIA_QUEUE": nobody()}
    lacking = subprocess.run(
        [sys.executable, "-c", program, "worker"], env=there, capture_output=True, text=True, timeout=120
    )
    assert lacking.returncode == 1
    assert 'pip install "crossmedia[queue]"' in lacking.stderr
    assert "Traceback" not in lacking.stderr
