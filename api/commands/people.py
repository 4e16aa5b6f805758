"""`people`: whose faces are in the collection, what they are called, and how they are forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, out, print_json, service
from crossmedia.embeddings.faces import FACES_OFF
from crossmedia.retrieval.clock import clock, clock_span

app = typer.Typer(help="Whose faces: list, name, merge, split and forget people.", no_args_is_help=True)
Person = Annotated[str, typer.Argument(help="The person's current name.")]


@app.command("list")
def several(data: Data = None, as_json: Json = False) -> None:
    """List everybody whose face was found, most frequent first."""
    with service(data, made=True) as opened:
        found = opened.people.list_people()
    if as_json:
        print_json({"people": found})
        return
    if not found:
        out.print(
            f"No people found. [dim]({escape(FACES_OFF)}; then crossmedia enrich processes files indexed before)[/]"
        )
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("person", "faces", "files", "in videos", "see"):
        table.add_column(heading, overflow="fold")
    for one in found:
        seen = f"{one.path} {clock_span(one.start, one.end)}".rstrip()
        row = (str(one.faces), str(one.assets), clock(one.seconds) if one.seconds else "")
        table.add_row(escape(one.name), *row, escape(seen))
    out.print(table)


@app.command()
def show(person: Person, data: Data = None, as_json: Json = False) -> None:
    """Show when and where a person appears."""
    with service(data, made=True) as opened:
        seen = opened.people.appearances(person)
    if as_json:
        print_json(seen)
        return
    for one in seen.appearances:
        spans = ", ".join(clock_span(span.start, span.end) for span in one.spans)
        out.print(f"{escape(one.path)} {spans} [dim]{one.asset[:12]}[/]", soft_wrap=True)


@app.command()
def name(person: Person, to: Annotated[str, typer.Argument(help="The new name.")], data: Data = None) -> None:
    """Name a person, also in files indexed later."""
    with service(data, made=True) as opened:
        done = opened.people.rename(person, to)
    out.print(f"{escape(person)} is {escape(done.name)} [dim]({done.labels} labels)[/]")


@app.command()
def merge(
    names: Annotated[list[str], typer.Argument(metavar="PERSON…", help="Entries to merge.")],
    into: Annotated[
        str | None, typer.Option(help="Name after merging [default: the first].", show_default=False)
    ] = None,
    data: Data = None,
) -> None:
    """Merge several entries that are one person."""
    with service(data, made=True) as opened:
        done = opened.people.merge(names, into)
    out.print(f"all are {escape(done.name)} [dim]({done.labels} labels)[/]")


@app.command()
def split(
    person: Person,
    to: Annotated[
        str | None,
        typer.Option(help="Name of the second person [default: the first name with a number].", show_default=False),
    ] = None,
    face: Annotated[
        list[str] | None, typer.Option(help="A face (moment) of the second person.", show_default=False)
    ] = None,
    asset: Annotated[
        list[str] | None, typer.Option(help="A file that shows the second person, by its id.", show_default=False)
    ] = None,
    data: Data = None,
) -> None:
    """Split an entry that is two people; without --face and --asset, faces are divided by similarity."""
    with service(data, made=True) as opened:
        done = opened.people.split(person, to, face or (), asset or ())
    out.print(f"{done.faces} faces are {escape(done.name)}")


@app.command()
def forget(person: Person, data: Data = None) -> None:
    """Erase a person's faces, vectors, thumbnails and name. The pictures stay."""
    with service(data, made=True) as opened:
        done = opened.people.forget(person)
    out.print(f"{escape(person)} is forgotten [dim]({done.faces} faces)[/]")


@app.command()
def regroup(data: Data = None) -> None:
    """Merge unnamed people who are the same; indexing does so as well."""
    with service(data, made=True) as opened:
        done = opened.people.regroup()
    out.print(f"{done.joined} people joined with others")


@app.command()
def verify(
    one: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A picture.")],
    other: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Another.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show how likely two pictures show the same person."""
    with service(data) as opened:
        verified = opened.people.verify(one, other)
    if as_json:
        print_json(verified)
        return
    answer = "the same person" if verified.same else "two people"
    how = f"similarity {verified.similarity:.2f}, {verified.model}"
    out.print(f"{answer}: probability of one person {verified.probability:.2f} [dim]({how})[/]", soft_wrap=True)
