"""`export` and `import`: a collection as a folder of plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from crossmedia.api.commands.context import Data, Json, err, out, print_json, service
from crossmedia.api.commands.indexing import progress, stopping

SHOWN: Final = 20
"""Conflicts that are named one by one."""


def export(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write the collection to a folder of plain files.

    JSON lines, vectors as .npy, pictures as .tar, each with its checksum.
    """
    with service(data, made=True) as opened, stopping() as stop, progress() as bar:
        task = bar.add_task("exporting", total=None)
        report = opened.archiving.export_to(
            folder,
            plan=lambda total: bar.update(task, total=total),
            tell=lambda count: bar.advance(task, count),
            stop=stop,
        )
    if report is None:
        err.print("Stopped. Nothing was written.")
        raise typer.Exit(1)
    if as_json:
        print_json(report)
        return
    out.print(
        f"{report['assets']:,} assets, {report['moments']:,} moments and {report['vectors']:,} vectors are in "
        f"{escape(str(folder))} now, {_speed(report)}",
        soft_wrap=True,
    )


def bring(
    folder: Annotated[Path, typer.Argument(help="A folder that crossmedia export wrote.")],
    merge: Annotated[bool, typer.Option("--merge", help="Add to what the collection holds already.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Read an exported collection into this one.

    Run the same command again to continue after an interruption.
    """
    with service(data) as opened, stopping() as stop, progress() as bar:
        task = bar.add_task("importing", total=None)
        report = opened.archiving.import_from(
            folder,
            merge=merge,
            plan=lambda total: bar.update(task, total=total),
            tell=lambda count: bar.advance(task, count),
            stop=stop,
        )
    if as_json:
        print_json(report)
    else:
        out.print(f"{report['restored']:,} assets written, {report['same']:,} were there as they are, {_speed(report)}")
        if report["replaced"]:
            out.print(f"{report['replaced']:,} of those written were here otherwise, and are now as in the export")
        for conflict in report["conflicts"][:SHOWN]:
            err.print(
                f"[yellow]conflict[/] {escape(conflict['location'])} is {conflict['here'][:12]} here and "
                f"{conflict['asset'][:12]} in the export; both stay",
                soft_wrap=True,
            )
        if len(report["conflicts"]) > SHOWN:
            err.print(f"  and {len(report['conflicts']) - SHOWN:,} more conflicts; --json names all")
        if report["unseen"]:
            err.print(
                f"[yellow]note[/] the files of {report['unseen']:,} assets were not seen here yet; "
                "crossmedia index FOLDER finds them by their content",
                soft_wrap=True,
            )
        for note in report["notes"]:
            err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    if not report["finished"]:
        err.print("Stopped. What was written stays; run the same command again for the rest.")
        raise typer.Exit(1)


def _speed(report: dict[str, Any]) -> str:
    return (
        f"{report['bytes'] / 1e6:,.1f} MB in {report['seconds']:.1f} s "
        f"({report['assets_per_s']:,.0f} assets/s, {report['mb_per_s']:,.1f} MB/s)"
    )
