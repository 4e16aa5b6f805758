"""Speech and video into the store, both passes, in multiples of real time, beside Whisper's own rate in the same run.

python -m crossmedia.eval.bench.media [SECONDS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import Image

from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.api.wav import write_wav
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.eval.bench.common import SHARED, BenchRow, flickr_photos, measure_seconds, show, watch_memory
from crossmedia.eval.datasets import spoken_captions
from crossmedia.indexer.decode.reader import decode


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, watch_memory() as peak:
        room = Path(folder)
        speech = join_captions(seconds)
        (room / "speech").mkdir()
        (room / "video").mkdir()
        write_wav(room / "speech" / "talk.wav", speech)
        write_video(room / "video" / "film.mp4", room / "speech" / "talk.wav", seconds)
        service = Service(Settings(data=room / "data"))
        service.searching.warm()
        assert service.runtime.profile.transcriber is not None
        service.runtime.profile.transcriber.transcribe(speech.cut(0, 30))
        with measure_seconds() as raw:
            service.runtime.profile.transcriber.transcribe(speech)
        with measure_seconds() as first:
            service.indexing.index([room / "speech"])
        with measure_seconds() as second:
            service.indexing.enrich(only=["transcript"])
        with measure_seconds() as film:
            report = service.indexing.index([room / "video"])
        with measure_seconds() as said:
            service.indexing.enrich(only=["transcript"])
        with measure_seconds() as told:
            service.indexing.enrich(only=["speakers"])
        with measure_seconds() as read:
            service.indexing.enrich(only=["ocr"])
        moments = service.runtime.store.statistics().moments
        service.close()
    assert not report.failed, report.failed
    alone, talk, whole = seconds / raw[0], seconds / (first[0] + second[0]), seconds / (film[0] + said[0])
    show(
        f"{seconds:.0f} s of speech, and of 720p video with it",
        [
            BenchRow(
                "speech ingest", f"{talk:.1f} × real time", f"recogniser alone {alone:.1f} ×", talk / alone, "≥ 6 ×"
            ),
            BenchRow(
                "video ingest with transcript",
                f"{whole:.1f} × real time",
                f"recogniser alone {alone:.1f} ×",
                whole / alone,
                "≥ 5 ×",
            ),
            BenchRow("video, first pass only", f"{seconds / film[0]:.1f} × real time", ""),
            BenchRow("who speaks in it, further", f"{told[0]:.1f} s", f"{seconds / told[0]:.0f} × real time"),
            BenchRow("text in its key frames, further", f"{read[0]:.1f} s", f"{moments.get('shot', 0)} key frames"),
            BenchRow("peak memory, all processes", f"{peak[0] / 1e6:.0f} MB", ""),
        ],
    )


def join_captions(seconds: float) -> Waveform:
    """Spoken captions one after the other, half a second apart."""
    parts: list[np.ndarray] = []
    total = 0
    for path in spoken_captions(SHARED / "data" / "spoken_captions"):
        content = decode(path).content
        assert isinstance(content, Waveform)
        parts += [content.samples, np.zeros(SAMPLE_RATE // 2, dtype=np.float32)]
        total += len(content.samples) + SAMPLE_RATE // 2
        if total >= seconds * SAMPLE_RATE:
            break
    samples = np.concatenate(parts)
    return Waveform(np.resize(samples, int(seconds * SAMPLE_RATE)))


def write_video(path: Path, sound: Path, seconds: float) -> None:
    """720p H.264 at 25 fps: photos of 5 s each that zoom slowly, with the speech as AAC."""
    photos = flickr_photos()
    rng = np.random.default_rng(5)
    with av.open(str(path), "w") as out, av.open(str(sound)) as spoken:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "23"})
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        audio = out.add_stream("aac", rate=SAMPLE_RATE)
        for scene in range(int(np.ceil(seconds / 5))):
            photo = Image.open(photos[scene % len(photos)]).convert("RGB").resize((1536, 864))
            for number in range(125):
                left, top = number, number // 2
                frame = np.asarray(photo.crop((left, top, left + 1280, top + 720))).astype(np.int16)
                frame += rng.integers(-4, 5, (720, 1, 1), dtype=np.int16)
                for packet in video.encode(
                    av.VideoFrame.from_ndarray(frame.clip(0, 255).astype(np.uint8), format="rgb24")
                ):
                    out.mux(packet)
        for packet in video.encode():
            out.mux(packet)
        for decoded in spoken.decode(audio=0):
            for packet in audio.encode(decoded):
                out.mux(packet)
        for packet in audio.encode():
            out.mux(packet)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 120.0)
