"""`crossmedia` with a clock that somebody moves: the seconds in a file are added to what `time.time` says.

python -m tests.attack.clock FILE WORDS…
"""

from __future__ import annotations

import sys
import time
from pathlib import Path


def main() -> None:
    """Moves the clock before anything takes hold of it, then is the command line."""
    offset, real, real_ns = Path(sys.argv[1]), time.time, time.time_ns

    def seconds() -> float:
        return float(offset.read_text() or 0)

    time.time = lambda: real() + seconds()
    time.time_ns = lambda: real_ns() + int(seconds() * 1e9)
    from crossmedia.api.cli import main as command_line

    sys.argv[:] = ["crossmedia", *sys.argv[2:]]
    command_line()


if __name__ == "__main__":
    main()
