"""Start fresh processes for decoding, forked from a small server that has loaded nothing but the decoders."""

from __future__ import annotations

import sys
import threading
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess
from typing import Any

_starting = threading.Lock()


class _Worker(ForkServerProcess):
    """A process that does not import the program's main module again.

    The standard library does, so that functions defined there can be called. A decode worker calls none; it would only
    load the whole service, and a script without a `__main__` guard would start over in every worker.
    """

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - the standard library's name
        main = sys.modules["__main__"]
        with _starting:
            kept: dict[str, Any] = {
                name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)
            }
            main.__spec__ = None
            try:
                return ForkServerProcess._Popen(process_obj)
            finally:
                vars(main).update(kept)


class DecodeContext(ForkServerContext):
    """A multiprocessing context whose workers start with the decode room already imported."""

    Process = _Worker


def context() -> DecodeContext:
    """The context for a `DecodePool`."""
    made = DecodeContext()
    made.set_forkserver_preload(
        ["crossmedia.indexer.decode.job", "crossmedia.indexer.decode.reader", "crossmedia.indexer.decode.image"]
    )
    return made
