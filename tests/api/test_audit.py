"""The audit file: rotated by its size, and no line of any process is lost or broken."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crossmedia.api.keys.audit import FILE, Audit
from crossmedia.api.settings import Settings

WRITER = """
import sys
from pathlib import Path
from crossmedia.api.keys.audit import Audit
audit = Audit(Path(sys.argv[1]), 2000, 1000)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    audit.note(sys.argv[2], "POST", number=number)
    print(number, flush=True)
"""


def older(folder: Path) -> list[Path]:
    """The older files, the newest first."""
    return sorted(folder.glob(f"{FILE}.*"), key=lambda path: int(path.suffix[1:]))


def lines(folder: Path) -> list[dict[str, Any]]:
    """All that was noted, the oldest first."""
    files = [*reversed(older(folder)), folder / FILE]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_files_take_turns(tmp_path: Path) -> None:
    audit = Audit(tmp_path, 1000, 3)
    for number in range(100):
        audit.note("ada", "POST", number=number)
    assert [path.name for path in older(tmp_path)] == [f"{FILE}.{number}" for number in (1, 2, 3)]
    for path in (tmp_path / FILE, *older(tmp_path)):
        assert 0 < path.stat().st_size <= 1000
        assert path.stat().st_mode & 0o777 == 0o600
    numbers = [line["number"] for line in lines(tmp_path)]
    assert numbers == list(range(numbers[0], 100))
    assert numbers[0] > 0


def test_a_line_longer_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    audit = Audit(tmp_path, 1000, 3)
    for length in (1, 5000, 1):
        audit.note("ada", "POST", path="x" * length)
    assert [len(line["path"]) for line in lines(tmp_path)] == [1, 5000, 1]
    assert len(older(tmp_path)) == 2


@pytest.mark.parametrize("left", [(FILE, "3", "4"), ("1", "2"), (FILE,)])
def test_a_rotation_that_a_crash_ended_loses_nothing(tmp_path: Path, left: tuple[str, ...]) -> None:
    """Files are renamed one after the other: any number of them can have moved."""
    for name in left:
        (tmp_path / (name if name == FILE else f"{FILE}.{name}")).write_text(f'{{"of": "{name}"}}\n' * 60)
    Audit(tmp_path, 1000, 4).note("ada", "POST")
    texts = [path.read_text().splitlines()[0] for path in (tmp_path / FILE, *older(tmp_path))]
    assert len(texts) == len(left) + 1
    assert all(any(f'"{name}"' in text for text in texts) for name in left)


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


@pytest.mark.process
def test_several_processes_lose_nothing_while_files_take_turns(tmp_path: Path) -> None:
    processes = [writer(tmp_path, str(number), 400) for number in range(4)]
    begin(processes)
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert len(older(tmp_path)) > 20
    noted = lines(tmp_path)
    for number in range(4):
        assert [line["number"] for line in noted if line["key"] == str(number)] == list(range(400))


@pytest.mark.process
def test_processes_that_are_killed_lose_nothing_that_was_noted(tmp_path: Path) -> None:
    processes = [writer(tmp_path, str(number), 100_000) for number in range(3)]
    begin(processes)
    told: dict[str, int] = {}
    for number, process in enumerate(processes):
        assert process.stdout is not None
        while (line := process.stdout.readline()) and int(line) < 100 * (number + 1):
            pass
        process.kill()
        rest = process.communicate()[0].splitlines()
        told[str(number)] = max([int(line), *(int(other) for other in rest[:-1])])
    noted = lines(tmp_path)
    for name, last in told.items():
        assert [line["number"] for line in noted if line["key"] == name][: last + 1] == list(range(last + 1))
    Audit(tmp_path, 2000, 1000).note("ada", "POST")


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = Audit(tmp_path, 1000, 1)
    audit.note("ada", "POST", number=1)
    write = os.write

    def some(file: int, content: bytes) -> int:
        if len(content) < 20:
            raise OSError(errno.ENOSPC, "full")
        return write(file, content[:10])

    monkeypatch.setattr("os.write", some)
    with pytest.raises(OSError, match="full"):
        audit.note("ada", "POST", number=2)
    monkeypatch.undo()
    audit.note("ada", "POST", number=3)
    assert [line["number"] for line in lines(tmp_path)] == [1, 3]


def test_settings_say_how_much_stays(tmp_path: Path) -> None:
    audit = Audit.of(Settings(data=tmp_path, audit_bytes=1024, audit_files=2))
    for number in range(100):
        audit.note("ada", "POST", number=number)
    assert len(older(tmp_path)) == 2
    assert (tmp_path / FILE).stat().st_size <= 1024
