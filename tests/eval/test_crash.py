from __future__ import annotations

from pathlib import Path

import pytest

from crossmedia.eval.crash import crash
from tests.media_makers import write_picture


@pytest.mark.slow
@pytest.mark.process
def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for i in range(600):
        write_picture(media / f"p{i}.png", seed=i, width=24, height=24)
    found = crash(media, tmp_path / "data", kills=4, profile="toy")
    assert (found["files"], found["assets"], found["kills"]) == (600, 600, 4)
