"""Texts that are made to be slow: seconds a megabyte from the file to the index, by kind, beside the limit.

python -m crossmedia.eval.bench.texts [MEGABYTES] [KIND …]
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.eval.bench.common import BenchRow, measure_seconds, show

LIMIT: Final = 2.0
"""Seconds a megabyte until it can be found."""
_PAGE: Final = "<!doctype html><html><body>"


def _repeated(text: str) -> Callable[[int], str]:
    return lambda size: text * (size // len(text) + 1)


def _page(text: str, end: str = "x") -> Callable[[int], str]:
    return lambda size: _PAGE + text * (size // len(text)) + end


def _words(longest: int, sentence: int) -> Callable[[int], str]:
    """Words of no language, `sentence` of them to each full stop."""

    def write(size: int) -> str:
        draw = random.Random(7)
        known = ["".join(draw.choices("aeioudbfgklmnprst", k=draw.randint(1, longest))) for _ in range(3_000)]
        count = 2 * size // (longest + 3)
        return " ".join(
            word + (".\n\n" if n % (8 * sentence) == 0 else "." if n % sentence == 0 else "")
            for n, word in enumerate(draw.choices(known, k=count), 1)
        )

    return write


def _numbered(before: str, after: str) -> Callable[[int], str]:
    return lambda size: "".join(f"{before}{n}{after}" for n in range(size // (len(before + after) + 5)))


KINDS: Final[Mapping[str, Callable[[int], str]]] = {
    "prose.txt": _words(9, 12),
    "short words.txt": _words(3, 10**9),
    "letters.txt": _repeated("a "),
    "one word.txt": _repeated("x"),
    "marks.txt": _repeated('."'),
    "hanzi.txt": lambda size: _repeated("灯塔在午夜停电两小时")(size // 3),
    "sentences.txt": _repeated("A. "),
    "paragraphs.txt": _repeated("a\n\n"),
    "blank lines.txt": lambda size: "a" + "\n" * size,
    "spaces.txt": lambda size: "a" + " " * size + "b",
    "base64.txt": _repeated("QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 3 + "\n"),
    "log.txt": _numbered("2026-01-01 10:00:00 INFO request ", " took 17 ms\n"),
    "headings.md": _numbered("# Heading ", "\n"),
    "underlined.md": _repeated("a\n---\n"),
    "rule.md": lambda size: _repeated("- ")(size) + "x\n",
    "lists.md": lambda size: "".join(" " * depth + "- a\n" for depth in range(int((2 * size) ** 0.5))),
    "quotes.md": lambda size: _repeated("> ")(size) + "x",
    "fences.md": _repeated("```\na\n"),
    "nested.html": _page("<div>"),
    "nested words.html": _page("<div>x"),
    "nested marks.html": _page("<p><font color=a><b><i>x"),
    "different marks.html": lambda size: _PAGE + _numbered("<p><b a", ">x")(size),
    "nested tables.html": _page("<table><tr><td>"),
    "nested hidden.html": lambda size: _PAGE + "y" + "<div hidden>" * (size // 12),
    "nested drawings.html": lambda size: _PAGE + "y" + "<svg><g>" * (size // 8),
    "attributes.html": lambda size: _PAGE + "<p " + _numbered("a", "=1 ")(size) + ">x",
    "attributes of body.html": lambda size: _PAGE + _numbered("<body a", "=1>")(size) + "x",
    "choices.html": lambda size: _PAGE + "y<select>" + _repeated("<option>x")(size),
    "headings.html": lambda size: _PAGE + _numbered("<h1>Heading ", "</h1>")(size),
    "cells.html": _page("<tr><td>a<td>b"),
    "row.html": _page("<td>a"),
    "breaks.html": _page("a<br>"),
    "comments.html": _page("<!--a-->"),
    "open comment.html": lambda size: _PAGE + "x<!--" + "-" * size,
    "open tags.html": _page("x<p a='"),
    "entities.html": _page("&amp;"),
    "half entities.html": _page("&a"),
    "angles.html": _page("<"),
    "scripts.html": _page("<script>x</script>"),
    "table.csv": _numbered("1,2,", "\n"),
    "row.csv": _repeated("a,"),
    "nested.json": _repeated("["),
    "flat.json": _repeated("1,"),
    "film.srt": _numbered("1\n00:00:01,000 --> 00:00:02,000\nline ", "\n\n"),
    "film.vtt": lambda size: "WEBVTT\n\n" + _numbered("00:01.000 --> 00:02.000\nline ", "\n\n")(size),
}
"""By file name what writes about so many characters of it."""


def write_text(folder: Path, kind: str, size: int) -> Path:
    """A file of that kind with about `size` bytes."""
    path = folder / kind
    path.write_text(KINDS[kind](size), encoding="utf-8")
    return path


def main(megabytes: float, kinds: list[str]) -> None:
    rows, worst = [], 0.0
    for kind in kinds or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            path = write_text(Path(folder), kind, round(megabytes * 1e6))
            size = path.stat().st_size / 1e6
            service = Service(Settings(data=Path(folder) / "data"))
            service.searching.warm()
            (Path(folder) / "first.txt").write_text("A decoder starts with its first file.")
            service.indexing.index([Path(folder) / "first.txt"])
            spent = time.process_time()
            with measure_seconds() as took:
                report = service.indexing.index([path])
            spent = (time.process_time() - spent) / size
            service.close()
        assert report.counts["added"] == 1, report.failed
        pace = took[0] / size
        worst = max(worst, pace / LIMIT)
        rows.append(
            BenchRow(
                kind,
                f"{pace:.2f} s/MB",
                f"{size:.1f} MB; {spent:.2f} s/MB of processor but for decoding",
                pace / LIMIT,
                "≤ 1",
            )
        )
    show(f"Texts that are made to be slow: the worst takes {worst:.2f} of its time", rows)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0, sys.argv[2:])
