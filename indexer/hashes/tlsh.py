"""TLSH of a text: Trend Micro's locality sensitive hash (Apache-2.0), through `py-tlsh`."""

from __future__ import annotations

from importlib.metadata import version

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.retrieval.banks.hashes import Hash


class TlshHasher:
    """Raises DependencyMissing where `py-tlsh` is not installed."""

    def __init__(self) -> None:
        try:
            import tlsh
        except ImportError as error:
            raise DependencyMissing("py-tlsh is not installed", 'pip install "crossmedia[banks]"') from error
        self._hash = tlsh.hash
        self.model = f"tlsh-{version('py-tlsh')}"

    def __call__(self, text: str) -> Hash | None:
        """None of what is too short (50 bytes) or too uniform."""
        digest = self._hash(text.encode())
        return None if digest in ("", "TNULL") else Hash.of("tlsh", digest)
