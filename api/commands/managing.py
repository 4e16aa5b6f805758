"""`show`, `rm`, `status`, `doctor`: what is there, and is it well."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from crossmedia.api.commands.context import Data, Json, hash_or_prefix, out, print_json, resolve_asset, service
from crossmedia.api.commands.terminal import visible
from crossmedia.api.commands.trust import print_trust
from crossmedia.api.databases import DATABASES
from crossmedia.api.queues import describe_queue
from crossmedia.api.remains import STORE
from crossmedia.api.remedies import command_hint
from crossmedia.api.runtime import SIGHT
from crossmedia.api.service import Service
from crossmedia.embeddings.cards import CLIP_B16, LITE2
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.captions import TranscriptFormat
from crossmedia.retrieval.clock import clock, clock_span
from crossmedia.retrieval.health import Statistics
from crossmedia.retrieval.local.verify import is_damaged

DRAWN: Final = (".png", ".jpg", ".jpeg", ".webp")
SHOWN_UPLOADS: Final = 20


def show(
    asset: Annotated[
        str, typer.Argument(metavar="ID|FILE", help="An asset's id, the beginning of one, or the file itself.")
    ],
    draw: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            show_default=False,
            help="Draw the picture, or a sheet of key frames, with the boxes of its labels.",
        ),
    ] = None,
    mask: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            metavar="AREA FILE.png",
            show_default=False,
            help="Write a mask of sky, grass, water, …: white there, black elsewhere.",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            show_default=False,
            help='Say where in the picture something is, as in --where "a red bike"; --draw draws it.',
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one file: where it lies, its moments, words and labels."""
    if draw is not None and draw.suffix.lower() not in DRAWN:
        raise typer.BadParameter(f"a drawing must end with one of {', '.join(DRAWN)}", param_hint="--draw")
    # JPEG would blur it.
    if mask is not None and mask[1].suffix.lower() != ".png":
        raise typer.BadParameter("a mask must be a .png file", param_hint="--mask")
    with service(data, made=True) as opened:
        resolved = resolve_asset(opened, asset)
        if where is not None:
            if mask is not None:
                raise typer.BadParameter("cannot be combined with --mask", param_hint="--where")
            _show_where(opened, resolved, where, draw, as_json)
            return
        described = opened.assets.get(resolved)
        if draw is not None:
            opened.assets.drawing(resolved).save(draw)
        if mask is not None:
            opened.assets.mask(resolved, mask[0]).save(mask[1])
        if as_json:
            print_json(described)
            return
        moments = opened.runtime.store.moments(resolved)
        out.print(f"[bold]{escape(described.title)}[/]  {described.media}, {described.mime}, {described.size:,} bytes")
        out.print(f"[dim]{described.asset}[/]")
        for source in described.sources:
            out.print(f"  {escape(source.path)}  [dim]{escape(source.collection)}[/]", soft_wrap=True)
        for key, value in {"captured": described.captured, **described.metadata}.items():
            out.print(f"  [dim]{escape(key)}[/] {escape(str(value))}", soft_wrap=True)
        for moment in moments:
            place = f"p. {moment.page}" if moment.page is not None else clock_span(moment.start, moment.end)
            said = " ".join(moment.fields.get(field, "") for field in ("transcript", "text", "ocr")).strip()
            out.print(f"[cyan]{moment.kind}[/] {place} {escape(said)}", soft_wrap=True)
            for label in moment.labels:
                value = label.value if len(label.value) <= 80 else f"{label.value[:79]}…"
                out.print(f"    {escape(label.kind)}: {escape(value)} [dim]{label.score:.2f}[/]")
        from crossmedia.api.use_cases.trust import describe_trust

        print_trust(describe_trust(moments))
        for path in (draw, mask[1] if mask else None):
            if path is not None:
                out.print(f"[dim]{escape(str(path))}[/]", soft_wrap=True)


