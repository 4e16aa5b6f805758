"""Real `crossmedia` processes: started, watched, killed while they work."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

PATIENCE = 120.0
"""Seconds that are waited for what has to come; longer is a hang."""
MODULE = ("crossmedia.api.cli",)


def start(
    environment: Mapping[str, str], *words: str, log: Path | None = None, module: Sequence[str] = MODULE
) -> subprocess.Popen[bytes]:
    """`crossmedia WORDS` in a session of its own; what it says goes to the end of `log`."""
    with contextlib.ExitStack() as stack:
        out = subprocess.DEVNULL if log is None else stack.enter_context(log.open("ab"))
        return subprocess.Popen(
            [sys.executable, "-m", *module, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT if log else subprocess.DEVNULL,
            start_new_session=True,
        )


def written(process: subprocess.Popen[bytes]) -> int:
    """Bytes that the process has written so far, 0 once it is gone."""
    try:
        text = Path(f"/proc/{process.pid}/io").read_text()
    except OSError:
        return 0
    return int(text.split("wchar:")[1].split()[0])


def rehearse(process: subprocess.Popen[bytes]) -> int:
    """Lets it end, and says how much it had written."""
    most, until = 0, time.monotonic() + PATIENCE
    while process.poll() is None:
        most = max(most, written(process))
        if time.monotonic() > until:
            kill(process)
            raise AssertionError(f"{process.args!r} hangs")
        time.sleep(0.002)
    assert process.returncode == 0, process.args
    return most


def kill_at(process: subprocess.Popen[bytes], threshold: float, alone: bool) -> bool:
    """Kills it as soon as it has written so much, with its helpers or alone; False if it ended before."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and written(process) < threshold:
        assert time.monotonic() < until, f"{process.args!r} hangs"
        time.sleep(0.001)
    kill(process, alone)
    return process.returncode == -signal.SIGKILL


def kill(process: subprocess.Popen[bytes], alone: bool = False) -> None:
    """SIGKILL for a process and its helpers. `alone`: for itself only; then its helpers have to end by themselves."""
    with contextlib.suppress(ProcessLookupError):
        if alone:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    until = time.monotonic() + PATIENCE / 4
    while left := session(process.pid):
        if time.monotonic() > until:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"helpers of a killed process stay: {left}")
        time.sleep(0.02)


def session(leader: int) -> list[str]:
    """Command lines of the living processes of a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(after[3]) == leader and after[0] != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(
    environment: Mapping[str, str], data: Path, log: Path, key: str = "", module: Sequence[str] = MODULE
) -> Iterator[Server]:
    """A server over a data directory; it is killed in the end if it still runs."""
    server = Server(environment, data, log, key, module)
    try:
        yield server
    finally:
        server.http.close()
        if server.process.poll() is None:
            kill(server.process)


class Server:
    """A running `crossmedia serve`, and a client for it."""

    def __init__(
        self, environment: Mapping[str, str], data: Path, log: Path, key: str = "", module: Sequence[str] = MODULE
    ) -> None:
        self.port = free_port()
        self.log = log
        self.process = start(
            environment, "serve", "--port", str(self.port), "--data", str(data), log=log, module=module
        )
        headers = {"X-API-Key": key} if key else {}
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE, headers=headers)
        until = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(httpx.TransportError):
                if self.http.get("/readyz").status_code == 200:
                    break
            assert self.process.poll() is None, f"the server ended: {log.read_text()[-2000:]}"
            assert time.monotonic() < until, f"the server does not answer: {log.read_text()[-2000:]}"
            time.sleep(0.05)

    def settled(self) -> None:
        """Waits until no job is open."""
        until = time.monotonic() + PATIENCE
        while any(self.http.get("/v1/jobs", params={"state": state}).json()["jobs"] for state in ("queued", "running")):
            assert time.monotonic() < until, "jobs do not end"
            time.sleep(0.05)
