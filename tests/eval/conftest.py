"""What the tests of reports need before they run."""

from contextlib import suppress

with suppress(ImportError):
    # Once on each machine it asks a program which fonts there are, and the tests here start none.
    import matplotlib.font_manager  # noqa: F401
