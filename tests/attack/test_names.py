"""Names that people and programs give files: each is kept and shown, or refused, and none does anything."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from tests.api.helpers import finished, settings
from tests.attack.scale import count, draw, share

pytestmark = [pytest.mark.slow, pytest.mark.process]

PIECES = (
    "a",
    "Z",
    "9",
    " ",
    ".",
    "..",
    "-",
    "--",
    "-rf",
    "'",
    '"',
    "`",
    "$(id)",
    "${HOME}",
    ";",
    "|",
    "&",
    "*",
    "?",
    "[a]",
    "%s",
    "%00",
    "%2e%2e",
    "\\",
    "\\..\\",
    ":",
    "~",
    "#",
    "<b>",
    "&amp;",
    "\t",
    "\n",
    "\r\n",
    "\x00",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u200b",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\u2028",
    "é",
    "e\u0301",
    "ﬁ",
    "ß",
    "İ",
    "ı",
    "赤",
    "😀",
    "👩‍👩‍👧",
    "\ud800",
    "\udfff",
    "\U0010ffff",
    "con",
    "NUL",
    "aux.txt",
    "x" * 120,
    "赤" * 60,
    "=1+1",
    "@SUM",
    "/",
    "../",
    "file://",
    "http://",
    "{}",
    "<script>",
    "';--",
    "\udcff",
    "\udc80",
)
SUFFIXES = (".txt", ".TXT", "", ".", ".txt ", ".txt.", ".png", ".md", ".\u202etxt")


def name(rng: random.Random) -> str:
    return "".join(rng.choice(PIECES) for _ in range(rng.choice((1, 1, 2, 3, 6)))) + rng.choice(SUFFIXES)


def content(number: int) -> bytes:
    return f"The boat of number {number} comes home.".encode()


def test_on_disk(tmp_path: Path, environment: dict[str, str]) -> None:
    """Files of such names are indexed, searched, listed and shown by a real command, whose output is always UTF-8."""
    rng, folder = draw("names on disk"), tmp_path / "media"
    folder.mkdir()
    made: set[str] = set()
    for number in range(share(3000, 60)):
        for form in rng.sample(("NFC", "NFD", ""), 2):
            drawn = name(rng)
            drawn = unicodedata.normalize(form, drawn) if form else drawn
            path = os.fsencode(folder) + b"/" + drawn.encode(errors="surrogatepass")[:255]
            with contextlib.suppress(OSError, ValueError):
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
                os.write(descriptor, content(2 * number + bool(form)))
                os.close(descriptor)
    seen = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    made = {hashlib.sha256(p.read_bytes()).hexdigest() for p in seen}

    def run(*words: str) -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "crossmedia.api.cli", *words, "--data", str(tmp_path / "data")],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr[-3000:].decode(errors="replace")
        assert done.returncode in (0, 1), done.stderr
        done.stdout.decode()
        return done.stdout

    report = json.loads(run("index", str(folder), "--json"))
    refused = {Path(failure["path"]).name: failure["error"]["code"] for failure in report["failures"]}
    assert set(refused.values()) <= {"type_mismatch", "unreadable", "bad_file_name"}, refused
    assert report["added"] + report["copied"] + report["failed"] == len(seen)
    found = json.loads(run("search", "boat", "--json"))["hits"]
    for hit in found:
        shown = json.loads(run("show", hit["asset"], "--json")) if found.index(hit) < 3 else None
        assert shown is None or shown["asset"] in made
    plain = run("search", "boat") + run("show", found[0]["asset"])
    assert not {0x1B, 0x00, 0x7F} & set(plain), "controls reach the terminal"
    assert json.loads(run("index", str(folder), "--json"))["unchanged"] == report["added"] + report["copied"]
    count("names", tried=len(seen))


def test_uploaded(tmp_path: Path) -> None:
    """The same names in requests: kept and given back, or refused; never a file outside the folder of uploads."""
    rng = draw("names uploaded")
    number = 0
    accepted: dict[str, bytes] = {}
    indexed: dict[str, bytes] = {}
    with TestClient(create_app(settings(tmp_path, reserve_bytes=0)), raise_server_exceptions=False) as http:
        for number in range(share(2000, 60)):
            drawn = name(rng).encode(errors="ignore").decode()
            where = rng.choice(("filename", "path", "raw"))
            text = content(10**6 + number)
            if where == "raw":
                shown = drawn.replace('"', "%22").encode().replace(b"\n", b" ").replace(b"\r", b" ")
                body = (
                    b'--b\r\nContent-Disposition: form-data; name="file"; filename="'
                    + shown
                    + b'"\r\n\r\n'
                    + text
                    + b"\r\n--b--\r\n"
                )
                answer = http.post(
                    "/v1/assets", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
                )
            elif where == "path":
                answer = http.post("/v1/assets", files=[("file", ("a.txt", text))], data={"path": [drawn]})
            else:
                answer = http.post("/v1/assets", files=[("file", (drawn or "a", text))])
            assert answer.status_code in (202, 400, 413, 422), (drawn, answer.status_code, answer.text)
            if answer.status_code == 202:
                job = finished(http, answer)
                assert job["state"] == "done", (drawn, job)
                asset = hashlib.sha256(text).hexdigest()
                accepted[asset] = text
                assert job["report"]["uploaded"] in ([asset], [None])  # text under the name of a picture is refused
                if job["report"]["uploaded"] == [asset]:
                    indexed[asset] = text
        for asset, text in indexed.items():
            answer = http.get(f"/v1/assets/{asset}/content")
            assert answer.content == text, (asset, answer.text)
        listed = http.get("/v1/assets", params={"limit": 1000}).json()["assets"]
    kept = {
        path.parent.name: path.read_bytes() for path in (tmp_path / "data" / "uploads").rglob("*") if path.is_file()
    }
    assert kept == accepted
    assert {asset["asset"] for asset in listed} == indexed.keys()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    assert accepted
    count("names", tried=number + 1, accepted=len(accepted), lost=0)
