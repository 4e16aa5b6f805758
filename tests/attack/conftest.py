"""What every attack has: the test client's name is one of the service's."""

from __future__ import annotations

from tests.api.conftest import _known_as_testserver, environment, flags, http, media, roots, run

__all__ = ["_known_as_testserver", "environment", "flags", "http", "media", "roots", "run"]
