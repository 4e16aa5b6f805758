"""The README's commands, run as they stand against the built-in models."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.usefixtures("whisper_folder")
def test_commands_run_as_they_stand(room: Path) -> None:
    if not (Path(sys.executable).parent / "crossmedia").exists():
        pytest.fail("crossmedia is not installed beside this Python: make test does it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = "set -euo pipefail\nset -m\n" + "\n".join(blocks("bash")).replace("8000", port)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "160"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=room, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "Nothing matches" in done.stdout
    assert '"hits": [{"asset"' in done.stdout.replace("\n", "").replace("  ", "") or '"hits":[{' in done.stdout
    for program in blocks("python"):
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=room, env=environment, capture_output=True, text=True, timeout=100
        )
        assert ran.returncode == 0, ran.stderr
        assert "media/" in ran.stdout
    # A made-up name means nothing before `align train` and finds drawings that were not among the pairs after `reindex`.
    before, after = done.stdout.split("Saved as pairs@")
    assert "signs/" not in before.rpartition(" added")[2]
    assert "signs/unseen/" in after
    # The cat of the corpus is among the hits for "a cat".
    assert "photo-03" in done.stdout
