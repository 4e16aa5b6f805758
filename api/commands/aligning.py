"""`align` and `reindex`: teach a collection pairs of one's own, and make its vectors anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, err, out, print_json, service
from crossmedia.api.commands.indexing import SHOWN_FAILURES, progress, stopping

if TYPE_CHECKING:
    from crossmedia.api.use_cases.alignment import Trained

app = typer.Typer(
    name="align",
    help="Train on pairs of your own, such as pictures and names.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def train(
    pairs: Annotated[
        Path,
        typer.Argument(
            help="A CSV whose header names two of: picture, sound, text, file; files are relative to its folder."
        ),
    ],
    space: Annotated[
        str | None,
        typer.Option(help="Map vectors of this space: picture, sound or text [default: the side that is not text]"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The head's name [default: the CSV's]", show_default=False)] = None,
    holdout: Annotated[float, typer.Option(min=0.05, max=0.5, help="Share of the files to measure on.")] = 0.2,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Passes over the pairs [default: depends on their number]")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out pairs whose file cannot be read.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Save the head even if it does not improve results.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Train a head on pairs, and show how well held-out pairs match before and after."""
    with service(data) as opened, progress() as bar:
        tasks: list[Any] = []

        def plan(stage: str, total: int) -> None:
            tasks.append(bar.add_task(stage, total=total))

        trained = opened.alignment.train(
            pairs,
            space=space,
            name=name,
            held_out=holdout,
            passes=epochs,
            skip=skip_bad,
            force=force,
            plan=plan,
            tick=lambda count: bar.advance(tasks[-1], count),
        )
    if as_json:
        print_json(trained.report)
    else:
        _tell(trained)
    if trained.card is None:
        raise typer.Exit(1)


@app.command("list")
def list_heads(data: Data = None, as_json: Json = False) -> None:
    """List the heads, and which of them are in use."""
    with service(data) as opened:
        cards, used = opened.runtime.heads.cards(), opened.alignment.in_use()
        if as_json:
            print_json([{**card.details, "id": card.id, "in_use": card.id in used} for card in cards])
            return
        if not cards:
            out.print("No heads yet. [dim]crossmedia align train PAIRS.csv makes one[/]")
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("head", "maps", "pairs", "R@10 before", "after", "made", ""):
            table.add_column(heading)
        for card in cards:
            figures = card.details["figures"]
            before, after = (figures[when]["anchor_to_source"]["recall@10"] for when in ("before", "after"))
            table.add_row(
                card.id,
                card.space,
                str(figures["pairs"]),
                f"{before:.1%}",
                f"{after:.1%}",
                card.made[:16],
                "in use" if card.id in used else "",
            )
        out.print(table)


@app.command("remove")
def remove_head(
    name: Annotated[str, typer.Argument(metavar="HEAD", help="NAME, or NAME@REVISION if several have that name.")],
    data: Data = None,
) -> None:
    """Delete a head that is not in use."""
    with service(data) as opened:
        out.print(f"removed {opened.alignment.remove(name).id}")


def reindex(
    head: Annotated[
        str | None, typer.Option(help="Map the vectors with this head, NAME or NAME@REVISION.", show_default=False)
    ] = None,
    builtin: Annotated[bool, typer.Option("--builtin", help="Remove all heads from the vectors.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Check every file, including those that could not be read last time.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compute vectors again, with a head or with other models.

    What is stored is used; files are read only where that is not enough. The command can be interrupted and
    continues when it is run again.
    """
    if head is not None and builtin:
        raise typer.BadParameter("--head and --builtin exclude each other")
    with service(data) as opened, stopping() as stop, progress() as bar:
        task = bar.add_task("reindexing", total=None)
        report, heads = opened.alignment.reindex(
            head,
            builtin=builtin,
            again=again,
            stop=stop,
            plan=lambda total: bar.update(task, total=total),
            tell=lambda count: bar.advance(task, count),
        )
    if as_json:
        print_json({"heads": heads, **report.as_dict()})
    else:
        out.print(
            f"{report.assets} assets, {report.moments} moments with new vectors, {report.decoded} files read again; "
            f"heads: {', '.join(heads) or 'none'}"
        )
        for title, error in report.failed[:SHOWN_FAILURES]:
            out.print(f"  [red]{error.code}[/] {escape(title)}: {escape(error.message)}", soft_wrap=True)
        if report.lost:
            out.print(f"{report.lost} moments can only be found by their words for now; --again retries them")
    if not report.finished:
        err.print("Stopped. Run the same command again to finish; searches are refused until then.")
    if not report.finished or report.failed:
        raise typer.Exit(1)


def _tell(trained: Trained) -> None:
    report, figures = trained.report, trained.report["figures"]
    source, anchor = report["modality"], report["anchor"]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("held out", "among", "R@1", "R@5", "R@10", "median rank"):
        table.add_column(heading, justify="right" if heading != "held out" else "left")
    for direction, title in (
        ("anchor_to_source", f"{anchor} → {source}"),
        ("source_to_anchor", f"{source} → {anchor}"),
    ):
        for when in ("before", "after"):
            row = figures[when][direction]
            recalls = [_interval(row, depth) for depth in (1, 5, 10)]
            table.add_row(f"{title}, {when}", str(row["among"]), *recalls, f"{row['median rank']:g}")
    out.print(table)
    new = figures["held_out_pairs_of_new_anchors"]
    divisions = figures["divisions"]
    held = f"{figures['held_out']} of {figures['sources']}"
    out.print(
        f"{figures['pairs']} pairs"
        + (f" ({report['duplicates']} more stand there twice)" if report["duplicates"] else "")
        + (f" ({len(report['left_out'])} left out)" if report["left_out"] else "")
        + f"; {held} held out"
        + (f" in {divisions} divisions" if divisions > 1 else "")
        + f", {new} of their {figures['held_out_pairs']} pairs with a {anchor} that was not learned either; "
        "brackets are 95 % intervals"
    )
    cosine, passing = figures["cosine_before_after"], figures["passing"]
    out.print(
        f"strength {figures['strength']:.2f}"
        + (
            f", cosine before to after {cosine['mean']:.2f}"
            if cosine
            else f"; a {source} had no vectors to find by words"
        )
        + "; over the cut-off: "
        f"{passing['pairs before']:.0%} → {passing['pairs after']:.0%} of pairs, "
        f"{passing['others before']:.1%} → {passing['others after']:.1%} of the others"
    )
    gain = figures["mrr_gain"]
    if not report["better"]:
        low, high = gain["interval"]
        out.print(
            f"[yellow]no gain[/] held-out pairs do not match better than chance: MRR {gain['mean']:+.3f} "
            f"[dim]\\[{low:+.3f}, {high:+.3f}][/]; more pairs may help"
        )
    if trained.card is None:
        out.print("Not saved; --force saves it anyway.")
    else:
        out.print(
            f"Saved as [bold]{escape(trained.card.id)}[/], learned from all pairs. "
            f"crossmedia reindex --head {trained.card.name}"
        )


def _interval(row: dict[str, Any], depth: int) -> str:
    low, high = row[f"recall@{depth} interval"]
    return f"{100 * row[f'recall@{depth}']:.1f} [dim]\\[{100 * low:.1f}, {100 * high:.1f}][/]"
