"""What the tests of the service share."""

from __future__ import annotations

import csv
import io
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image
from typer.testing import CliRunner

from crossmedia.api.cli import app
from crossmedia.api.commands.context import out
from crossmedia.api.settings import Settings
from crossmedia.embeddings.toy import COLOURS

WEIGHTY = ("sounds", "objects", "regions", "areas", "ocr", "plates", "transcript", "nudity", "abuse")
"""Passes that open networks."""
FLAGS = {
    "northland": ("red", "white"),
    "southland": ("white", "red"),
    "westland": ("blue", "yellow"),
    "eastland": ("yellow", "blue"),
}


Run = Callable[..., "subprocess.CompletedProcess[str]"]
"""`run(*words, code=0)`: the fixture `run`."""


def command(environment: Mapping[str, str], *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, as in a terminal of 160 columns; it must end with this code."""
    width, out.width = out.width, 160
    try:
        result = CliRunner().invoke(app, words, env=environment)
    finally:
        out.width = width
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return subprocess.CompletedProcess(words, result.exit_code, result.stdout, result.stderr)


def png(colour: str, size: int = 48) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size, 3), COLOURS[colour], dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def settings(tmp_path: Path, **values: Any) -> Settings:
    given = {"profile": "toy", "without": WEIGHTY, "decode_workers": 1, **values}
    return Settings(data=tmp_path / "data", **given)


def finished(http: TestClient, response: Any, wait: float = 30) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    return ended(http, response.json()["id"], wait)


def ended(http: TestClient, job_id: str, wait: float = 30) -> dict[str, Any]:
    until = time.monotonic() + wait
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


def flag(path: Path, name: str, seed: int) -> None:
    """Two colours one above the other, with some noise: the toy encoder names only one of them."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((48, 48, 3))
    pixels[: 24 + rng.integers(-3, 4)] = COLOURS[FLAGS[name][0]]
    pixels[24 + rng.integers(-3, 4) :] = COLOURS[FLAGS[name][1]]
    Image.fromarray((pixels + rng.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8)).save(path)


def write_flags(folder: Path) -> Path:
    """48 flags and `flags.csv` that names 40 of them."""
    folder.mkdir()
    rows = [("picture", "text")]
    for number in range(48):
        name = list(FLAGS)[number % 4]
        flag(folder / f"{number:02}.png", name, number)
        if number < 40:
            rows.append((f"{number:02}.png", name))
    with (folder / "flags.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder
