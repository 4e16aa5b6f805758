"""The command line. Exit codes: 0 done, 1 something failed, 2 wrong usage."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import resolve_name
from typing import TYPE_CHECKING, NamedTuple

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Command, Context


class Entry(NamedTuple):
    """One line of `crossmedia --help`, and where the command behind it is defined."""

    name: str
    target: str
    """MODULE:ATTRIBUTE of a function, or of a Typer with further commands. Modules are files of `api/commands`."""
    summary: str


# The help is written from this table, since importing all commands takes longer than most of them run.
COMMANDS = (
    Entry("index", "indexing:index", "Make files searchable; only new and changed files are read."),
    Entry("search", "searching:search", "Find the moments that match."),
    Entry("ask", "asking:ask", "Answer a question and show the evidence."),
    Entry("summary", "summarising:summary", "Summarise a file: what it says and shows, chapters of a video."),
    Entry("labels", "labels:labels", "List recognised labels by kind and value."),
    Entry("show", "managing:show", "Show one file: where it lies, its moments, words and labels."),
    Entry("rm", "managing:rm", "Remove files from the index; the files themselves stay."),
    Entry("status", "managing:status", "Show what is indexed and what is still to be done."),
    Entry("transcript", "managing:transcript", "Print what is said in a recording or video."),
    Entry("enrich", "indexing:enrich", "Run the slow passes that are missing: transcripts, objects, …"),
    Entry("passes", "passes:passes", "List the slow passes: what each adds, and whether it runs here."),
    Entry("reindex", "aligning:reindex", "Compute vectors again, with a head or with other models."),
    Entry("export", "moving:export", "Write the collection to a folder of plain files."),
    Entry("import", "moving:bring", "Read an exported collection into this one."),
    Entry("backup", "safekeeping:backup", "Copy the data directory while it is used."),
    Entry("restore", "safekeeping:restore", "Put a backup in the place of what the data directory holds."),
    Entry("repair", "safekeeping:repair", "Make a damaged data directory whole."),
    Entry("serve", "serving:serve", "Start the HTTP service and the web page."),
    Entry("key", "keys:app", "Keys of the HTTP service: add, list and remove them."),
    Entry("worker", "working:worker", "Process the jobs of a shared queue until stopped."),
    Entry("doctor", "managing:doctor", "Check models, packages, disk and store; say what to fix."),
    Entry("lookup", "banks:lookup", "Look up a file or a hash in the banks of known content."),
    Entry("trust", "trust:trust", "Show provenance, and scores for forged faces and voices."),
    Entry("plate", "plates:plate", "Find a licence plate, even if one character was misread."),
    Entry("models", "models:app", "List the models with source, licence and size."),
    Entry("voices", "voices:app", "Who speaks: list, name, merge and compare voices."),
    Entry("people", "people:app", "Whose faces: list, name, merge, split and forget people."),
    Entry("bank", "banks:app", "Banks of hashes of known content, and what they match."),
    Entry("review", "reviewing:app", "Review what the policy flagged, and record decisions."),
    Entry("policy", "reviewing:policy", "Show the moderation rules and apply them."),
    Entry("vocabulary", "vocabularies:app", "Lists of your own names that pictures are labelled with."),
    Entry("align", "aligning:app", "Train on pairs of your own, such as pictures and names."),
)


class LazyGroup(TyperGroup):
    """Lists commands by their summaries, and imports one only to run it."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(ENTRIES[name]) if name else command, rest


def load(entry: Entry) -> Command:
    """Import the command or the group of commands."""
    group = typer.Typer(rich_markup_mode=None)
    target = resolve_name(entry.target)
    if isinstance(target, typer.Typer):
        group.add_typer(target, name=entry.name)
    else:
        group.command(entry.name)(target)
    return typer.main.get_group(group).commands[entry.name]


def _plugins() -> list[Entry]:
    """Commands that other packages bring, so that the service never imports the evaluation. What the package says of
    itself in one line is the summary."""
    return [
        Entry(plugin.name, plugin.value, (import_module(plugin.module.rpartition(".")[0]).__doc__ or "").strip())
        for plugin in entry_points(group="crossmedia.commands")
    ]


def _placeholder() -> None:
    """Stands for a command that was not imported; never run."""


ENTRIES = {
    entry.name: entry
    for entry in (*(e._replace(target=f"crossmedia.api.commands.{e.target}") for e in COMMANDS), *_plugins())
}
app = typer.Typer(
    name="crossmedia",
    cls=LazyGroup,
    help="Search photos, recordings, videos and documents by words, pictures, sounds and clips.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for entry in ENTRIES.values():
    app.command(entry.name, help=entry.summary)(_placeholder)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
