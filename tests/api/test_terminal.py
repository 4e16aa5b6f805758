"""What a hostile file name or text can do to the terminal it is printed to: nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.progress import Progress
from rich.table import Table

from crossmedia.api.commands.terminal import UNSEEN, Terminal, visible, visible_json
from tests.api.helpers import Run

HOSTILE = "red\x1b]0;owned\x07\x1b[2J\x9b31mboats\u202egnp.exe\u2066x\u2069\x7f"


def terminal() -> tuple[Terminal, io.StringIO]:
    file = io.StringIO()
    return Terminal(file=file, width=200, highlight=False), file


def test_texts_tables_and_progress_are_cleaned() -> None:
    console, file = terminal()
    table = Table("name", title=HOSTILE)
    table.add_row(HOSTILE)
    console.print(table)
    console.print(HOSTILE, soft_wrap=True, markup=False)
    with Progress(console=console) as progress:
        progress.add_task(HOSTILE, total=1)
    shown = file.getvalue()
    assert shown.count("boats") == 4
    assert UNSEEN.findall(shown) == []


def test_its_own_styles_stay() -> None:
    file = io.StringIO()
    Terminal(file=file, force_terminal=True, color_system="standard", highlight=False).print("[red]stop[/]\ta\nb")
    assert file.getvalue() == "\x1b[31mstop\x1b[0m    a\nb\n"


@pytest.mark.parametrize("text", ["naïve 日本 שלום مرحبا 👩‍👧 a\tb\nc", ""])
def test_what_harms_nobody_stays(text: str) -> None:
    assert visible(text) == text == visible_json(text)


def test_json_keeps_what_it_says() -> None:
    text = visible_json(json.dumps({"a": HOSTILE}, ensure_ascii=False))
    assert UNSEEN.findall(text) == []
    assert json.loads(text) == {"a": HOSTILE}


def test_commands_send_no_controls_of_files(run: Run, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (media / "a\x1b[2J\u202etxt.txt").write_text("The red boats come home\u202e in the \u2066evening.")
    (media / "b\x9b2J.png").write_bytes(b"no picture")
    outputs = [
        run("index", str(media), code=1),
        run("search", "boats home"),
        run("search", "boats home", "--json"),
        run("status"),
    ]
    [hit] = json.loads(outputs[2].stdout)["hits"]
    assert hit["path"].endswith("a\x1b[2J\u202etxt.txt")
    outputs += [run("show", hit["asset"]), run("show", hit["asset"], "--json")]
    for output in outputs:
        assert UNSEEN.findall(output.stdout + output.stderr) == []
    assert "�" in outputs[1].stdout
