"""`search`: in words, with a picture, a sound or a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, err, fail, out, print_json, resolve_asset, service
from crossmedia.api.label_conditions import parse_condition
from crossmedia.api.schema import SearchRequest, by_kind, search_answer
from crossmedia.embeddings.encoder import FACE, VOICE
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import MEDIA
from crossmedia.retrieval.clock import clock, clock_span
from crossmedia.retrieval.order import Sort
from crossmedia.retrieval.planner import LABELS
from crossmedia.retrieval.query import Answer, Evidence, Hit

Files = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE[@WEIGHT]",
        show_default=False,
        help="Search by a file; a negative weight, as in @-0.5, pushes away.",
    ),
]
MIDDLE_WIDTH = 60
FACETS = 12
"""Values of a kind that are shown below the hits."""


def search(
    text: Annotated[list[str] | None, typer.Argument(help="What to look for, in words.", show_default=False)] = None,
    image: Files = None,
    audio: Files = None,
    video: Files = None,
    voice: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE[@WEIGHT]", show_default=False, help="Find the person who speaks in this recording."),
    ] = None,
    face: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE[@WEIGHT]", show_default=False, help="Find the person with the largest face in this picture."
        ),
    ] = None,
    like: Annotated[
        list[str] | None, typer.Option(help="An indexed asset to search by: its id, or the file.", show_default=False)
    ] = None,
    negative: Annotated[
        list[str] | None, typer.Option("--not", help="What must not be in the results.", show_default=False)
    ] = None,
    media: Annotated[
        list[str] | None, typer.Option("--type", help=f"Only these media: {', '.join(MEDIA)}.", show_default=False)
    ] = None,
    k: Annotated[int, typer.Option("--k", "--limit", min=1, max=10_000, help="Maximum number of hits.")] = 10,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="ORDER",
            help="relevance, date (the newest first), name, length or size (the largest first); "
            "name-desc, date-asc, … the other way round.",
            show_default=False,
        ),
    ] = None,
    cursor: Annotated[
        str | None,
        typer.Option(help="Go on after an earlier page of the same search, which names this.", show_default=False),
    ] = None,
    legs: Annotated[
        list[str] | None,
        typer.Option("--leg", help="Only these legs: common, picture, text, words, …", show_default=False),
    ] = None,
    min_relevance: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Minimum relevance [default: 0.5]; 0 returns everything.", show_default=False),
    ] = None,
    path: Annotated[
        str | None, typer.Option(help="Only below this path, or matching this glob.", show_default=False)
    ] = None,
    after: Annotated[str | None, typer.Option(help="Only from this date on (ISO).", show_default=False)] = None,
    before: Annotated[str | None, typer.Option(help="Only before this date.", show_default=False)] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[Nx]KIND[:VALUE][@SCORE]",
            help="Only with this label: object:dog, 2xobject:dog (two or more), object:dog@0.6 (minimum score).",
            show_default=False,
        ),
    ] = None,
    without_label: Annotated[
        list[str] | None, typer.Option(help="Only without this label, in the same notation.", show_default=False)
    ] = None,
    facets: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Count labels of this kind in all results.", show_default=False),
    ] = None,
    collection: Annotated[str | None, typer.Option(help="Only in this collection.", show_default=False)] = None,
    group: Annotated[bool, typer.Option("--group", help="Only the best moment of each file.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find the moments that match.

    Without a query, everything that meets the filters is listed, the newest first.
    """
    orders = get_args(Sort)
    if sort is not None and sort not in orders:
        raise typer.BadParameter(f"{sort!r} is not an order; use one of {', '.join(orders)}", param_hint="--sort")
    for medium in media or ():
        if medium not in MEDIA:
            raise typer.BadParameter(f"{medium!r} is not a medium; use one of {', '.join(MEDIA)}", param_hint="--type")
    if voice and (legs or text or image or audio or video):
        # Who speaks and what it is are told by legs that have nothing in common: one would only dilute the other.
        raise typer.BadParameter("cannot be combined with other kinds of query", param_hint="--voice")
    try:
        conditions = [
            *(parse_condition(word) for word in label or ()),
            *(parse_condition(word, negate=True) for word in without_label or ()),
        ]
    except CrossmediaError as error:
        fail(error)
    if face and (legs or text or image or audio or video or voice):
        raise typer.BadParameter("cannot be combined with other kinds of query", param_hint="--face")
    legs = [VOICE] if voice else [FACE] if face else legs
    examples = (*(image or ()), *(audio or ()), *(video or ()), *(voice or ()), *(face or ()))
    files = [_weighted(word) for word in examples]
    filters = {
        "path": path,
        "after": after,
        "before": before,
        "collection": collection,
        "labels": conditions,
    }
    with service(data, made=True) as opened:
        request = SearchRequest.of(
            {
                "text": text or [],
                "negative": negative or [],
                "media": media or [],
                "k": k,
                "legs": legs or None,
                "examples": [{"asset": resolve_asset(opened, prefix)} for prefix in like or ()],
                "files": [{"weight": weight} for _, weight in files],
                "min_relevance": min_relevance,
                "group": group,
                "facets": facets or [],
                "sort": sort,
                "cursor": cursor,
                "filters": filters,
            }
        )
        answer = opened.searching.search(
            request.query([opened.searching.example(file, weight) for file, weight in files])
        )
    if as_json:
        print_json(search_answer(answer))
        return
    show(answer)


