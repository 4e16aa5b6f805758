"""`ask`: a question in a sentence, an answer with what it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, err, fail, out, print_json, resolve_asset, service
from crossmedia.api.label_conditions import parse_condition
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.clock import clock

if TYPE_CHECKING:
    from crossmedia.api.schema import EvidenceOut
    from crossmedia.api.use_cases.asking import AskAnswer, CitedHit


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.", show_default=False)] = "",
    asset: Annotated[
        str | None, typer.Option(help="Ask about this asset: its id, or the file.", show_default=False)
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Ask about this picture; it is not stored.", show_default=False),
    ] = None,
    voice: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A recording of the question.", show_default=False)
    ] = None,
    media: Annotated[list[str] | None, typer.Option("--type", help="Only these media.", show_default=False)] = None,
    path: Annotated[
        str | None, typer.Option(help="Only below this path, or matching this glob.", show_default=False)
    ] = None,
    after: Annotated[str | None, typer.Option(help="Only from this date on (ISO).", show_default=False)] = None,
    before: Annotated[str | None, typer.Option(help="Only before this date.", show_default=False)] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="[Nx]KIND[:VALUE][@SCORE]", help="Only with this label.", show_default=False),
    ] = None,
    collection: Annotated[str | None, typer.Option(help="Only in this collection.", show_default=False)] = None,
    speak: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Also speak the answer, into this WAV file.", show_default=False)
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Answer a question and show the evidence."""
    # Other commands start without what answers.
    from crossmedia.api.use_cases.asking import AskRequest

    try:
        conditions = [parse_condition(word) for word in label or ()]
    except CrossmediaError as error:
        fail(error)
    filters = {"path": path, "after": after, "before": before, "collection": collection, "labels": conditions}
    with service(data, made=True) as opened:
        request = AskRequest.of(
            {
                "question": question,
                "asset": resolve_asset(opened, asset) if asset else None,
                "media": media or [],
                "filters": filters,
            }
        )
        answer = opened.asking.ask(request, image, voice)
        if speak is not None:
            speak.write_bytes(opened.speaking.speak(answer.answer))
    if as_json:
        print_json(answer)
        return
    show(answer)


def show(answer: AskAnswer) -> None:
    """The answer, then what it rests on."""
    if answer.answered:
        out.print(
            f"[bold]{escape(answer.answer)}[/] [dim]{answer.confidence:.0%} sure, {escape(answer.model)}[/]",
            soft_wrap=True,
        )
    else:
        out.print(f"[yellow]{escape(answer.answer)}[/]" + (" [dim]the nearest:[/]" if answer.citations else ""))
    for note in answer.notes:
        err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    for hit in answer.citations:
        why = "; ".join(filter(None, (_why(one) for one in hit.evidence)))
        table.add_row(f"[dim]\\[{hit.number}][/]", escape(hit.path), _when(hit), why)
    out.print(table)


def _when(hit: CitedHit) -> str:
    if hit.page is not None:
        return f"p. {hit.page}"
    return "" if hit.start is None else clock(hit.start)


def _why(evidence: EvidenceOut) -> str:
    if evidence.text:
        said = " ".join(evidence.text.split())
        return f"“{escape(said if len(said) <= 100 else said[:99] + '…')}”"
    return f"[cyan]{evidence.leg}[/] {escape(evidence.query or '')}"
