"""Clocks that jump, and files from other ages: nothing is lost, and no key lives longer than it should."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.helpers import command, png
from tests.attack.processes import Server, served
from tests.attack.scale import count, draw, share

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.network]

DAY = 86_400.0
JUMPS = (-40 * 365 * DAY, -365 * DAY, -DAY, -3600.0, -1.0, 0.0, 1.0, 3600.0, 31 * DAY, 365 * DAY, 70 * 365 * DAY)
AGES = (-(2**62), -62_135_596_801, -1, 0, 1, 2**31, 2**33, 253_402_300_800, 2**40, 2**62 // 10**9)
"""Seconds since 1970 of files: before the year 1, after the year 9999, and what programs write instead of a time."""


def test_jumps(tmp_path: Path, environment: dict[str, str]) -> None:
    rng, data, clock, log = draw("clock"), tmp_path / "data", tmp_path / "clock", tmp_path / "log.txt"
    clock.write_text("0")
    there: dict[str, bytes] = {}
    jumps = share(300, 6)
    with served(environment, data, log, module=("tests.attack.clock", str(clock))) as server:
        for number in range(jumps):
            clock.write_text(str(rng.choice(JUMPS)))
            content = png("red", 16 + number) + rng.randbytes(4)
            answer = server.http.post("/v1/assets", files=[("file", (f"{number}.png", content))])
            assert answer.status_code == 202, answer.text
            clock.write_text(str(rng.choice(JUMPS)))
            server.settled()
            [asset] = server.http.get(f"/v1/jobs/{answer.json()['id']}").json()["report"]["uploaded"]
            there[asset] = content
            if len(there) > 20:
                gone = rng.choice(sorted(there))
                assert server.http.delete(f"/v1/assets/{gone}").status_code == 200
                del there[gone]
            answer = server.http.post("/v1/search", json={"text": "red", "k": 5})
            assert answer.status_code == 200
            assert answer.json()["hits"]
        _all_there(server, there)
    clock.write_text(str(JUMPS[0]))
    with served(environment, data, log, module=("tests.attack.clock", str(clock))) as server:
        _all_there(server, there)
    count("clock", jumps=jumps, lost=0)
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]
    assert "store and indexes agree" in command(environment, "doctor", "--deep", "--data", str(data)).stdout


def _all_there(server: Server, there: dict[str, bytes]) -> None:
    listed = {asset["asset"] for asset in server.http.get("/v1/assets", params={"limit": 1000}).json()["assets"]}
    assert listed == there.keys()
    for asset, content in there.items():
        assert server.http.get(f"/v1/assets/{asset}/content").content == content


def test_keys_and_sessions(tmp_path: Path, environment: dict[str, str]) -> None:
    """A key of a day and its session: valid while that day lasts and never after, whatever the clock said between."""
    data, clock, log = tmp_path / "data", tmp_path / "clock", tmp_path / "log.txt"
    clock.write_text("0")
    key = command(environment, "key", "add", "ada", "--days", "1", "--data", str(data)).stdout.strip()
    with served(environment, data, log, key=key, module=("tests.attack.clock", str(clock))) as server:
        url = str(server.http.base_url)
        with httpx.Client(base_url=url) as browser:
            assert browser.post("/v1/session", headers={"X-API-Key": key}).status_code == 204
            for days, status in ((0, 200), (-1, 200), (2, 401), (-40 * 365, 200), (400, 401), (0, 200)):
                clock.write_text(str(days * DAY))
                assert server.http.get("/v1/assets").status_code == status, days
                assert browser.get("/v1/assets").status_code == status, days
                time.sleep(0.1)
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


@pytest.fixture
def ageless(tmp_path: Path) -> Iterator[Path]:
    """A folder whose file system keeps any time: one in memory, where there is one."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else tmp_path))
    yield folder
    shutil.rmtree(folder)


def test_files_of_other_ages(ageless: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    for number, age in enumerate(AGES):
        path = ageless / f"{number}.txt"
        path.write_text(f"A boat of the year {age}.")
        with contextlib.suppress(OSError, OverflowError):  # not every file system has every time
            os.utime(path, ns=(age * 10**9, age * 10**9))

    def run(*words: str) -> Any:
        return json.loads(command(environment, *words, "--json", "--data", str(tmp_path / "data")).stdout)

    report = run("index", str(ageless))
    assert (report["failures"], report["added"]) == ([], len(AGES))
    assert run("search", "boat")["hits"]
    assert run("index", str(ageless))["unchanged"] == len(AGES)