def show(answer: Answer) -> None:
    """A table of hits and why, or that nothing matches."""
    for note in answer.notes:
        err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    if not answer.hits:
        out.print(f"Nothing matches. [dim](--min-relevance 0 shows the nearest; {answer.took_ms:.0f} ms)[/]")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, options in (
        ("", {}),
        ("relevance", {}),
        ("where", {"overflow": "fold"}),
        ("moment", {}),
        ("why", {"overflow": "fold"}),
    ):
        table.add_column(heading, **options)  # type: ignore[arg-type]
    for number, hit in enumerate(answer.hits, start=1):
        more = f" [dim](+{hit.more} alike)[/]" if hit.more else ""
        why = "\n".join(_why(evidence) for evidence in hit.evidence)
        relevance = f"{hit.relevance:.2f}" if hit.evidence else ""  # what only meets the filters is not ranked
        table.add_row(str(number), relevance, escape(_middle(hit.path)) + more, _when(hit), why)
    out.print(table)
    out.print(f"[dim]{len(answer.hits)} hits, {answer.took_ms:.0f} ms[/]")
    if answer.next:
        out.print(f"[dim]There are more; the same search with this goes on:[/] --cursor={answer.next}", soft_wrap=True)
    for kind, values in by_kind(answer.facets, FACETS).items():
        counts = ", ".join(f"{escape(one.value)} {one.moments}" for one in values)
        out.print(f"[cyan]{escape(kind)}[/] {counts}", soft_wrap=True)


def _why(evidence: Evidence) -> str:
    found = f"[cyan]{evidence.leg}[/] {evidence.relevance:.2f} [dim]#{evidence.rank}[/]"
    if evidence.likeness:
        found += f" {evidence.likeness}"
    if evidence.leg == LABELS and evidence.query:
        found += f" {escape(evidence.query)}"
    if evidence.text:
        said = " ".join(evidence.text.split())
        quoted = said if len(said) <= 100 else said[:99] + "…"
        found += f" “{escape(quoted)}”"
    if evidence.leg == "words" and evidence.start is not None:
        found += f" [dim]at {clock(evidence.start)}[/]"
    return found


def _when(hit: Hit) -> str:
    if hit.page is not None:
        return f"p. {hit.page}"
    return clock_span(hit.start, hit.end)


def _middle(path: str) -> str:
    return path if len(path) <= MIDDLE_WIDTH else "…" + path[-MIDDLE_WIDTH + 1 :]


def _weighted(word: str) -> tuple[Path, float]:
    """A file and its weight: what follows the last @, unless the whole is the name of a file."""
    name, _, number = word.rpartition("@")
    if not Path(word).is_file() and Path(name).is_file():
        try:
            return Path(name), float(number)
        except ValueError as error:
            raise typer.BadParameter(f"{number!r} is not a weight for {name}") from error
    if not Path(word).is_file():
        raise typer.BadParameter(f"{word} is not a file")
    return Path(word), 1.0
