"""What the tests of the service share."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

from api.settings import Settings
from embeddings.toy import COLOURS


def png(colour: str, size: int = 48) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size, 3), COLOURS[colour], dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def settings(tmp_path: Path, **values: Any) -> Settings:
    given = {"profile": "toy", "without": ("ocr", "transcript"), "decode_workers": 1, **values}
    return Settings(data=tmp_path / "data", **given)


def finished(http: TestClient, response: Any) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    return ended(http, response.json()["id"])


def ended(http: TestClient, job_id: str) -> dict[str, Any]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        job: dict[str, Any] = http.get(f"/v1/jobs/{job_id}").json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def upload(http: TestClient, **files: bytes) -> dict[str, Any]:
    parts = [("file", (name.replace("_", "."), content)) for name, content in files.items()]
    return finished(http, http.post("/v1/assets", files=parts))


def kept(tmp_path: Path) -> list[str]:
    """Names of the files the service holds of uploads."""
    return sorted(p.name for p in (tmp_path / "data" / "uploads").rglob("*") if p.is_file())
