"""SHA-256 and MD5 of a file's bytes: the same file, and no other."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from crossmedia.retrieval.banks.hashes import Hash

_CHUNK: Final = 1 << 20


def digests(path: Path) -> tuple[Hash, Hash]:
    """SHA-256 and MD5, the file read once; raises OSError."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            md5.update(chunk)
    return Hash("sha256", sha256.hexdigest()), Hash("md5", md5.hexdigest())