def _show_where(opened: Service, asset: str, words: str, draw: Path | None, as_json: bool) -> None:
    pointed = opened.pointing.look(asset, words)
    if draw is not None:
        pointed.drawing().save(draw)
    answer = pointed.out()
    if as_json:
        print_json(answer)
        return
    if answer.box is None:
        out.print(f"not seen: {escape(answer.words)} [dim](chance {answer.chance:.2f})[/]", soft_wrap=True)
    else:
        left, top, right, bottom = answer.box
        out.print(
            f"{answer.place}; box {left:.2f},{top:.2f} to {right:.2f},{bottom:.2f}; chance {answer.chance:.2f}",
            soft_wrap=True,
        )
    if answer.moment.partition("-")[2].startswith(("frame", "shot")):
        second = next((one.start for one in opened.runtime.store.moments(asset) if one.id == answer.moment), None)
        out.print(f"[dim]in the key frame at {clock(second or 0.0)}[/]")
    if answer.model.startswith(LITE2.id):
        out.print(f"[dim]seen coarsely; {CLIP_B16.install} brings a tower that sees better[/]", soft_wrap=True)
    if draw is not None:
        out.print(f"[dim]{escape(str(draw))}[/]", soft_wrap=True)


def rm(
    assets: Annotated[list[str], typer.Argument(metavar="ID…", help="Asset ids, or their beginnings.")],
    data: Data = None,
) -> None:
    """Remove files from the index; the files themselves stay.

    Copies that the service made of uploads are deleted with them.
    """
    with service(data, made=True) as opened:
        found = [opened.assets.resolve_for_deletion(hash_or_prefix(asset)) for asset in assets]
        for asset in opened.assets.delete(found):
            out.print(f"removed {asset}")


def status(data: Data = None, as_json: Json = False) -> None:
    """Show what is indexed and what is still to be done."""
    with service(data, made=True) as opened:
        counts = opened.runtime.store.statistics()
        built, absent = opened.runtime.enrichers()
        pending = {e.name: len(opened.runtime.store.pending(e.name, e.model, e.accepts)) for e in built}
        queue = describe_queue(opened.runtime.jobs)
        sight = _count_seen(counts) if SIGHT in pending or SIGHT in counts.enrichments else None
        if as_json:
            print_json(
                {
                    "data": str(opened.runtime.settings.data),
                    "assets": dict(counts.assets),
                    "moments": dict(counts.moments),
                    "vectors": dict(counts.vectors),
                    "sources": counts.sources,
                    "bytes": counts.bytes,
                    "pending": pending,
                    "sight": sight,
                    "absent": absent,
                    "jobs": queue.get("jobs", {}),
                    "queue": queue,
                }
            )
            return
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, found in (("assets", counts.assets), ("moments", counts.moments), ("vectors", counts.vectors)):
            table.add_row(
                name, str(sum(found.values())), "[dim]" + ", ".join(f"{v} {k}" for k, v in found.items()) + "[/]"
            )
        table.add_row("paths", str(counts.sources), f"[dim]{counts.bytes / 1e6:,.1f} MB of media[/]")
        for name, count in pending.items():
            done = counts.enrichments.get(name, {})
            table.add_row(name, f"{count} to do", f"[dim]{done.get('done', 0)} done, {done.get('failed', 0)} failed[/]")
        jobs = ", ".join(f"{count} {state}" for state, count in queue.get("jobs", {}).items()) or "no jobs"
        who = "processed by crossmedia serve" if queue.get("workers") is None else f"workers: {queue['workers']}"
        table.add_row("queue", queue["queue"], f"[dim]{jobs}; {who}[/]")
        if "problem" in queue:
            absent = [*absent, f"{queue['problem']['message']}; {queue['problem']['hint']}"]
        out.print(f"[bold]{escape(str(opened.runtime.settings.data))}[/]")
        out.print(table)
        if sight is not None:
            out.print(f"Sight: {sight['seen']:,} of {sight['of']:,} pictures and videos seen by the teacher")
        for line in absent:
            out.print(f"[yellow]note[/] {escape(line)}", soft_wrap=True)


def _count_seen(counts: Statistics) -> dict[str, int]:
    """Of how many pictures and videos the teacher has made the vectors."""
    return {
        "seen": counts.enrichments.get(SIGHT, {}).get("done", 0),
        "of": counts.assets.get("image", 0) + counts.assets.get("video", 0),
    }


