"""`review` and `policy`: what is to be looked at, what was decided, and by which rules."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, out, print_json, resolve_asset, service
from crossmedia.api.use_cases.moderation import DecisionOut
from crossmedia.retrieval.banks.store import ACTIONS

app = typer.Typer(help="Review what the policy flagged, and record decisions.", no_args_is_help=True)
policy = typer.Typer(help="Show the moderation rules and apply them.", no_args_is_help=True)
Asset = Annotated[str, typer.Argument(help="The beginning of its id, or the file.")]


@app.command("list")
def queue(
    action: Annotated[str, typer.Option(help=f"Latest decision: {', '.join(ACTIONS)}.")] = "review",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List what is to be reviewed, blocked or allowed, newest first."""
    with service(data, made=True) as opened:
        _show(opened.moderation.queue(action, limit), as_json, f"Nothing to {action}.")


@app.command()
def history(asset: Asset, data: Data = None, as_json: Json = False) -> None:
    """Show all decisions about a file, oldest first."""
    with service(data, made=True) as opened:
        _show(opened.moderation.history(resolve_asset(opened, asset)), as_json, "Nothing was decided.")


@app.command()
def decide(
    asset: Asset,
    action: Annotated[str, typer.Argument(help=", ".join(ACTIONS))],
    by: Annotated[str | None, typer.Option(help="Who decides [default: you].", show_default=False)] = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Decide about a file; blocked files are neither found nor served."""
    with service(data, made=True) as opened:
        done = opened.moderation.decide(resolve_asset(opened, asset), action, by or getpass.getuser(), note)
        if as_json:
            print_json(done)
        else:
            out.print(f"{escape(str(done.path))}: {done.action} [dim](by {escape(done.by)})[/]")


@policy.command("show")
def show(data: Data = None, as_json: Json = False) -> None:
    """Show the rules in effect, from CROSSMEDIA_POLICY or the default ones."""
    with service(data) as opened:
        rules = opened.moderation.policy
        if as_json:
            listed = [{k: v for k, v in vars(rule).items() if v is not None} for rule in rules.rules]
            print_json({"version": rules.version, "rules": listed})
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("what", "from score", "times", "action"):
            table.add_column(heading, overflow="fold")
        for rule in rules.rules:
            what = f"bank {rule.bank}" if rule.bank else f"{rule.kind}:{rule.value}" if rule.value else str(rule.kind)
            table.add_row(escape(what), f"{rule.least:g}", str(rule.count), rule.action or "the bank's own")
        out.print(table)
        out.print(f"[dim]version {rules.version}[/]")


@policy.command()
def apply(data: Data = None, as_json: Json = False) -> None:
    """Judge all indexed files again, after rules or banks have changed."""
    with service(data, made=True) as opened:
        assets, new = opened.moderation.judge_all()
    if as_json:
        print_json({"assets": assets, "decisions": new})
    else:
        out.print(f"{assets} assets judged, {new} new decisions")


def _show(found: list[DecisionOut], as_json: bool, nothing: str) -> None:
    if as_json:
        print_json({"decisions": found})
        return
    if not found:
        out.print(nothing)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("when", "asset", "where", "action", "by", "why"):
        table.add_column(heading, overflow="fold")
    for one in found:
        when = datetime.fromtimestamp(one.at).strftime("%Y-%m-%d %H:%M")
        why = "\n".join([*(_reason(reason) for reason in one.reasons), *([one.note] if one.note else [])])
        row = (when, one.asset[:12], str(one.path or "–"), one.action, one.by, why)
        table.add_row(*(escape(cell) for cell in row))
    out.print(table)


def _reason(reason: dict[str, Any]) -> str:
    if "bank" in reason:
        return f"bank {reason['bank']} ({reason['kind']}, distance {reason['distance']:g})"
    return f"{reason['kind']}:{reason['value']} {reason['score']:.2f} ({reason['model']})"
