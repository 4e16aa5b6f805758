"""`crossmedia eval`: how good the search is, on known sets or one's own, and what changed."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Json, err, out, print_json, service
from crossmedia.api.settings import read_settings
from crossmedia.api.stores import open_store
from crossmedia.embeddings.faces import FaceDetector
from crossmedia.embeddings.forgery import ForgeryDetector
from crossmedia.embeddings.objects import ObjectDetector
from crossmedia.embeddings.segmentation import shared_segmenter
from crossmedia.embeddings.spoof import SpoofDetector
from crossmedia.eval import alike as by_example
from crossmedia.eval import answering, cutoff, figures, report
from crossmedia.eval import areas as surfaces
from crossmedia.eval import compare as comparing
from crossmedia.eval import faces as known_people
from crossmedia.eval import objects as seen
from crossmedia.eval import plates as read_plates
from crossmedia.eval import regions as parts
from crossmedia.eval import trust as trusting
from crossmedia.eval import vocabulary as own_labels
from crossmedia.eval import where as pointing
from crossmedia.eval.agreement import agreement, rows
from crossmedia.eval.datasets import flickr8k
from crossmedia.eval.metrics import mean
from crossmedia.eval.moments import Moments
from crossmedia.eval.run import TaskResult, applies_to_matrix, by_engine, by_matrix
from crossmedia.eval.tasks import add_crowd, known_datasets, open_tasks
from crossmedia.retrieval.vocabularies.bundled import read_bundled

app = typer.Typer(
    help="Evaluate search quality and speed, and compare reports.", no_args_is_help=True, rich_markup_mode=None
)
app.command()(answering.ask)
app.command()(answering.daquar)
SHARED = Path("../shared/data")


@app.command()
def run(
    datasets: Annotated[
        list[str] | None,
        typer.Argument(help="Names, or folders with captions.csv or class folders; all known by default."),
    ] = None,
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
    data: Annotated[Path | None, typer.Option("--data", help="Keep the index here and use it again.")] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="The encoders' bare cosines instead of the live engine.")
    ] = False,
    distractors: Annotated[
        list[Path] | None, typer.Option(help="Folders whose pictures join every gallery of pictures.")
    ] = None,
) -> None:
    """Index, ask, and write report.md, report.json and plots."""
    with tempfile.TemporaryDirectory() as room, service(data or Path(room) / "data") as opened:
        results: list[TaskResult] = []
        specs = datasets or list(known_datasets(shared, Path(room)))
        for spec in specs:
            for task in (add_crowd(one, distractors or ()) for one in open_tasks(spec, shared, Path(room))):
                if matrix and not applies_to_matrix(opened.runtime.profile, task):
                    _tell(f"{task.name}: left out, the two sides share no space")
                    continue
                results.append(
                    by_matrix(opened.runtime.profile, task, _tell)
                    if matrix
                    else by_engine(opened, task, Path(room), _tell)
                )
        measured: dict[str, Any] | None = None
        if "flickr8k" in specs and not matrix:
            err.print("the cut-off")
            captions = flickr8k(shared / "flickr8k", "dev").captions
            opened.indexing.index(sorted(captions), "eval-cutoff")
            measured = cutoff.measure(opened, "eval-cutoff", captions)
        models = [f"{s.name}: {s.model} {s.revision}" for s in opened.runtime.profile.spaces.values()]
    command = shlex.join(["crossmedia", *sys.argv[1:]])
    report.write(out_folder, report.Context.of(command, "matrix" if matrix else "engine", models), results, measured)
    _show(results, measured)
    out.print(f"[dim]{escape(str(out_folder / 'report.md'))}[/]")


@app.command()
def stores(
    url: Annotated[
        str, typer.Argument(help="elasticsearch://HOST:9200/NAME?vectors=flat (exact, as the local store is).")
    ],
    datasets: Annotated[list[str] | None, typer.Argument(help="Names or folders, as for run.")] = None,
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
    as_json: Json = False,
) -> None:
    """Whether another store answers as the local one does: the first ten hits of every query, side by side."""
    with tempfile.TemporaryDirectory() as room, service(Path(room) / "data") as here:
        there = open_store(read_settings(data=Path(room) / "data", store=url))
        agreements = [
            agreement(here, there, task, Path(room), _tell)
            for spec in datasets or list(known_datasets(shared, Path(room)))
            for task in open_tasks(spec, shared, Path(room))
        ]
        there.close()
    if as_json:
        print_json([asdict(one) for one in agreements])
        return
    table = Table("task", "queries", "same ten, same order", "same ten", "in common", box=None, pad_edge=False)
    for row in rows(agreements):
        table.add_row(*row)
    out.print(table)


@app.command()
def moments(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
    data: Annotated[Path | None, typer.Option("--data", help="Keep the index here and use it again.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this section of the report.")] = None,
) -> None:
    """Shots, planted moments, words and their times, speakers and voices: write report.md and report.json."""
    with tempfile.TemporaryDirectory() as room, service(data or Path(room) / "data") as opened:
        sections = _show_sections(Moments(opened, shared.resolve(), Path(room)).run(only or (), _tell))
        profile = opened.runtime.profile
        models = [f"{s.name}: {s.model} {s.revision}" for s in profile.spaces.values()]
        models += [f"transcript: {profile.transcriber.model}"] if profile.transcriber else []
    _write(out_folder, "Moments", "moments", models, sections)


@app.command()
def objects(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report and the sheets go.")] = Path(
        "eval-report"
    ),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
    sheets: Annotated[bool, typer.Option(help="Draw what was found on sheets of 25 photos, to be looked at.")] = True,
) -> None:
    """What is found in Flickr8k's dev photos, with their captions as weak truth: report.md, report.json and sheets."""
    with service(None) as opened:
        detector = ObjectDetector(opened.runtime.catalog.resolve("yolox-nano"), opened.runtime.settings.threads)
    captions = flickr8k(shared / "flickr8k", "dev").captions
    sections = _show_sections(seen.measure(detector, captions, out_folder if sheets else None, _tell))
    _write(out_folder, "Objects", "objects", [detector.model], sections)


