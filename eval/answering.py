"""`crossmedia eval ask` and `crossmedia eval daquar`: measure answers to questions."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from crossmedia.api.commands.context import err, service
from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.visual_answers import VisualAnswers
from crossmedia.eval import daquar as pictures
from crossmedia.eval import figures, report
from crossmedia.eval.asking import ask_all, sections
from crossmedia.eval.questions import corpus
from crossmedia.eval.wordnet import Nouns

SHARED = Path("../shared/data")
Out = Annotated[Path, typer.Option("--out", help="Where the report goes.")]
Shared = Annotated[Path, typer.Option(help="The folder of the known data sets.")]


def ask(
    out_folder: Out = Path("eval-report"),
    shared: Shared = SHARED,
    data: Annotated[Path | None, typer.Option("--data", help="Keep the index here and use it again.")] = None,
) -> None:
    """250 questions over real media, 50 of which nothing answers: report.md and report.json."""
    with tempfile.TemporaryDirectory() as room:
        folder = corpus(shared, Path(room) / "media")
        with service(data or Path(room) / "data") as opened:
            err.print("indexing")
            opened.indexing.index([folder])
            opened.indexing.enrich(without=("hashes", "trust", "nudity", "abuse"))
            answered = ask_all(opened, folder, err.print)
            model = opened.asking.builtin.model
    _write(out_folder, "Answers", "ask", (model,), sections(answered))


def daquar(out_folder: Out = Path("eval-report"), shared: Shared = SHARED) -> None:
    """The learned visual answerer on questions of pictures it has not learned from: report.md and report.json."""
    with service(None) as opened:
        network = VisualAnswers(threads=opened.runtime.settings.threads)
    try:
        nouns: Nouns | None = Nouns()
    except DependencyMissing as error:
        err.print(f"without WUPS: {error.message}; {error.hint}")
        nouns = None
    _write(
        out_folder,
        "Visual answers",
        "daquar",
        (network.model,),
        [pictures.measure(network, shared / "daquar", nouns, err.print)],
    )


def _write(folder: Path, title: str, mode: str, models: tuple[str, ...], found: list[figures.Section]) -> None:
    for section in found:
        err.print(f"[bold]{section.title}[/]")
        for one in section.figures:
            err.print(f"  {one.what}: {one.shown}", highlight=False)
    command = shlex.join(["crossmedia", *sys.argv[1:]])
    figures.write(folder, title, report.Context.of(command, mode, models), found)
