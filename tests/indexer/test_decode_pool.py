"""A file that hangs, crashes or fills the memory costs itself alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from crossmedia.embeddings.media import Picture
from crossmedia.indexer.decode.errors import DecodeCrashed, DecodeError, DecodeTimeout, EmptyFile, TooLarge
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.progress import Progress
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.types import Decoded, Limits
from tests.media_makers import write_picture, write_video


def hazard(path: Path, limits: Limits, progress: Progress) -> Decoded:
    """Decodes, unless the name asks for a misfortune."""
    if path.stem == "hang":
        time.sleep(60)
    if path.stem == "exit":
        os._exit(3)
    if path.stem == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.stem == "greedy":
        bytearray(8 << 30)
    if path.stem == "steady":
        for second in range(0, 300, 2):
            time.sleep(0.015)
            progress(float(second))
    if path.stem == "bug":
        raise RuntimeError("a bug of ours")
    return decode(path, limits, progress)


def wary(path: Path, limits: Limits, progress: Progress) -> Decoded:
    """As `hazard`, with memory exhaustion as the reader reports it."""
    try:
        return hazard(path, limits, progress)
    except MemoryError as error:
        raise TooLarge(f"{path.name} needs too much", "less") from error


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    with DecodePool(2, Limits(wall_seconds=0.8), wary) as made:
        yield made


@pytest.fixture
def good(tmp_path: Path) -> list[Path]:
    return [write_picture(tmp_path / f"{number}.jpg", number) for number in range(6)]


def test_pictures_cross_the_pipe(pool: DecodePool, good: list[Path]) -> None:
    here = [decode(path) for path in good]
    there = [future.result(30) for future in [pool.submit(path) for path in good]]
    for one, other in zip(here, there, strict=True):
        assert isinstance(one.content, Picture)
        assert isinstance(other.content, Picture)
        assert (one.content.pixels == other.content.pixels).all()
        assert one.thumbnails == other.thumbnails


def test_errors_come_back_as_they_are(pool: DecodePool, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(EmptyFile) as caught:
        pool.submit(tmp_path / "a.jpg").result(30)
    assert caught.value.as_dict()["code"] == "empty_file"
    assert caught.value.hint


def misfortune(folder: Path, name: str) -> Path:
    return write_picture(folder / f"{name}.jpg")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("hang", DecodeTimeout),
        ("exit", DecodeCrashed),
        ("segfault", DecodeCrashed),
        ("greedy", TooLarge),
        ("bug", DecodeCrashed),
    ],
)
def test_a_misfortune_is_that_files_error(
    pool: DecodePool, good: list[Path], tmp_path: Path, name: str, error: type[DecodeError]
) -> None:
    bad = pool.submit(misfortune(tmp_path, name))
    with pytest.raises(error) as caught:
        bad.result(30)
    assert f"{name}.jpg" in caught.value.message
    assert pool.submit(good[0]).result(30).media == "image"


def test_a_chunk_loses_only_the_file_that_killed_it(pool: DecodePool, good: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    chunk = [*good[:3], misfortune(tmp_path, "exit"), tmp_path / "empty.png", misfortune(tmp_path, "hang"), *good[3:]]
    results = pool.submit_many(chunk).result(60)
    kinds = [type(result) for result in results]
    assert kinds == [Decoded] * 3 + [DecodeCrashed, EmptyFile, DecodeTimeout] + [Decoded] * 3


def test_progress_buys_time(pool: DecodePool, tmp_path: Path) -> None:
    start = time.monotonic()
    assert pool.submit(misfortune(tmp_path, "steady")).result(30).media == "image"
    assert time.monotonic() - start > 1.5


def test_a_worker_killed_while_idle_is_replaced(good: list[Path]) -> None:
    with DecodePool(1) as own:
        own.submit(good[0]).result(30)
        (worker,) = own._pool._pool_manager.worker_manager.workers
        os.kill(worker, signal.SIGKILL)
        time.sleep(0.4)
        results = [future.result(30) for future in [own.submit(path) for path in good]]
        assert [result.media for result in results] == ["image"] * len(good)


def test_leaving_by_an_error_stops_at_once(good: list[Path], tmp_path: Path) -> None:
    start = time.monotonic()
    waiting: list[Future[Decoded]] = []

    def fail() -> None:
        with DecodePool(1, Limits(), wary) as own:
            waiting.extend(map(own.submit, [misfortune(tmp_path, "hang"), *good]))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert waiting
    assert all(future.cancelled() for future in waiting)
    assert time.monotonic() - start < 20


def test_closing_waits_for_what_was_submitted(good: list[Path], tmp_path: Path) -> None:
    with DecodePool(2, Limits(), wary) as own:
        chunk = own.submit_many([misfortune(tmp_path, "exit"), *good])
    assert [type(result) for result in chunk.result(0)] == [DecodeCrashed] + [Decoded] * 6


SCRIPT = """
import signal, sys, time
from concurrent.futures import Future
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs that a shell puts into the background ignore it
print("started", flush=True)
from crossmedia.indexer.decode.pool import DecodePool
with DecodePool(2) as pool:
    print(pool.submit(Path(sys.argv[1])).result().media, flush=True)
    while len(sys.argv) > 2:
        time.sleep(0.1)  # a signal that comes just before a sleep is seen after it
"""


@pytest.mark.process
def test_a_script_without_a_main_guard_runs_once(good: list[Path], tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    root = Path(__file__).parents[2]
    command = [sys.executable, str(tmp_path / "script.py"), str(good[0])]
    ran = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=60
    )
    assert (ran.stdout, ran.stderr) == ("started\nimage\n", "")


@pytest.mark.process
def test_ctrl_c_prints_no_workers_traceback(good: list[Path], tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    root = Path(__file__).parents[2]
    command = [sys.executable, str(tmp_path / "script.py"), str(good[0]), "wait"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert [running.stdout.readline(), running.stdout.readline()] == ["started\n", "image\n"]
        os.killpg(running.pid, signal.SIGINT)
        try:
            _, complaint = running.communicate(timeout=60)
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
    assert complaint.count("Traceback") == 1
    assert complaint.rstrip().endswith("KeyboardInterrupt")


def test_videos_cross_the_pipe(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(1, 1), (2, 1)])
    with DecodePool(1) as own:
        assert own.submit(path).result(60).media == "video"


@pytest.mark.shared
def test_real_photos(shared: Path) -> None:
    paths = sorted((shared / "data" / "flickr8k").rglob("*.jpg"))[:64]
    assert paths
    with DecodePool(2) as own:
        results = own.submit_many(paths).result(60)
    assert {getattr(result, "media", None) for result in results} == {"image"}