def transcript(
    asset: Annotated[
        str, typer.Argument(metavar="ID|FILE", help="An asset's id, the beginning of one, or the file itself.")
    ],
    form: Annotated[
        TranscriptFormat, typer.Option("--format", help="srt, vtt (subtitles), json (words and speakers) or text.")
    ] = "text",
    data: Data = None,
) -> None:
    """Print what is said in a recording or video."""
    with service(data, made=True) as opened:
        transcript = opened.assets.transcript(resolve_asset(opened, asset), form)
    if isinstance(transcript, dict):
        print_json(transcript)
    else:
        sys.stdout.write(visible(transcript))


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Compare every vector of the indexes, not a sample.")] = False,
    data: Data = None,
) -> None:
    """Check models, packages, disk and store; say what to fix."""
    wrong = 0

    def line(good: bool, what: str, hint: str = "") -> None:
        nonlocal wrong
        wrong += not good
        out.print(("[green]ok[/]   " if good else "[red]bad[/]  ") + escape(what), soft_wrap=True)
        if hint and not good:
            out.print(f"     {escape(hint)}", soft_wrap=True)

    from crossmedia.embeddings.specification import foreign_encoders
    from crossmedia.indexer.decode.decoders import foreign_decoders
    from crossmedia.retrieval.answering.foreign import foreign_answerers

    with service(data) as opened:
        for card in opened.runtime.catalog.cards():
            try:
                line(True, f"model {card.id}: {opened.runtime.catalog.resolve(card.id)}")
            except CrossmediaError as error:
                if card.optional:
                    out.print(f"[dim]–    {card.title}: {escape(command_hint(error))}[/]", soft_wrap=True)
                else:
                    line(False, f"model {card.id}: {error.message}", command_hint(error))
        for optional, why in (("pillow-heif", "HEIC pictures"),):
            try:
                line(True, f"{optional} {importlib.metadata.version(optional)}")
            except importlib.metadata.PackageNotFoundError:
                out.print(f"[dim]–    {why} are not read: pip install {optional}[/]")
        for kind, missing in opened.runtime.hashers.missing.items():
            out.print(f"[dim]–    no {kind} of copies, {missing.message}: {escape(missing.hint)}[/]", soft_wrap=True)
        folder = opened.runtime.settings.data
        folder.mkdir(parents=True, exist_ok=True)
        line(
            os.access(folder, os.W_OK),
            f"data directory {folder.resolve()} can be written",
            "choose another with --data",
        )
        free = shutil.disk_usage(folder).free
        line(free > 1 << 30, f"{free / 1e9:.1f} GB free", "free some space: below 1 GB an ingest may stop")
        for name in DATABASES:
            # The store's own look through is part of `verify`.
            if name != STORE and is_damaged(folder / name):
                line(False, f"{folder / name} is damaged", "crossmedia repair, or crossmedia restore FOLDER")
        try:
            health = opened.runtime.store.health()
            if health.state == "yellow":
                out.print(f"[yellow]note[/] store: {escape(health.told)}; {escape(health.hint)}", soft_wrap=True)
            else:
                line(health.state == "green", f"store: {health.told}", health.hint)
            problems = opened.runtime.store.verify(deep) if health.state != "red" else []
            agreed = "store and indexes agree" if not problems else "; ".join(problems)
            line(not problems, agreed, "crossmedia repair")
        except CrossmediaError as error:
            line(False, f"store: {error.message}", command_hint(error))
        _tell_unindexed(opened)
        queue = describe_queue(opened.runtime.jobs)
        if "problem" in queue:
            line(False, queue["problem"]["message"], queue["problem"]["hint"])
        elif queue["workers"] is not None:
            count = queue["workers"]
            line(count > 0, f"queue {queue['queue']}, workers: {count}", "crossmedia worker starts one")
        try:
            opened.runtime.engine  # noqa: B018
            line(True, f"profile {opened.runtime.profile.name}: spaces {', '.join(opened.runtime.profile.spaces)}")
        except CrossmediaError as error:
            line(False, error.message, command_hint(error))
        foreign = (foreign_encoders(), foreign_decoders(), foreign_answerers())
        for note in (*opened.runtime.enrichers()[1], *(note for each in foreign for note in each.notes)):
            out.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


def _tell_unindexed(opened: Service) -> None:
    """Uploads that no index names: refused once, or lost from the index."""
    try:
        lost = opened.keeping.unindexed()
    except CrossmediaError as error:
        out.print(f"[yellow]note[/] uploads were not compared with the index: {escape(error.message)}", soft_wrap=True)
        return
    if not lost:
        return
    folder = opened.runtime.uploads.folder
    out.print(
        f"[yellow]note[/] {len(lost)} uploads are in no index; crossmedia index {escape(str(folder))} reads them again",
        soft_wrap=True,
    )
    for path in lost[:SHOWN_UPLOADS]:
        out.print(f"     {escape(str(path.relative_to(folder)))}", soft_wrap=True)