@app.command()
def areas(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
    sheet: Annotated[Path | None, typer.Option(help="Draw the photos and their areas there, to be looked at.")] = None,
) -> None:
    """How well sky, grass, water and the like are told, on points named by eye: report.md and report.json."""
    with service(None) as opened:
        segmenter = shared_segmenter(opened.runtime.catalog, opened.runtime.settings.threads)
    sections = surfaces.measure(segmenter, shared / "flickr8k" / "images", sheet, _tell)
    _write(out_folder, "Areas", "areas", [segmenter.model], sections)


@app.command()
def regions(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
) -> None:
    """What labels and vectors of single objects add to Flickr8k's dev photos: report.md and report.json."""
    with tempfile.TemporaryDirectory() as room, service(Path(room) / "data") as opened:
        sections = _show_sections(parts.measure(opened, flickr8k(shared / "flickr8k", "dev").captions, _tell))
        models = [f"{s.name}: {s.model} {s.revision}" for s in opened.runtime.profile.spaces.values()]
    _write(out_folder, "Regions", "regions", models, sections)


@app.command()
def faces(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
) -> None:
    """Whether faces of known people are told apart, and named as one person in a collection: report.md and
    report.json."""
    with tempfile.TemporaryDirectory() as room, service(Path(room) / "data", faces=True) as opened:
        sections = _show_sections(known_people.measure(opened, shared))
        encoder, finder = opened.runtime.profile.face, opened.runtime.profile.finder
        models = [one.model for one in (encoder, finder) if one is not None]
    _write(out_folder, "Faces", "faces", models, sections)


@app.command()
def trust(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
) -> None:
    """How often real faces and voices pass for forged, and forgeries made here are told: report.md and report.json."""
    with service(None) as opened:
        threads = opened.runtime.settings.threads
        finder = FaceDetector(opened.runtime.catalog.resolve("yunet"), threads)
        looking = ForgeryDetector(opened.runtime.catalog.resolve("mesoinception-4"), threads)
        listening = SpoofDetector(opened.runtime.catalog.resolve("aasist-l"), threads)
    captions = flickr8k(shared / "flickr8k", "dev").captions
    photos = sorted(captions)
    texts = [" ".join(captions[photo][:2]) for photo in photos]
    sections = _show_sections(trusting.measure(shared, photos, texts, (finder, looking, listening), _tell))
    models = [finder.model, looking.model, listening.model]
    _write(out_folder, "Trust", "trust", models, sections)


@app.command()
def vocabulary(
    name: Annotated[str, typer.Argument(help="A vocabulary that comes with Crossmedia.")] = "things",
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
) -> None:
    """Which names in the captions of photos their labels give: report.md and report.json."""
    with service(None) as opened:
        profile = opened.runtime.base_profile
    captions = flickr8k(shared / "flickr8k", "dev").captions
    section, weights = own_labels.measure(profile, captions, read_bundled(name))
    for line in weights:
        _tell(str(line))
    _write(out_folder, "Vocabularies", "vocabulary", [profile.picture.model], _show_sections([section]))


@app.command()
def alike(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
) -> None:
    """Photos as examples for other photos, and copies for their originals: report.md and report.json."""
    with tempfile.TemporaryDirectory() as room, service(Path(room) / "data") as opened:
        captions = flickr8k(shared / "flickr8k", "dev").captions
        sections = _show_sections(by_example.measure(opened, captions, Path(room), _tell))
        model = opened.runtime.profile.picture.model
    _write(out_folder, "By example", "alike", [model], sections)


