"""`passes`: what looks at everything that is indexed, and what each needs."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, err, out, print_json, service


def passes(data: Data = None, as_json: Json = False) -> None:
    """List the slow passes: what each adds, and whether it runs here."""
    from crossmedia.indexer.enrichers.registry import absent, foreign_passes
    from crossmedia.indexer.enrichers.registry import passes as registered

    notes = foreign_passes().notes
    with service(data) as opened:
        wanted = opened.runtime.enricher_names()
        idle = {name: hint for name in registered() if (hint := opened.runtime.idle(name))}
        rows = [
            (one, [idle[name]] if name in idle else [e.hint for e in absent(one.declared, opened.runtime.catalog)])
            for name, one in registered().items()
        ]
    if as_json:
        print_json(
            {
                "passes": [
                    {
                        "pass": one.declared.name,
                        "summary": one.declared.summary,
                        "labels": [kind.name for kind in one.declared.labels],
                        "wanted": one.declared.name in wanted,
                        "needs": needs,
                        "package": one.package,
                    }
                    for one, needs in rows
                ],
                "notes": list(notes),
            }
        )
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("pass", "runs", "what it adds", "labels", "from"):
        table.add_column(heading, overflow="fold")
    for one, needs in rows:
        listed = one.declared.name in (*wanted, *idle)
        runs = "[dim]no[/]" if not listed else escape("; ".join(needs)) if needs else "yes"
        labels = ", ".join(kind.name for kind in one.declared.labels)
        name, summary, package = map(escape, (one.declared.name, one.declared.summary, one.package))
        table.add_row(name, runs, summary, escape(labels), package)
    out.print(table)
    for note in notes:
        err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
