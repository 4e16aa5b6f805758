"""A video of hours into the store, all passes but writing: is its memory bounded, does it keep pace?

python -m crossmedia.eval.bench.long [HOURS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import av

from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.api.wav import write_wav
from crossmedia.eval.bench.common import BenchRow, measure_seconds, show, watch_memory
from crossmedia.eval.bench.media import join_captions, write_video

PIECE = 600.0
"""Seconds of film that are made; a longer one repeats them."""
LEAD = 0.2
"""What is left between two of them, s."""


def main(hours: float) -> None:
    seconds = hours * 3600
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        write_wav(room / "talk.wav", join_captions(PIECE))
        write_video(room / "piece.mp4", room / "talk.wav", PIECE)
        (room / "films").mkdir()
        repeat_packets(room / "piece.mp4", room / "films" / "film.mp4", round(seconds / PIECE))
        service = Service(Settings(data=room / "data"))
        took: dict[str, float] = {}
        with watch_memory() as peak:
            with measure_seconds() as first:
                report = service.indexing.index([room / "films"])
            for name in ("transcript", "speakers"):
                with measure_seconds() as passed:
                    service.indexing.enrich(only=[name])
                took[name] = passed[0]
        counts = service.runtime.store.statistics().moments
        service.close()
    assert not report.failed, report.failed
    whole = first[0] + sum(took.values())
    show(
        f"{hours:g} h of 720p video with speech",
        [
            BenchRow("whole", f"{seconds / whole:.1f} × real time", f"{whole:.0f} s", budget="≥ 5 ×"),
            BenchRow("first pass", f"{seconds / first[0]:.1f} × real time", f"{first[0]:.0f} s"),
            *(BenchRow(name, f"{seconds / took[name]:.1f} × real time", f"{took[name]:.0f} s") for name in took),
            BenchRow("peak memory, all processes", f"{peak[0] / 1e6:.0f} MB", "", budget="≤ 1,500 MB"),
            BenchRow("moments", ", ".join(f"{count} {kind}" for kind, count in counts.items()), ""),
        ],
    )


def repeat_packets(piece: Path, path: Path, times: int) -> None:
    """The same coded packets again and again, one after the other, without coding them anew."""
    with av.open(str(path), "w") as out:
        shift = 0.0
        streams: dict[int, av.stream.Stream] = {}
        for _ in range(times):
            with av.open(str(piece)) as source:
                for stream in source.streams:
                    if stream.index not in streams:
                        streams[stream.index] = out.add_stream_from_template(stream)
                last = 0.0
                for packet in source.demux():
                    if packet.dts is None or packet.time_base is None or packet.pts is None:
                        continue
                    # Time stamps of a piece begin before 0, where frames are coded out of their order.
                    offset = round((shift + LEAD) / packet.time_base)
                    last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
                shift += last + LEAD


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
