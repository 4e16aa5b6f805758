"""`summary`: what an asset is about."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from crossmedia.api.commands.context import Data, Json, out, print_json, resolve_asset, service
from crossmedia.retrieval.clock import clock, clock_span


def summary(
    asset: Annotated[str, typer.Argument(help="An indexed asset: its id, or the file.")],
    sentences: Annotated[int, typer.Option(min=1, max=20, help="Maximum number of sentences.")] = 3,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Summarise a file: what it says and shows, chapters of a video."""
    with service(data, made=True) as opened:
        summary = opened.summarizing.summarize(resolve_asset(opened, asset), sentences)
    if as_json:
        print_json(summary)
        return
    for one in summary.sentences:
        where = f"p. {one.page} " if one.page is not None else f"{clock(one.start)} " if one.start is not None else ""
        out.print(f"[dim]{where}[/]{escape(one.text)}", soft_wrap=True)
    for chapter in summary.chapters:
        made = " [dim](made from labels)[/]" if chapter.generated else ""
        span = clock_span(chapter.start, chapter.end)
        out.print(f"[cyan]{chapter.number}[/] [dim]{span}[/] {escape(chapter.title)}{made}", soft_wrap=True)
    if not summary.chapters:
        for description in summary.descriptions:
            out.print(f"{escape(description.text)} [dim](made from labels)[/]", soft_wrap=True)
    if not (summary.sentences or summary.chapters or summary.descriptions):
        out.print("Nothing was said, written or recognised in this file. [dim]crossmedia enrich runs pending passes[/]")
