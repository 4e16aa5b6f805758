"""Bytes → value types, bounded in pixels, seconds, bytes and wall time."""

from crossmedia.indexer.decode.types import Decoded, Limits, Page, Pages, Shot

__all__ = ["Decoded", "Limits", "Page", "Pages", "Shot"]
