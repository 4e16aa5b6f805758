"""Objects in photos, and followed through a video: the whole pass, and the detector alone, beside the bare network.

python -m crossmedia.eval.bench.objects [PHOTOS [SECONDS]]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.api.wav import write_wav
from crossmedia.embeddings.objects import ObjectDetector, letterbox
from crossmedia.embeddings.onnx import session
from crossmedia.eval.bench.common import BenchRow, flickr_photos, measure_seconds, repeat, show, watch_memory
from crossmedia.eval.bench.media import join_captions, write_video
from crossmedia.eval.objects import open_photo
from crossmedia.indexer.tracks import RATE

BARE_RUNS = 32


def main(count: int, seconds: float) -> None:
    paths = flickr_photos()[:count]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        (room / "photos").mkdir()
        for path in paths:
            (room / "photos" / path.name).symlink_to(path)
        service = Service(Settings(data=room / "data"))
        service.indexing.index([room / "photos"])
        with watch_memory(0.1) as peak, measure_seconds() as took:
            report, absent = service.indexing.enrich(only=["objects"])
        assert report.done == len(paths), absent or report.failed
        write_wav(room / "talk.wav", join_captions(seconds))
        (room / "films").mkdir()
        write_video(room / "films" / "film.mp4", room / "talk.wav", seconds)
        with measure_seconds() as first:
            service.indexing.index([room / "films"])
        with watch_memory(0.1) as held, measure_seconds() as followed:
            service.indexing.enrich(only=["objects"])
        threads = service.runtime.settings.threads
        service.close()
        pictures = [open_photo(path) for path in paths[:BARE_RUNS]]
    detector = ObjectDetector(threads=threads)
    whole = repeat(lambda: detector.detect(pictures), 5.0) * len(pictures)
    squares = [letterbox(picture)[None] for picture in pictures]
    network = session(detector.path, threads)
    bare = repeat(lambda: [network.run(None, {"pixels": square}) for square in squares], 5.0) * len(squares)
    rate = len(paths) / took[0]
    show(
        f"Objects in {len(paths)} photos",
        [
            BenchRow(
                "enricher: decode, detect, commit",
                f"{rate:.1f}/s",
                f"network alone {bare:.1f}/s",
                rate / bare,
                "≥ 25/s",
            ),
            BenchRow(
                "detector: letterbox, network, boxes", f"{whole:.1f}/s", f"network alone {bare:.1f}/s", whole / bare
            ),
            BenchRow("peak memory of the pass, all processes", f"{peak[0] / 1e6:.0f} MB", ""),
            BenchRow(
                f"{seconds:.0f} s of 720p video, followed at {RATE:g} frames/s",
                f"{seconds / followed[0]:.1f} × real time",
                f"its first pass {seconds / first[0]:.1f} ×",
                first[0] / followed[0],
            ),
            BenchRow("peak memory of that pass, all processes", f"{held[0] / 1e6:.0f} MB", ""),
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, float(sys.argv[2]) if len(sys.argv) > 2 else 60.0)
