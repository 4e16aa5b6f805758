"""How well the built-in search finds, on real sets and through the live engine.

    python -m eval.foundation ../shared/data [--data DIR] [--json]

Indexes the Flickr8k dev photos, the photos that the spoken captions describe, the recordings, ESC-10 and the text documents of this
project with one pipeline, then asks: text → image, image → text by caption, speech → image, text → speech, image → image,
image + text, and nonsense. The cut-off is off except where it is what is measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.service import Service
from api.settings import Settings
from embeddings.media import Waveform
from eval.datasets import classes, flickr8k, spoken_captions
from eval.metrics import average_precision, mean, ndcg_at, reciprocal_rank, success_at
from indexer.decode.reader import decode
from retrieval.query import Example, Filters, Query

DEPTH = 100
GIBBERISH = (
    "asdf qwer zxcv", "blorptang fizzlewump", "xkcd jjjj wwww", "lorem ipsum dolor", "qzx vbn plm", "snarfblat gribbleton",
    "ooga zubba wexle", "trlmp krvsk dnggh", "fnord glarb mixtlp", "hhhhhh kkkkk",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--data", type=Path, help="keep the index here, and use it again")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.data is not None:
        found = measure(options.shared, options.data)
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(options.shared, Path(folder))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    columns = list(dict.fromkeys(name for row in found.values() for name in row))
    for heading in ("", *columns):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, row in found.items():
        table.add_row(name, *(_shown(row.get(column)) for column in columns))
    Console(width=150).print(table)


def measure(shared: Path, data: Path) -> dict[str, dict[str, float]]:
    """Every direction's figures, by name."""
    dev = flickr8k(shared / "flickr8k", "dev").captions
    spoken = spoken_captions(shared / "spoken_captions")
    told = {shared / "flickr8k" / "images" / f"{path.stem}.jpg" for path in spoken}
    service = Service(Settings(data=data, profile="builtin"))
    try:
        service.index(sorted(dev), "dev")
        service.index(sorted(told | set(dev)), "told")
        service.index(
            [shared / "spoken_captions", shared / "esc10", Path(__file__).resolve().parents[1] / "README.md"], "sounds"
        )
        service.enrich(without=["ocr"])
        return _figures(service, dev, spoken, classes(shared / "esc10"))
    finally:
        service.close()


def _figures(
    service: Service, dev: dict[Path, tuple[str, ...]], spoken: dict[Path, str], sounds: dict[Path, str]
) -> dict[str, dict[str, float]]:
    def ask(query: Query) -> list[str]:
        return [Path(hit.path).stem for hit in service.search(query).hits]

    def photos(collection: str) -> Filters:
        return Filters(media=("image",), collection=collection)

    def text(words: str, filters: Filters) -> list[str]:
        return ask(Query(texts=(words,), filters=filters, k=DEPTH, min_relevance=0, fold=False))

    found: dict[str, dict[str, float]] = {}
    found["text → image, 500 dev photos"] = _ranked(
        [(text(caption, photos("dev")), {path.stem}) for path, captions in dev.items() for caption in captions]
    )
    listened = {path: _heard(path) for path in spoken}
    for name, collection, some in (
        ("14 captions of dev photos", "dev", [p for p in spoken if any(p.stem == d.stem for d in dev)]),
        ("200 captions, 686 photos", "told", list(spoken)),
    ):
        by_text = [(text(spoken[path], photos(collection)), {path.stem}) for path in some]
        by_speech = [
            (
                ask(
                    Query(
                        examples=(Example(listened[path], name=path.name),),
                        filters=photos(collection),
                        k=DEPTH,
                        min_relevance=0,
                        fold=False,
                    )
                ),
                {path.stem},
            )
            for path in some
        ]
        found[f"speech → image, {name}"] = _ranked(by_speech)
        found[f"  its own text → image, {name}"] = _ranked(by_text)
    said = Filters(media=("audio",), collection="sounds")
    found["text → speech, the spoken caption"] = _ranked(
        [(text(words, said), {path.stem}) for path, words in spoken.items()]
    )
    others = [(path, caption) for path in spoken for caption in _other_captions(path, dev)]
    if others:
        found["text → speech by meaning, another caption"] = _ranked(
            [(text(caption, said), {path.stem}) for path, caption in others]
        )
    kinds = {path.stem: kind for path, kind in sounds.items()}
    by_sound = []
    for path in sounds:
        example = Example(_heard(path), name=path.name)
        near = ask(Query(examples=(example,), filters=said, legs=("sound",), k=DEPTH + 1, min_relevance=0, fold=False))
        by_sound.append(
            (
                [n for n in near if n != path.stem],
                {n for n, kind in kinds.items() if kind == kinds[path.stem] and n != path.stem},
            )
        )
    found["sound → sound, ESC-10 by class (partly trained on)"] = {
        "P@5": mean([sum(n in same for n in near[:5]) / 5 for near, same in by_sound]),
        "mAP@100": mean([average_precision(near, same) * len(same) / min(len(same), DEPTH) for near, same in by_sound]),
    }
    found["gibberish returns nothing"] = {
        "share": mean(
            [float(not service.search(Query(texts=(words,), filters=photos("told"))).hits) for words in GIBBERISH]
        )
    }
    kept = [
        (ask(Query(texts=(captions[0],), filters=photos("dev"))), path.stem, text(captions[0], photos("dev"))[:10])
        for path, captions in dev.items()
    ]
    right = [name in hits for hits, name, uncut in kept if name in uncut]
    found["right hits kept at the cut-off"] = {"share": mean([float(r) for r in right])}
    return found


def _ranked(results: Sequence[tuple[list[str], set[str]]]) -> dict[str, float]:
    return {
        "queries": len(results),
        "R@1": mean([success_at(ranking, right, 1) for ranking, right in results]),
        "R@5": mean([success_at(ranking, right, 5) for ranking, right in results]),
        "R@10": mean([success_at(ranking, right, 10) for ranking, right in results]),
        "MRR": mean([reciprocal_rank(ranking, right) for ranking, right in results]),
        "mAP": mean([average_precision(ranking, right) for ranking, right in results]),
        "nDCG@10": mean([ndcg_at(ranking, dict.fromkeys(right, 1.0), 10) for ranking, right in results]),
    }


def _heard(path: Path) -> Waveform:
    content = decode(path).content
    assert isinstance(content, Waveform)
    return content


def _other_captions(path: Path, dev: dict[Path, tuple[str, ...]]) -> list[str]:
    """What other people wrote of the photo a recording describes: the same meaning in other words."""
    own = path.with_suffix(".txt").read_text(encoding="utf-8").strip().rstrip(" .").lower()
    return [
        c
        for photo, captions in dev.items()
        if photo.stem == path.stem
        for c in captions
        if c.strip().rstrip(" .").lower() != own
    ]


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value > 1 else f"{100 * value:.1f}"


if __name__ == "__main__":
    main()
