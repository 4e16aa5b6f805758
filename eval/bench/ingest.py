"""Photos from the folder into the store, beside the picture encoder's own rate in the same run.

python -m crossmedia.eval.bench.ingest [COUNT]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.embeddings.media import Picture
from crossmedia.eval.bench.common import BenchRow, flickr_photos, measure_seconds, repeat, show


def main(count: int) -> None:
    photos = flickr_photos()[:count]
    with tempfile.TemporaryDirectory() as folder:
        media = Path(folder) / "media"
        media.mkdir()
        for path in photos:
            (media / path.name).symlink_to(path)
        service = Service(Settings(data=Path(folder) / "data"))
        service.searching.warm()
        service.runtime.pool.submit(photos[0]).result()
        batch = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in photos[:32]]
        before = repeat(lambda: service.runtime.profile.picture.encode(batch), 4.0) * 32
        with measure_seconds() as took:
            report = service.indexing.index([media])
        after = repeat(lambda: service.runtime.profile.picture.encode(batch), 4.0) * 32
        with measure_seconds() as again:
            second = service.indexing.index([media])
        problems = service.runtime.store.verify()
        service.close()
    assert report.counts["added"] == count, report.counts
    assert second.counts["unchanged"] == count
    assert not problems, problems
    rate, own = count / took[0], (before + after) / 2
    show(
        f"Ingest of {count} photos",
        [
            BenchRow("end to end", f"{rate:.0f}/s", f"encoder {own:.0f}/s", rate / own, "≥ 0.60"),
            BenchRow(
                "again, nothing changed",
                f"{count / again[0]:.0f}/s",
                f"first time {rate:.0f}/s",
                count / again[0] / rate,
            ),
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
