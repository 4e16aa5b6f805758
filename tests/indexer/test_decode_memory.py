"""No file takes more memory than its kind may, nor decoders together more than a share of the machine."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Picture
from crossmedia.indexer.decode import memory
from crossmedia.indexer.decode.errors import TooLarge
from crossmedia.indexer.decode.job import prepare, read_all
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.progress import Progress
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.types import Decoded, Limits
from tests.media_makers import write_pdf, write_picture

MIB = 1 << 20


def recursive_pdf(path: Path, times: int, depth: int = 0) -> Path:
    """A page with a drawing that draws itself so many times; with a `depth`, drawings that draw the next so many
    times."""

    def stream(about: str, content: str) -> str:
        return f"<<{about}/Length {len(content)}>>stream\n{content}\nendstream"

    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        stream("", "/F Do"),
    ]
    for number in range(max(1, depth)):
        last = number == depth - 1
        drawn = 5 + number + (1 if depth else 0)
        about = "/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
        about += "" if last else f"/Resources<</XObject<</F {drawn} 0 R>>>>"
        objects.append(stream(about, "0 0 1 1 re f" if last else "/F Do " * times))
    data, places = b"%PDF-1.4\n", []
    for number, written in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{written}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer<</Root 1 0 R/Size {len(objects) + 1}>>"
    path.write_bytes(data + f"{head}\nstartxref\n{len(data)}\n%%EOF".encode())
    return path


def peak(path: Path, allowed: int) -> int:
    """Bytes that a process held at most which decoded this and nothing else, and may hold so many."""
    child = os.fork()
    if child == 0:
        try:
            faulthandler.disable()  # how it dies is no news
            prepare(allowed, str(path.parent))
            read_all(decode, [path], Limits())
        finally:
            os._exit(0)
    return os.wait4(child, 0)[2].ru_maxrss * 1024


@pytest.mark.slow
@pytest.mark.parametrize(("times", "depth"), [(2, 0), (9, 0), (10, 9), (3, 25)])
def test_a_pdf_that_draws_itself_takes_a_gigabyte_at_most(tmp_path: Path, times: int, depth: int) -> None:
    path = recursive_pdf(tmp_path / "a.pdf", times, depth)
    assert path.stat().st_size < 5_000
    # The child begins with the pages of this process.
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert peak(path, memory.MAX_BYTES) < memory.MAX_TEXT_BYTES + ours


@pytest.mark.slow
def test_a_pdf_that_draws_itself_costs_itself_alone(tmp_path: Path) -> None:
    good = write_pdf(tmp_path / "good.pdf", [["Words of a page."]])
    bad = recursive_pdf(tmp_path / "bad.pdf", 2)
    with DecodePool(1, memory=512 * MIB) as pool:
        one, error, other = pool.submit_many([good, bad, good]).result(60)
    assert isinstance(one, Decoded)
    assert isinstance(other, Decoded)
    assert isinstance(error, TooLarge)
    assert "bad.pdf needs more memory than a decoder may have" in error.message


def greedy(path: Path, limits: Limits, progress: Progress) -> Decoded:
    """As many MiB as the name says, inside of the bound of texts or outside of it."""
    size = int(path.stem.rsplit("-", 1)[-1]) * MIB
    try:
        if path.stem.startswith("text"):
            with memory.at_most(memory.MAX_TEXT_BYTES):
                bytearray(size)
        else:
            bytearray(size)
    except MemoryError as error:
        raise TooLarge("no room", "less") from error
    return decode(path, limits, progress)


def test_a_bound_of_a_kind_ends_with_the_file(tmp_path: Path) -> None:
    names = ("text-1100", "other-1100", "text-300", "other-2040", "text-1100")
    paths = [write_picture(tmp_path / f"{name}.png") for name in names]
    with DecodePool(1, read=greedy, memory=memory.MAX_BYTES) as pool:
        results = [_outcome(pool, path) for path in paths]
    assert results == [TooLarge, Decoded, Decoded, TooLarge, TooLarge]


def _outcome(pool: DecodePool, path: Path) -> type:
    try:
        return type(pool.submit(path).result(60))
    except CrossmediaError as error:
        return type(error)


def _limit() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_DATA)


def test_a_process_that_is_not_confined_is_left_as_it_is(tmp_path: Path) -> None:
    before = _limit()
    with memory.at_most(1):
        assert _limit() == before
    (tmp_path / "a.txt").write_text("words")
    decode(tmp_path / "a.txt")
    assert _limit() == before


def test_a_container_has_what_its_groups_leave_it(tmp_path: Path) -> None:
    groups, membership = tmp_path / "cgroup", tmp_path / "membership"
    membership.write_text("0::/system/unit\n")
    whole = memory.machine_memory(groups, membership)
    inner = groups / "system" / "unit"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    assert memory.machine_memory(groups, membership) == whole
    (groups / "system" / "memory.max").write_text(f"{300 * MIB}\n")
    assert memory.machine_memory(groups, membership) == 300 * MIB
    (groups / "memory.max").write_text(f"{200 * MIB}\n")
    assert memory.machine_memory(groups, membership) == 200 * MIB
    membership.write_text("5:cpu:/x\n7:memory:/unit\n")
    older = groups / "memory" / "unit"
    older.mkdir(parents=True)
    (older / "memory.limit_in_bytes").write_text(f"{100 * MIB}\n")
    assert memory.machine_memory(groups, membership) == 100 * MIB
    assert memory.machine_memory(groups, tmp_path / "absent") == 200 * MIB


def test_decoders_share_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine_memory", lambda: 12 << 30)
    assert memory.share(1) == memory.share(3) == memory.MAX_BYTES
    assert memory.share(6) == 1 << 30
    assert memory.share(600) == memory.MIN_BYTES


def test_a_death_by_abort_is_told_as_want_of_memory(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "abort.png")
    with DecodePool(1, read=aborting) as pool:
        assert _outcome(pool, path) is TooLarge


def aborting(path: Path, limits: Limits, progress: Progress) -> Decoded:
    os.kill(os.getpid(), signal.SIGABRT)
    return decode(path, limits, progress)


def test_pictures_of_many_bits_are_converted_strip_by_strip(tmp_path: Path) -> None:
    rows = np.linspace(0, 65_535, 700)[:, None].repeat(20, 1)
    Image.fromarray(rows.astype(np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(((rows - 9_000) * 3.7).astype(np.float32)).save(tmp_path / "b.tif")
    for name in ("a.png", "b.tif"):
        content = decode(tmp_path / name).content
        assert isinstance(content, Picture)
        assert np.abs(content.pixels[:, 0, 0] - rows[:, 0] / 65_535 * 255).max() < 1.5
