"""`bank` and `lookup`: known content, and what is known of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, err, out, print_json, service
from crossmedia.api.use_cases.known_content import CopyOut, Form
from crossmedia.retrieval.banks.hashes import HASH_KINDS, kind_of
from crossmedia.retrieval.banks.table import TOLD
from crossmedia.retrieval.clock import clock

app = typer.Typer(help="Banks of hashes of known content, and what they match.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="BANK", help="The bank's name.")]


def lookup(
    what: Annotated[
        str, typer.Argument(metavar="FILE|HASH|ASSET", help="A file, KIND:HASH, or an indexed asset's id.")
    ],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Look up a file or a hash in the banks of known content.

    Shows matching banks, the distance, and the action that each bank asks for. Nothing is stored.
    """
    with service(data) as opened:
        path = Path(what)
        known = opened.banks.lookup_file(path) if path.is_file() else opened.banks.lookup(what)
    if as_json:
        print_json(known)
        return
    for note in known.notes:
        err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    if not known.matches:
        kinds = ", ".join(dict.fromkeys(one.kind for one in known.hashes))
        out.print(f"No match. [dim]({kinds}; {known.took_ms:.1f} ms)[/]")
        return
    table = _table("bank", "action", "kind", "distance", "quality", "at", "tags", "hash")
    for one in known.matches:
        at = "" if one.start is None else clock(one.start)
        quality = "" if one.quality is None else str(one.quality)
        words = (
            one.bank,
            one.action,
            one.kind,
            str(one.distance),
            quality,
            at,
            one.tags,
            short(one.hash),
        )
        table.add_row(*map(escape, words))
    out.print(table)
    out.print(f"[dim]{len(known.matches)} matches, {known.took_ms:.1f} ms[/]")


@app.command()
def create(
    name: Name,
    action: Annotated[str, typer.Option(help="What to do with matches: allow, review or block.")] = "review",
    data: Data = None,
) -> None:
    """Create an empty bank."""
    with service(data) as opened:
        made = opened.banks.create(name, action)
    out.print(f"bank {escape(made.name)}: {made.action}")


@app.command()
def add(
    name: Name,
    what: Annotated[list[str], typer.Argument(metavar="FILE|HASH|ASSET…", help="Files, KIND:HASH, or ids of assets.")],
    kind: Annotated[
        list[str] | None, typer.Option(help=f"Only hashes of this kind: {', '.join(HASH_KINDS)}.", show_default=False)
    ] = None,
    tags: Annotated[str, typer.Option(help="Tags stored with the hashes.", show_default=False)] = "",
    crops: Annotated[
        bool,
        typer.Option("--crops", help="Also bank cropped versions of pictures (5 and 10 % off the sides)."),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add files, indexed assets or hashes to a bank, and show what they match in the index."""
    with service(data) as opened:
        done = opened.banks.add(name, [file_or_word(one) for one in what], kind or (), tags, crops=crops)
    if as_json:
        print_json(done)
        return
    for note in done.notes:
        err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    out.print(f"{done.added} added to {escape(done.bank)} [dim](of {len(done.hashes)} hashes)[/]")
    _show(done.indexed)


@app.command("import")
def load(
    name: Name,
    table: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV, or a list of TYPE HASH.")],
    kind: Annotated[
        str | None,
        typer.Option(help="Type of hashes in lines that do not name one: pdq, sha256, …", show_default=False),
    ] = None,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help="Import the valid lines if some are broken; otherwise nothing is imported."),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import hashes from a table of threatexchange or hasher-matcher-actioner."""
    with service(data) as opened:
        done = opened.banks.load(name, table, kind_of(kind) if kind else None, skip_bad=skip_bad)
    if as_json:
        print_json(done)
        return
    for fault in done.faults[:TOLD]:
        err.print(f"[yellow]note[/] line {fault.line}: {escape(fault.reason)}", soft_wrap=True)
    if len(done.faults) > TOLD:
        err.print(f"[yellow]note[/] {len(done.faults) - TOLD:,} lines more are broken (--json lists them)")
    other = f", {done.other} lines of other categories left out" if done.other else ""
    faults = f", {len(done.faults)} broken lines skipped" if done.faults else ""
    out.print(f"{done.added:,} added to {escape(done.bank)} [dim](of {done.read:,} read{other}{faults})[/]")
    _show(done.indexed)


@app.command()
def export(
    name: Name,
    form: Annotated[
        Form,
        typer.Option("--format", help="csv as threatexchange writes it, list as hasher-matcher-actioner reads it."),
    ] = "csv",
    data: Data = None,
) -> None:
    """Write a bank to standard output."""
    with service(data) as opened:
        sys.stdout.writelines(opened.banks.export(name, form))


@app.command("list")
def show(data: Data = None, as_json: Json = False) -> None:
    """List banks with the number of hashes of each kind."""
    with service(data) as opened:
        found = opened.banks.list_banks()
    if as_json:
        print_json({"banks": found})
        return
    if not found:
        out.print("No banks. [dim](crossmedia bank create NAME)[/]")
        return
    table = _table("bank", "action", "", "hashes")
    for bank in found:
        held = ", ".join(f"{count:,} {kind}" for kind, count in bank.hashes.items())
        table.add_row(escape(bank.name), bank.action, "" if bank.enabled else "disabled", held)
    out.print(table)


@app.command()
def disable(name: Name, data: Data = None) -> None:
    """Exclude a bank from comparisons; its hashes stay."""
    with service(data) as opened:
        done = opened.banks.switch(name, False)
    out.print(f"bank {escape(done.name)} is disabled")


@app.command()
def enable(name: Name, data: Data = None) -> None:
    """Include a bank in comparisons again."""
    with service(data) as opened:
        done = opened.banks.switch(name, True)
    out.print(f"bank {escape(done.name)} is enabled")


@app.command()
def matches(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Show indexed files that a bank matches."""
    with service(data, made=True) as opened:
        found = opened.banks.matches(name)
    if as_json:
        print_json({"indexed": found})
        return
    if not found:
        out.print("No indexed file matches.")
    _show(found)


def file_or_word(text: str) -> str | Path:
    """A path where there is such a file, else a hash or an asset."""
    path = Path(text)
    return path if path.is_file() else text


def _show(indexed: list[CopyOut]) -> None:
    if not indexed:
        return
    table = _table("indexed already", "at", "kind", "distance", "known", most=60)
    for one in indexed:
        at = "" if one.start is None else clock(one.start)
        table.add_row(escape(one.path), at, one.kind, str(one.distance), escape(short(one.known)))
    out.print(table)


def _table(*headings: str, most: int | None = None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold", max_width=most)
    return table


def short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:16]}…"
