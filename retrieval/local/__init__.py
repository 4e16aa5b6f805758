"""The store for one machine: SQLite is the truth, FAISS is derived from it."""

from crossmedia.retrieval.local.store import LocalStore

__all__ = ["LocalStore"]
