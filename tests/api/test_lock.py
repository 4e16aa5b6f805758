"""Two servers on one data folder: the second is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn

from crossmedia.api.lock import AlreadyServed, sole_server
from tests.api.helpers import Run

HOLD = """
import sys, time
from pathlib import Path
from crossmedia.api.lock import sole_server
with sole_server(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_server_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[str] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: answers.append(run("serve", code=1).stderr))
    run("serve")
    assert "already_served" in answers[0]
    assert str(tmp_path / "data") in answers[0].replace("\n", "")
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: answers.append("runs"))
    run("serve")
    assert answers[1:] == ["runs"]


def test_servers_with_a_shared_queue_share_the_folder(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSMEDIA_QUEUE", "redis://localhost:1/0")
    started: list[int] = []

    def serve(app: object, **options: object) -> None:
        started.append(len(started))
        if len(started) < 2:
            run("serve")

    monkeypatch.setattr(uvicorn, "run", serve)
    run("serve")
    assert started == [0, 1]


@pytest.mark.process
def test_the_lock_goes_with_a_killed_server(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyServed), sole_server(tmp_path):
            pass
        holder.kill()
    with sole_server(tmp_path):
        pass
