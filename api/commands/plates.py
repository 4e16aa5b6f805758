"""`plate`: where a car was seen."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, out, print_json, service
from crossmedia.retrieval.clock import clock_span


def plate(
    text: Annotated[str, typer.Argument(help="The characters on the plate; blanks, hyphens and case are ignored.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find a licence plate, even if one character was misread."""
    with service(data, made=True) as opened:
        found = opened.plates.find(text)
    if as_json:
        print_json({"plates": found})
        return
    if not found:
        out.print("Plate not found. [dim](crossmedia enrich runs pending passes)[/]")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("plate", "wrong", "score", "at", "file"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(
            escape(one.value), str(one.distance), f"{one.score:.2f}", clock_span(one.start, one.end), escape(one.path)
        )
    out.print(table)
