"""Several processes over one data folder: one server, any number of commands, and every file is there exactly once."""

from __future__ import annotations

import hashlib
import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from crossmedia.retrieval.local import LocalStore
from tests.api.helpers import command
from tests.attack.processes import PATIENCE, served, start
from tests.attack.scale import count, draw, share
from tests.media_makers import write_picture

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.network]


def test_two_servers_and_commands(tmp_path: Path, environment: dict[str, str]) -> None:
    """A second server ends and says why; commands that write at once, and uploads meanwhile, get in each other's way as
    little as that."""
    rng, data, log = draw("together"), tmp_path / "data", tmp_path / "log.txt"
    folder, sent = tmp_path / "media", dict[str, bytes]()
    folder.mkdir()
    rounds = share(20)
    with served(environment, data, log) as server:
        for turn in range(rounds):
            for number in range(20):
                write_picture(folder / f"{turn}-{number}.png", 100 * turn + number, 48, 32)
            second = start(environment, "serve", "--port", "0", "--data", str(data), log=tmp_path / "second.txt")
            commands = [
                start(environment, *words, "--data", str(data), log=tmp_path / "commands.txt")
                for words in rng.sample(
                    [
                        ["index", str(folder)],
                        ["index", str(folder)],
                        ["enrich"],
                        ["doctor"],
                        ["search", "red"],
                        ["backup", str(tmp_path / f"backup-{turn}")],
                        ["status"],
                    ],
                    3,
                )
            ]
            for number in range(5):
                content = f"A boat of turn {turn}, number {number}.".encode()
                answer = server.http.post("/v1/assets", files=[("file", (f"{number}.txt", content))])
                assert answer.status_code in (202, 503), answer.text
                if answer.status_code == 202:
                    sent[hashlib.sha256(content).hexdigest()] = content
            assert second.wait(PATIENCE) == 1
            for process in commands:
                process.wait(PATIENCE)
            server.settled()
            assert server.http.get("/readyz").status_code == 200
        for asset, content in sent.items():
            assert server.http.get(f"/v1/assets/{asset}/content").content == content
    assert "already_served" in (tmp_path / "second.txt").read_text()
    for name in ("log.txt", "second.txt", "commands.txt"):
        assert "Traceback" not in (tmp_path / name).read_text(), (tmp_path / name).read_text()[-3000:]
    report = json.loads(command(environment, "index", str(folder), "--json", "--data", str(data)).stdout)
    assert report["failed"] == 0
    with closing(LocalStore(data)) as store:
        assert store.verify(deep=True) == []
        places = [each.source.location for each in store.located()]
    assert len(places) == len(set(places)) == 20 * rounds + len(sent)
    count("together", rounds=rounds, lost=0)


def test_ports_that_are_taken(tmp_path: Path, environment: dict[str, str]) -> None:
    """Two servers on one port: the second ends and says so, and its data folder can be served afterwards."""
    with served(environment, tmp_path / "one", tmp_path / "one.txt") as server:
        words = ("serve", "--port", str(server.port), "--data", str(tmp_path / "two"))
        second: subprocess.Popen[bytes] = start(environment, *words, log=tmp_path / "two.txt")
        assert second.wait(PATIENCE) != 0
        said = (tmp_path / "two.txt").read_text()
        assert "address already in use" in said
        assert "Traceback" not in said
        assert server.http.get("/readyz").status_code == 200
    with served(environment, tmp_path / "two", tmp_path / "again.txt"):
        pass
