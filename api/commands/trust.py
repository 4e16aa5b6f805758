"""`trust`: provenance: where a file says it comes from, and indications of forgeries, never verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from crossmedia.api.commands.context import Data, Json, err, out, print_json, service
from crossmedia.retrieval.clock import clock_span

if TYPE_CHECKING:
    from crossmedia.api.use_cases.trust import IndicationOut, TrustOut


def trust(
    what: Annotated[str, typer.Argument(metavar="FILE|ASSET", help="A file, or an indexed asset's id.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show provenance, and scores for forged faces and voices.

    Scores are indications, not verdicts.
    """
    with service(data) as opened:
        path = Path(what)
        found = opened.trust.of_file(path) if path.is_file() else opened.trust.of_asset(what)
    if as_json:
        print_json(found)
        return
    for note in found.notes:
        err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    if not found.facts:
        out.print("The file says nothing about its origin.")
    print_trust(found)


def print_trust(found: TrustOut) -> None:
    """What is said, then each score with what is known of its model."""
    for fact in found.facts:
        out.print(f"[cyan]{fact.kind}[/] {escape(fact.value)} [dim]{escape(fact.by)}[/]", soft_wrap=True)
    for key, value in (found.manifest or {}).items():
        if value not in (None, [], ""):
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            out.print(f"  [dim]{escape(key)}[/] {escape(text)}", soft_wrap=True)
    for model in found.models:
        out.print(f"[bold]{escape(model.of)}[/] [dim]{escape(model.model)}[/]", soft_wrap=True)
        for one in found.indications:
            if one.kind == model.kind:
                out.print(f"  {escape(one.value)} {_place(one)}{one.score:.3f}{' (high)' if one.high else ''}")
        out.print(f"  [dim]trained on[/] {escape(model.trained_on)}", soft_wrap=True)
        for where, figures in (("inside", model.inside), ("outside", model.outside)):
            for published in figures:
                text = f"{published.figure}: {published.of} ({published.source})"
                out.print(f"  [dim]published, {where} its data set[/] {escape(text)}", soft_wrap=True)
        if not model.outside:
            out.print("  [dim]published, outside its data set[/] no figures known")
        out.print(f"  [dim]note[/] {escape(model.caution)}", soft_wrap=True)
    if found.models:
        out.print(escape(found.statement), soft_wrap=True)


def _place(one: IndicationOut) -> str:
    if span := clock_span(one.start, one.end):
        return f"{span} "
    return "" if one.box is None else f"at {', '.join(f'{edge:.2f}' for edge in one.box)} "