@app.command()
def plates(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
) -> None:
    """Car plates end to end, false plates in other photos, lines of drawn pages in order: report.md and report.json."""
    with service(None) as opened:
        detector = ObjectDetector(opened.runtime.catalog.resolve("yolox-nano"), opened.runtime.settings.threads)
        passes = read_plates.Passes(detector, opened.runtime.settings.threads)
    photos = sorted(flickr8k(shared / "flickr8k", "dev").captions)
    sections = _show_sections(read_plates.measure(passes, shared / "plates", photos, _tell))
    _write(out_folder, "Plates", "plates", passes.models, sections)


@app.command()
def where(
    out_folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("eval-report"),
    shared: Annotated[Path, typer.Option(help="The folder of the known data sets.")] = SHARED,
    count: Annotated[int, typer.Option(min=5, help="Pictures of each kind.")] = 200,
    choose: Annotated[
        bool, typer.Option("--choose", help="On training pictures by folds, and what to make of similarities.")
    ] = False,
) -> None:
    """Whether words are pointed at where they are in pictures: report.md and report.json."""
    with service(None) as opened:
        runtime = opened.runtime
        detector = ObjectDetector(runtime.catalog.resolve("yolox-nano"), runtime.settings.threads)
        pointer = runtime.pointer
        if choose:
            seen = pointing.observe(
                pointer, runtime.base_profile.text, pointing.training_cases(shared, detector, count), _tell
            )
            figures_by_folds, meaning = pointing.choose(seen)
            _print(figures.Section(pointer.model, "", tuple(figures_by_folds)))
            out.print(escape(str(meaning)))
            return
        sections = _show_sections(pointing.measure(pointer, runtime.base_profile.text, detector, shared, count, _tell))
    _write(out_folder, "Where words are", "where", [pointer.model], sections)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A report's folder.")],
    after: Annotated[Path, typer.Argument(help="Another's.")],
    measure: Annotated[list[str] | None, typer.Option(help="Which figures.")] = None,
) -> None:
    """The difference of each figure with its 95 % interval; a star where it is not chance.

    Reports of single figures, such as those of `eval ask`, hold no queries to pair: there a star says that the later
    figure lies outside the earlier one's interval.
    """
    if figures.is_sectioned(before):
        _compare_figures(figures.read_sections(before), figures.read_sections(after))
        return
    differences, left_out = comparing.compare(
        report.read_report(before)[1], report.read_report(after)[1], measure or ["R@1", "R@10", "mAP"]
    )
    table = _table("task", "measure", "before", "after", "difference", "95 %", "")
    for d in differences:
        interval = f"[{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
        numbers = (f"{100 * d.before:.1f}", f"{100 * d.after:.1f}", f"{100 * (d.after - d.before):+.1f}", interval)
        table.add_row(*map(escape, (d.task, d.measure, *numbers)), "*" if d.certain else "")
    out.print(table)
    for line in left_out:
        err.print(f"[yellow]note[/] {escape(line)}")


def _compare_figures(before: list[figures.Section], after: list[figures.Section]) -> None:
    later = {(section.title, figure.what): figure for section in after for figure in section.figures}
    table = _table("section", "figure", "before", "after", "")
    for section in before:
        for figure in section.figures:
            new = later.get((section.title, figure.what))
            shown = (figure.shown, new.shown if new else "–", "*" if new and figure.excludes(new.value) else "")
            table.add_row(*map(escape, (section.title, figure.what, *shown)))
    out.print(table)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _write(folder: Path, title: str, name: str, models: list[str], sections: list[figures.Section]) -> None:
    context = report.Context.of(shlex.join(["crossmedia", *sys.argv[1:]]), name, models)
    figures.write(folder, title, context, sections)
    out.print(f"[dim]{escape(str(folder / 'report.md'))}[/]")


def _tell(line: str) -> None:
    err.print(escape(line))


def _show_sections(sections: Iterable[figures.Section]) -> list[figures.Section]:
    """The sections, each printed as soon as it is there."""
    shown = []
    for section in sections:
        _print(section)
        shown.append(section)
    return shown


def _print(section: figures.Section) -> None:
    table = Table(title=section.title, box=None, pad_edge=False, header_style="dim", title_justify="left")
    for heading in ("what", "measured", "of", "target"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for f in section.figures:
        table.add_row(escape(f.what), escape(f.shown), "" if f.of is None else str(f.of), f.target)
    out.print(table)


def _show(results: list[TaskResult], measured: dict[str, Any] | None) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("task", "queries", *report.SHOWN_MEASURES, "medR"):
        table.add_column(heading, justify="left" if heading == "task" else "right")
    for r in results:
        table.add_row(
            escape(r.task),
            str(len(r.ranks)),
            *(f"{100 * mean(r.measures[m]):.1f}" for m in report.SHOWN_MEASURES),
            report.median_rank(r.ranks),
        )
    out.print(table)
    for row in (measured or {"shares": []})["shares"]:
        out.print(f"{row['what']}: {100 * row['share']:.1f} % of {row['of']}")
