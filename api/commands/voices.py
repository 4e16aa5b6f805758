"""`voices`: who speaks in the collection, and what they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, out, print_json, service
from crossmedia.retrieval.clock import clock, clock_span

app = typer.Typer(help="Who speaks: list, name, merge and compare voices.", no_args_is_help=True)


@app.command("list")
def show(data: Data = None, as_json: Json = False) -> None:
    """List the voices, most talkative first."""
    with service(data, made=True) as opened:
        found = opened.voices.list_voices()
    if as_json:
        print_json({"voices": found})
        return
    if not found:
        out.print("No voices found. [dim](crossmedia enrich runs pending passes)[/]")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("voice", "speaks", "turns", "files", "hear"):
        table.add_column(heading, overflow="fold")
    for voice in found:
        heard = f"{voice.path} {clock_span(voice.start, voice.end)}"
        row = (clock(voice.seconds), str(voice.turns), str(voice.assets))
        table.add_row(escape(voice.name), *row, escape(heard))
    out.print(table)


@app.command()
def name(
    voice: Annotated[str, typer.Argument(help="The voice's current name.")],
    to: Annotated[str, typer.Argument(help="The new name.")],
    data: Data = None,
) -> None:
    """Name a voice, also in files indexed later."""
    with service(data, made=True) as opened:
        done = opened.voices.rename(voice, to)
    out.print(f"{escape(voice)} is {escape(done.name)} [dim]({done.labels} labels)[/]")


@app.command()
def merge(
    names: Annotated[list[str], typer.Argument(metavar="VOICE…", help="Voices to merge.")],
    into: Annotated[
        str | None, typer.Option(help="Name after merging [default: the first].", show_default=False)
    ] = None,
    data: Data = None,
) -> None:
    """Merge several voices that are one person's."""
    with service(data, made=True) as opened:
        done = opened.voices.merge(names, into)
    out.print(f"all are {escape(done.name)} [dim]({done.labels} labels)[/]")


@app.command()
def verify(
    one: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A recording.")],
    other: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Another.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show how likely two recordings have the same speaker."""
    with service(data) as opened:
        verified = opened.voices.verify(one, other)
    if as_json:
        print_json(verified)
        return
    answer = "the same voice" if verified.same else "two voices"
    how = f"similarity {verified.similarity:.2f}, {verified.model}"
    out.print(f"{answer}: probability of one speaker {verified.probability:.2f} [dim]({how})[/]", soft_wrap=True)
