"""The command line. Exit codes: 0 done, 1 something failed, 2 wrong usage."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer

from crossmedia.api.commands import (
    aligning,
    asking,
    banks,
    indexing,
    labels,
    managing,
    models,
    moving,
    passes,
    people,
    plates,
    reviewing,
    searching,
    serving,
    summarising,
    trust,
    voices,
    working,
)

app = typer.Typer(
    name="crossmedia",
    help="Search photos, recordings, videos and documents by words, pictures, sounds and clips.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    indexing.index, searching.search, asking.ask, summarising.summary, labels.labels,
    managing.show, managing.rm, managing.status, managing.transcript,
    indexing.enrich, passes.passes, aligning.reindex, moving.export, serving.serve, working.worker, managing.doctor, banks.lookup,
    trust.trust, plates.plate,
):  # fmt: skip
    app.command()(command)
app.command("import")(moving.bring)
app.add_typer(models.app, name="models")
app.add_typer(voices.app, name="voices")
app.add_typer(people.app, name="people")
app.add_typer(banks.app, name="bank")
app.add_typer(reviewing.app, name="review")
app.add_typer(reviewing.policy, name="policy")
app.add_typer(aligning.app)


def main() -> None:
    # Rooms beside this one bring their commands themselves, so that the service never imports the evaluation.
    for extra in entry_points(group="crossmedia.commands"):
        if extra.name in sys.argv[1:2] or set(sys.argv[1:2]) <= {"--help"}:
            app.add_typer(extra.load(), name=extra.name)
    app()


if __name__ == "__main__":
    main()
