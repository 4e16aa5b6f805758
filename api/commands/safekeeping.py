"""`backup`, `restore` and `repair`: copies of the data directory, and what to do when it is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from crossmedia.api.commands.context import Data, Json, err, failing, out, print_json, service
from crossmedia.api.commands.indexing import progress
from crossmedia.api.settings import read_settings


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Copy the data directory while it is used.

    Databases, uploads and heads, each with its checksum; indexes of vectors are made again.
    """
    with service(data) as opened:
        report = opened.backing_up.back_up(folder)
        elsewhere = bool(opened.runtime.settings.store)
    if as_json:
        print_json(report)
    else:
        out.print(
            f"{report['files']:,} files, {report['bytes'] / 1e6:,.1f} MB are in {escape(str(folder))} now",
            soft_wrap=True,
        )
    if elsewhere:
        err.print("[yellow]note[/] the index is in Elasticsearch: take a snapshot there, or crossmedia export FOLDER")


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that crossmedia backup wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Move what the data directory holds aside; nothing is deleted.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of what the data directory holds.

    Nothing changes before all of the backup was read and compared with its checksums.
    """
    from crossmedia.api.use_cases.backing_up import restore as put_back

    with failing():
        settings = read_settings() if data is None else read_settings(data=data)
        report = put_back(settings.data, folder, replace=replace)
    if as_json:
        print_json(report)
        return
    out.print(f"{report['files']:,} files of {report['made']} are in {escape(report['data'])} now", soft_wrap=True)
    if report["replaced"]:
        out.print(f"What was there is in {escape(report['replaced'])}", soft_wrap=True)


def repair(data: Data = None, as_json: Json = False) -> None:
    """Make a damaged data directory whole.

    What can be read is kept, and files are read again for the rest. Damaged files move into a folder beside; nothing is
    deleted."""
    from crossmedia.api.use_cases.repairing import has_unread, mend

    with failing():
        settings = read_settings() if data is None else read_settings(data=data)
        mended = mend(settings.data)
    if not (mended.files or mended.finished or has_unread(settings.data)):
        print_json({"files": []}) if as_json else out.print("Nothing is damaged.")
        return
    with service(data) as opened, progress() as bar:
        task = bar.add_task("reading again", total=None)
        report = opened.repairing.read_again(
            mended, lambda total: bar.update(task, total=total), lambda outcome: bar.advance(task)
        )
    if as_json:
        print_json(report)
    else:
        _tell(report)
    if report["lost"] or report["lost_without_name"] or report["failures"]:
        raise typer.Exit(1)


def _tell(report: dict[str, object]) -> None:
    files = report["files"]
    assert isinstance(files, list)
    if report["finished"]:
        out.print("What was interrupted is finished.")
    if files:
        out.print(
            f"Made anew: {', '.join(files)}. {report['kept']:,} assets were kept, {report['read_again']:,} read again; "
            "crossmedia enrich runs their passes.",
            soft_wrap=True,
        )
    for what, key in (("lost, and its file is gone:", "lost"), ("note", "notes")):
        listed = report[key]
        assert isinstance(listed, list)
        for each in listed:
            out.print(f"[yellow]{what}[/] {escape(str(each))}", soft_wrap=True)
    if report["lost_without_name"]:
        out.print(f"[yellow]lost[/] {report['lost_without_name']} files of which no place can be read", soft_wrap=True)
    failures = report["failures"]
    assert isinstance(failures, list)
    for failure in failures:
        out.print(
            f"[yellow]not read[/] {escape(failure['path'])}: {escape(failure['error']['message'])}", soft_wrap=True
        )
    if report["replaced"]:
        out.print(f"The damaged files are in {escape(str(report['replaced']))}", soft_wrap=True)
