"""Every pass by itself over photos, cars, recordings and a video, and all of them together: rates, and the memory they
take.

python -m crossmedia.eval.bench.passes [PHOTOS [SECONDS]]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.api.wav import write_wav
from crossmedia.eval.bench.common import SHARED, BenchRow, flickr_photos, measure_seconds, show, watch_memory
from crossmedia.eval.bench.media import join_captions, write_video
from crossmedia.indexer.enrichers.registry import pass_names

CARS: Final = 20
MEGABYTE: Final = 1e6


def main(count: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        media = _media(room / "media", count, seconds)
        # First, since what single passes leave in memory must not count.
        with watch_memory(0.2) as peak, measure_seconds() as whole:
            service = Service(Settings(data=room / "all", faces=True, indications=True))
            service.indexing.index([media])
            report, _ = service.indexing.enrich()
            service.close()
        assert not report.failed, report.failed
        service = Service(Settings(data=room / "each", faces=True, indications=True))
        with measure_seconds() as first:
            service.indexing.index([media])
        rows = []
        for name in pass_names():
            with measure_seconds() as took:
                report, absent = service.indexing.enrich(only=[name])
            assert report.done, absent
            assert not report.failed, report.failed
            rate = f"{report.done / took[0]:.1f} files/s"
            rows.append(BenchRow(name, rate, f"the first pass of all {first[0]:.1f} s", took[0] / first[0]))
        service.close()
    rows.append(BenchRow("all of it, from nothing", f"{whole[0]:.0f} s", f"the first pass {first[0]:.1f} s"))
    rows.append(BenchRow("peak memory, all processes", f"{peak[0] / MEGABYTE:.0f} MB", "", budget="< 1500 MB"))
    show(
        f"{count} photos, {CARS} pictures of cars, {seconds:.0f} s of speech and of video; ratio: of the first pass's "
        "time",
        rows,
    )


def _media(folder: Path, count: int, seconds: float) -> Path:
    folder.mkdir()
    cars = sorted((SHARED / "data" / "plates").glob("*/*.jpg"))[:CARS]
    for path in [*flickr_photos()[:count], *cars]:
        (folder / path.name).symlink_to(path)
    write_wav(folder / "talk.wav", join_captions(seconds))
    write_video(folder / "film.mp4", folder / "talk.wav", seconds)
    return folder


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, float(sys.argv[2]) if len(sys.argv) > 2 else 60.0)
