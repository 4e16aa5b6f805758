"""Real Elasticsearch nodes for tests: the one that `CROSSMEDIA_TEST_ELASTICSEARCH` names, or some of a test's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from elasticsearch import Elasticsearch

ADDRESS = "CROSSMEDIA_TEST_ELASTICSEARCH"


class Node:
    """A node over a folder; it keeps its data and its port from one start to the next."""

    def __init__(self, programs: Path, folder: Path, join: Path | None = None) -> None:
        self._programs, self.folder, self._join = programs, folder, join
        self.url = ""

    def start(self) -> str:
        """Returns the address once the node answers."""
        options = ["--join", str(self._join)] if self._join else []
        port = {"ES_PORT": self.url.rpartition(":")[2]} if self.url else {}
        done = subprocess.run(
            [str(self._programs / "start"), str(self.folder), *options],
            env={**os.environ, "ES_HEAP": "400m", **port},
            check=True,
            capture_output=True,
            text=True,
        )
        self.url = done.stdout.strip().splitlines()[-1]
        return self.url

    def stop(self, *, kill: bool = False) -> None:
        options = ["--kill"] if kill else []
        subprocess.run([str(self._programs / "stop"), str(self.folder), *options], check=False, capture_output=True)


def wipe(url: str, prefix: str) -> None:
    """Remove the indexes whose names begin so."""
    with Elasticsearch(url) as client:
        names = list(client.indices.get(index=f"{prefix}*"))
        for name in names:
            client.indices.delete(index=name)
