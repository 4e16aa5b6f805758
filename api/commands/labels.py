"""`labels`: what was recognised in the collection, counted."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, out, print_json, service

MAX_VALUE_CHARACTERS = 60


def labels(
    kind: Annotated[
        list[str] | None, typer.Argument(help="Only these kinds: object, speaker, sound, …", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of values of each kind.")] = 20,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List recognised labels by kind and value.

    Those on most moments come first.
    """
    with service(data, made=True) as opened:
        found = opened.labels.list_kinds(kind or (), limit)
    if as_json:
        print_json({"labels": found})
        return
    if not found:
        out.print("No labels found. [dim](crossmedia enrich runs pending passes)[/]")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("kind", "values", "value", "moments", "files"):
        table.add_column(
            heading, overflow="fold", justify="right" if heading in ("values", "moments", "files") else "left"
        )
    for one in found:
        if not one.top:
            table.add_row(escape(one.kind), str(one.values), "[dim](name it to see them)[/]", "", "")
        for n, value in enumerate(one.top):
            first = (escape(one.kind), str(one.values)) if n == 0 else ("", "")
            table.add_row(*first, escape(value.value[:MAX_VALUE_CHARACTERS]), str(value.moments), str(value.assets))
    out.print(table)
