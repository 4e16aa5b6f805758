"""`key`: who may use the service, and for what."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, err, out, print_json, service
from crossmedia.api.keys.audit import Audit
from crossmedia.api.keys.stored import StoredKeys

app = typer.Typer(help="Keys of the HTTP service: add, list and remove them.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Whose key it is.")]


@app.command()
def add(
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            show_default="read",
            help="read: search and look; write: add, remove, name; review: decide what is shown; admin: everything.",
        ),
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0, max=36_500, show_default=False, help="Days after which it expires.")
    ] = None,
    data: Data = None,
) -> None:
    """Make a key and print it.

    It is kept as a hash only, so it cannot be shown again. From the first key on, all requests need one.
    """
    with service(data) as opened:
        settings = opened.runtime.settings
        scopes = scope or ["read"]
        expires = None if days is None else time.time() + days * 86_400
        with closing(StoredKeys(settings.data)) as keys:
            key = keys.add(name, scopes, expires)
        Audit.of(settings).note("command line", "add key", name=name, scopes=scopes, expires=expires)
    err.print(f"Key of {escape(name)}, for {', '.join(scopes)}; it is not shown again:")
    out.print(key, markup=False, soft_wrap=True)


@app.command()
def rm(name: Name, data: Data = None) -> None:
    """Remove a key; its sessions end at once."""
    with service(data) as opened:
        settings = opened.runtime.settings
        with closing(StoredKeys(settings.data)) as keys:
            keys.remove(name)
        Audit.of(settings).note("command line", "remove key", name=name)
    out.print(f"Removed the key of {escape(name)}.")


@app.command("list")
def show(data: Data = None, as_json: Json = False) -> None:
    """List the keys: whose, for what, until when."""
    with service(data) as opened, closing(StoredKeys(opened.runtime.settings.data)) as stored:
        keys = stored.list_keys()
    if as_json:
        print_json({"keys": keys})
        return
    table = Table("name", "scopes", "created", "expires", box=None)
    for key in keys:
        expires = "never" if key.expires is None else _day(key.expires)
        gone = " [red](expired)[/]" if key.expires is not None and key.expires <= time.time() else ""
        table.add_row(escape(key.name), " ".join(key.scopes), _day(key.created), expires + gone)
    out.print(table if keys else "There are no keys.")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
