"""`index` and `enrich`: the two passes, with progress, safe to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from crossmedia.api.commands.context import Data, Json, Without, err, out, print_json, service
from crossmedia.api.queues import NoQueue, shared
from crossmedia.api.remedies import command_hint
from crossmedia.api.service import Service
from crossmedia.indexer.scan import PathMissing

if TYPE_CHECKING:
    from crossmedia.indexer.enrich import EnrichReport
    from crossmedia.indexer.report import Report

SHOWN_FAILURES = 20


def index(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders; folders with everything below them.")],
    data: Data = None,
    collection: Annotated[str, typer.Option(help="The collection to index into.")] = "default",
    without: Without = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove files from the index that are missing on disk.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep running and index changes.")] = False,
    enqueue: Annotated[
        bool, typer.Option("--enqueue", help="Hand the work to the workers of the shared queue, and do not wait.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make files searchable; only new and changed files are read."""
    with service(data) as opened, stopping() as stop:
        opened.runtime.enricher_names(without=without or ())  # an unknown name is told before hours of work
        if enqueue:
            if prune or watch:
                raise typer.BadParameter("--enqueue excludes --prune and --watch")
            _enqueue(opened, paths, collection, without or [], as_json)
            return
        failed = _once(opened, paths, collection, without or [], prune, as_json, stop)
        if watch and not stop.is_set():
            from watchfiles import watch as changes

            announced = False
            for changed in changes(
                *paths, stop_event=stop, raise_interrupt=False, rust_timeout=500, yield_on_timeout=True
            ):
                if announced and not changed:
                    continue
                # Once more when the watch begins: a file may have come since the first pass read its folder.
                failed = _once(opened, paths, collection, without or [], prune, as_json, stop)
                if not announced:
                    announced = True
                    out.print("Watching; Ctrl-C ends it.")
        if stop.is_set() and not watch:
            err.print("Stopped. Files listed as added are indexed; run the same command again for the rest.")
            raise typer.Exit(1)
    if failed and not watch:
        raise typer.Exit(1)


def enrich(
    data: Data = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run only this enricher.", show_default=False)
    ] = None,
    without: Without = None,
    as_json: Json = False,
) -> None:
    """Run the slow passes that are missing: transcripts, objects, …"""
    with service(data) as opened, stopping() as stop:
        report = _enrich(opened, only or [], without or [], stop)
        if as_json:
            print_json(report.as_dict())
        if stop.is_set():
            raise typer.Exit(1)
    if report.failed:
        raise typer.Exit(1)


def _enqueue(opened: Service, paths: list[Path], collection: str, without: list[str], as_json: bool) -> None:
    if shared(opened.runtime.jobs) is None:
        raise NoQueue()
    for path in paths:
        if not path.exists():
            raise PathMissing(f"{path} does not exist", "check the spelling")
    named = [str(path.absolute()) for path in paths]
    # Whoever calls this may read what is named, whatever folders a service is confined to.
    job = opened.runtime.jobs.submit(
        "index", {"paths": named, "within": [], "collection": collection, "without": without}
    )
    if as_json:
        print_json({"job": job.id})
    else:
        out.print(f"job {job.id} [dim](crossmedia status shows what waits)[/]")


def _once(
    opened: Service,
    paths: list[Path],
    collection: str,
    without: list[str],
    prune: bool,
    as_json: bool,
    stop: threading.Event,
) -> bool:
    with progress() as bar:
        task = bar.add_task("indexing", total=None)
        report = opened.indexing.index(
            paths,
            collection,
            prune=prune,
            plan=lambda total: bar.update(task, total=total),
            tell=lambda outcome: bar.advance(task),
            stop=stop,
        )
    if not as_json:
        _summary(report)
    enriched = _enrich(opened, [], without, stop) if not stop.is_set() else None
    if as_json:
        print_json({**report.as_dict(), **(enriched.as_dict() if enriched else {})})
    return bool(report.failed or (enriched and enriched.failed))


def _enrich(opened: Service, only: list[str], without: list[str], stop: threading.Event) -> EnrichReport:
    with progress() as bar:
        task = bar.add_task("enriching, s of media", total=None)

        def plan(total: int) -> None:
            bar.update(task, total=total, visible=total > 0)

        report, absent = opened.indexing.enrich(
            only, without, plan=plan, advance=lambda by: bar.advance(task, by), stop=stop
        )
    for line in absent:
        err.print(f"[yellow]note[/] {escape(line)}", soft_wrap=True)
    for enriched in report.failed[:SHOWN_FAILURES]:
        if enriched.error:
            err.print(
                f"  [red]{enriched.error.code}[/] {escape(enriched.title)}: {escape(enriched.error.message)}",
                soft_wrap=True,
            )
    return report


def _summary(report: Report) -> None:
    counted = [f"{count} {state}" for state, count in report.counts.items() if count]
    out.print(", ".join(counted) or "nothing to index")
    for outcome in report.failed[:SHOWN_FAILURES]:
        if outcome.error:
            out.print(
                f"  [red]{outcome.error.code}[/] {escape(outcome.path)}: {escape(outcome.error.message)}",
                soft_wrap=True,
            )
            out.print(f"    {escape(command_hint(outcome.error))}", soft_wrap=True, style="dim")
    if len(report.failed) > SHOWN_FAILURES:
        out.print(f"  … and {len(report.failed) - SHOWN_FAILURES} more (--json lists all)")
    for outcome in report.damaged[:SHOWN_FAILURES]:
        for warning in outcome.warnings:
            out.print(f"  [yellow]note[/] {escape(outcome.path)}: {escape(warning)}", soft_wrap=True)
    if report.gone:
        what = "forgotten" if report.pruned else "missing on disk but still indexed (--prune removes them)"
        out.print(f"{len(report.gone)} {what}")
        for path in report.gone[:SHOWN_FAILURES]:
            out.print(f"  {escape(path)}", soft_wrap=True, style="dim")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "–/s")


def progress() -> Progress:
    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(compact=True),
    ]
    return Progress(*columns, console=err)


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Ctrl-C once: finish the batch at hand and stop; twice: at once (which is safe too)."""
    stop = threading.Event()

    def interrupt(signum: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        err.print("stopping after this batch …")

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
