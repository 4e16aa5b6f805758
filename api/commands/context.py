"""What every command shares: the options of the whole program, the service over them, and how a failure ends it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import to_jsonable_python
from rich.markup import escape

from crossmedia.api.commands.terminal import Terminal, visible_json
from crossmedia.api.remedies import command_hint
from crossmedia.api.service import Service
from crossmedia.api.settings import read_settings
from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.errors import CrossmediaError

USAGE = {
    "path_missing",
    "unknown_leg",
    "empty_query",
    "unknown_enricher",
    "ambiguous_id",
    "invalid_request",
    "invalid_setting",
    "bad_head_name",
    "bad_name",
    "bad_bank",
    "bad_cursor",
    "bad_hash",
    "bad_key",
    "bad_policy",
    "bad_plate",
    "bad_vocabulary",
    "no_queue",
    "open_to_network",
}
"""Codes of failures that lie in how the command was called: they end it with 2, the others with 1."""

out = Terminal(highlight=False)
err = Terminal(stderr=True, highlight=False)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="The data directory [default: CROSSMEDIA_DATA or ./.crossmedia]", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        help="Leave a pass out; crossmedia passes lists them.",
        show_default=False,
    ),
]


@contextmanager
def service(data: Path | None, *, made: bool = False, **settings: Any) -> Iterator[Service]:
    """The service over the data directory; a foreseeable failure inside prints what to do and ends the program.

    `made`: the directory must hold a store already. `settings` come before those of the environment.
    """
    given = settings if data is None else {"data": data, **settings}
    opened: Service | None = None
    try:
        opened = Service(read_settings(**given))
        if made:
            opened.runtime.require_collection()
        yield opened
    except CrossmediaError as error:
        fail(error)
    except (AttributeError, LookupError, TypeError, ValueError):
        # What rows of a damaged file make of code that believes them.
        from crossmedia.api.damage import find_damage

        damage = find_damage(opened.runtime.settings.data) if opened is not None else None
        if damage is None:
            raise
        fail(damage)
    finally:
        if opened is not None:
            opened.close()


def resolve_asset(opened: Service, asset: str) -> str:
    """The id of an asset that is named by the beginning of its id, or by a file with its content. Raises NotFound,
    Ambiguous."""
    return opened.runtime.resolve(hash_or_prefix(asset))


def hash_or_prefix(asset: str) -> str:
    """The whole id where a file with an asset's content is named; else what was given."""
    path = Path(asset)
    return sha256(path) if path.is_file() else asset


@contextmanager
def failing() -> Iterator[None]:
    """A foreseeable failure inside prints what to do and ends the program."""
    try:
        yield
    except CrossmediaError as error:
        fail(error)


def fail(error: CrossmediaError) -> None:
    err.print(f"[red]error[/] {error.code}: {escape(error.message)}", soft_wrap=True)
    if hint := command_hint(error):
        err.print(f"  {escape(hint)}", soft_wrap=True)
    raise typer.Exit(2 if error.code in USAGE else 1)


def print_json(value: object) -> None:
    """A result, or plain values with results in them."""
    text = json.dumps(to_jsonable_python(value), ensure_ascii=False, indent=2)
    sys.stdout.write(visible_json(text) + "\n")
