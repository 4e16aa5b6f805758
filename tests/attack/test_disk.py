"""Disks that are full at any moment: what was accepted before is there once there is room again."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from crossmedia.embeddings.errors import DiskFull
from crossmedia.retrieval.local import LocalStore
from tests.api.helpers import ended, png, settings
from tests.attack.scale import count, draw, share

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory whose size can be changed; only who may mount one has it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def resize(disk: Path, kilobytes: int) -> None:
    """So large, or as near to it as what is written meanwhile allows."""
    while True:
        words = ["mount", "-o", f"remount,size={kilobytes}k", str(disk)]
        if not subprocess.run(words, check=False, capture_output=True).returncode:
            return
        kilobytes += 64
        assert kilobytes < 1 << 20, "the disk cannot be resized"


def used(disk: Path) -> int:
    """Kilobytes on it."""
    return int(subprocess.run(["du", "-sk", str(disk)], check=True, capture_output=True, text=True).stdout.split()[0])


def test_a_disk_that_fills_up_anywhere(disk: Path) -> None:
    """Uploads, deletions and searches while there is room for some more kilobytes only; then more room, a new start."""
    rng = draw("disk")
    there: dict[str, bytes] = {}
    maybe: set[str] = set()
    times, refused, jobs_failed = share(60, 3), 0, 0
    for number in range(times):
        app = create_app(settings(disk, reserve_bytes=0))
        with TestClient(app, raise_server_exceptions=False) as http:
            resize(disk, used(disk) + rng.choice((8, 64, 200, 500, 1500)))
            for step in range(rng.randint(3, 10)):
                if there and rng.random() < 0.2:
                    asset = rng.choice(sorted(there))
                    answer = http.delete(f"/v1/assets/{asset}")
                    assert answer.status_code in (200, 404, 507), answer.text
                    if answer.status_code == 200:
                        del there[asset]
                    elif answer.status_code == 507:  # recorded or not: it may be finished at the next start
                        maybe.add(asset)
                    continue
                content = png("red", rng.randint(8, 64)) + rng.randbytes(rng.choice((10, 1000, 100_000, 600_000)))
                answer = http.post("/v1/assets", files=[("file", (f"{number}-{step}.png", content))])
                assert answer.status_code in (202, 507), answer.text
                refused += answer.status_code == 507
                if answer.status_code == 202:
                    there[hashlib.sha256(content).hexdigest()] = content
                    with contextlib.suppress(AssertionError):  # its job waits for room
                        jobs_failed += ended(http, answer.json()["id"], 2)["state"] == "failed"
                searched = http.post("/v1/search", json={"text": "red"})
                assert searched.status_code in (200, 507), searched.text
            resize(disk, 256 << 10)
        with TestClient(create_app(settings(disk, reserve_bytes=0)), raise_server_exceptions=False) as http:
            for job in http.get("/v1/jobs", params={"limit": 1000}).json()["jobs"]:
                ended(http, job["id"], 120)
            http.app.state.crossmedia.service.indexing.index(  # type: ignore[attr-defined]
                [disk / "data" / "uploads"]
            )  # what `crossmedia index DATA/uploads` does for those whose job failed
            for asset in [*there]:
                answer = http.get(f"/v1/assets/{asset}/content")
                if answer.status_code == 404 and asset in maybe:
                    del there[asset]
                    continue
                assert answer.content == there[asset], f"{asset} is lost: {answer.text}"
        maybe.clear()
        store = LocalStore(disk / "data")
        assert store.verify(deep=True) == []
        store.close()
    count("disk", tried=times, refused=refused, jobs_failed=jobs_failed, lost=0)


def test_backups_on_a_disk_that_fills_up(disk: Path, tmp_path: Path) -> None:
    """A backup that does not fit is no backup, and the next one with room is whole."""
    from crossmedia.api.service import Service
    from crossmedia.api.use_cases.backing_up import restore

    rng = draw("backup disk")
    with TestClient(create_app(settings(tmp_path, reserve_bytes=0))) as http:
        for number in range(8):
            content = png("red", 16 + number) + rng.randbytes(50_000)
            job = http.post("/v1/assets", files=[("file", (f"{number}.png", content))]).json()
            assert ended(http, job["id"])["state"] == "done"
    service = Service(settings(tmp_path))
    try:
        for number in range(share(200, 4)):
            resize(disk, used(disk) + rng.randint(4, 1000))
            backup = disk / f"backup{number}"
            try:
                service.backing_up.back_up(backup)
            except DiskFull:
                assert not backup.exists()
                resize(disk, 256 << 10)
                service.backing_up.back_up(backup)
            resize(disk, 256 << 10)
            restore(disk / "there", backup)
            store = LocalStore(disk / "there")
            assert store.verify(deep=True) == []
            assert len(store.located()) == 8
            store.close()
            subprocess.run(["rm", "-rf", str(disk / "there"), str(backup)], check=True)
    finally:
        service.close()
    count("disk", tried=share(200, 4))
