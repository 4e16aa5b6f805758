"""The help of the whole program: quick, and true of each command."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from crossmedia.api.cli import ENTRIES, app, load

WIDEST = 66
"""Characters of a summary that a terminal of 80 columns shows."""


@pytest.mark.parametrize("name", ENTRIES)
def test_a_summary_is_what_the_command_says_of_itself(name: str) -> None:
    command = load(ENTRIES[name])
    assert ENTRIES[name].summary == (command.help or "").split("\n\n")[0].strip()
    assert len(ENTRIES[name].summary) <= WIDEST
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert f"Usage: crossmedia {name} " in shown.output


def test_the_help_lists_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    for entry in ENTRIES.values():
        assert f"  {entry.name} " in shown
        assert entry.summary in shown


@pytest.mark.process
def test_the_help_imports_no_command() -> None:
    program = (
        "import sys; from crossmedia.api.cli import app\n"
        "try: app(['--help'])\n"
        "finally: print([m for m in sys.modules if m == 'numpy' or m.startswith('crossmedia.api.commands')])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.endswith("[]\n")


def test_a_mistyped_command_is_corrected() -> None:
    shown = CliRunner().invoke(app, ["serch"])
    assert shown.exit_code == 2
    assert "search" in shown.output
