"""`vocabulary`: lists of one's own names that pictures are labelled with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from crossmedia.api.commands.context import Data, Json, err, out, print_json, service
from crossmedia.api.commands.indexing import progress, stopping
from crossmedia.api.service import Service
from crossmedia.api.use_cases.labelling import VocabularyOut

app = typer.Typer(help="Lists of your own names that pictures are labelled with.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="What the vocabulary is called, and its labels' kind.")]
SHOWN = 10


@app.command()
def add(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="One label a line: LABEL, SYNONYM, @EXAMPLE. Without a file: one that comes with Crossmedia.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add or replace a vocabulary, and label every picture and key frame with it.

    Labels are NAME:LABEL. An example is a picture or video that is indexed: its path from where FILE lies, or the
    beginning of its id.
    """
    with service(data) as opened:
        if file is None:
            opened.labelling.add_bundled(name)
        else:
            opened.labelling.add_file(name, file)
        whole = _label(opened)
        added = opened.labelling.describe(name)
    if as_json:
        print_json(added)
    else:
        _print(added)
    raise typer.Exit(not whole)


@app.command("list")
def several(data: Data = None, as_json: Json = False) -> None:
    """List the vocabularies of the collection."""
    with service(data) as opened:
        found = opened.labelling.list_vocabularies()
    if as_json:
        print_json({"vocabularies": found})
        return
    if not found:
        out.print("No vocabularies. [dim](crossmedia vocabulary add things adds about a thousand names)[/]")
    for one in found:
        _print(one)


@app.command()
def show(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Print the labels of a vocabulary, as they can be added again."""
    with service(data) as opened:
        found = opened.labelling.entries(name)
    if as_json:
        print_json(found)
        return
    for entry in found.entries:
        out.print(escape(entry.line), soft_wrap=True)


@app.command()
def rm(name: Name, data: Data = None) -> None:
    """Remove a vocabulary and its labels."""
    with service(data) as opened:
        opened.labelling.remove(name)
        whole = _label(opened)
    out.print(f"removed {escape(name)}" + (" and its labels" if whole else ""))
    raise typer.Exit(not whole)


def _label(opened: Service) -> bool:
    """Whether everything is labelled now."""
    with stopping() as stop, progress() as bar:
        task = bar.add_task("labelling", total=None)
        lines = opened.labelling.label(
            plan=lambda total: bar.update(task, total=total, visible=total > 0),
            advance=lambda by: bar.advance(task, by),
            stop=stop,
        )
    for line in lines:
        err.print(f"[yellow]note[/] {escape(line)}", soft_wrap=True)
    if lines:
        err.print("[dim]crossmedia enrich does the rest[/]")
    return not lines


def _print(vocabulary: VocabularyOut) -> None:
    """One line: what it is called, how much of it was seen, and what most often."""
    often = ", ".join(f"{value.value} {value.moments}" for value in vocabulary.top[:SHOWN])
    out.print(
        f"[bold]{escape(vocabulary.name)}[/] {vocabulary.labels:,} labels, {vocabulary.seen:,} of them seen"
        + (f": {escape(often)}" if often else ""),
        soft_wrap=True,
    )
