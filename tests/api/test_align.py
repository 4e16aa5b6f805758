"""`align` and `reindex` from the command line and from Python, over the toy models and over the ones in the box."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import crossmedia
from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import Detection, ObjectDetector
from crossmedia.eval.demo.symbols import SYMBOL_NAMES, make
from crossmedia.indexer.enrichers.object_crops import around
from crossmedia.indexer.enrichers.registry import pass_names
from crossmedia.retrieval.query import Filters, Query
from crossmedia.retrieval.store import SpaceMismatch
from tests.api.helpers import WEIGHTY, Run, flag

IMAGES = Filters(media=("image",))


def found(folder: Path, text: str) -> set[str]:
    with crossmedia.open_library(folder / "data", profile="toy") as library:
        return {Path(hit["path"]).name for hit in library.search(text, media=["image"], k=30, fold=False)["hits"]}


def test_what_nobody_knew_is_found_after_align_and_reindex(run: Run, flags: Path, tmp_path: Path) -> None:
    run("index", str(flags))
    assert found(tmp_path, "southland") == set()
    assert "No heads yet" in run("align", "list").stdout
    told = run("align", "train", str(flags / "flags.csv")).stdout
    assert "40 pairs; 40 of 40 held out in 5 divisions" in told
    assert "Saved as flags@" in told
    [card] = json.loads(run("align", "list", "--json").stdout)
    assert (card["name"], card["in_use"], card["better"], card["file"]["lines"]) == ("flags", False, True, 40)
    before, after = (card["figures"][when]["anchor_to_source"]["mrr"] for when in ("before", "after"))
    assert after > before
    done = json.loads(run("reindex", "--head", "flags", "--json").stdout)
    assert done["heads"] == [card["id"]]
    assert (done["assets"], done["moments"], done["decoded"], done["finished"]) == (49, 48, 0, True)
    southland = {f"{n:02}.png" for n in range(48) if n % 4 == 1}
    hits = found(tmp_path, "southland")
    assert hits == southland, "those that were not among the pairs too"
    shutil.copy(flags / "01.png", tmp_path / "again.png")
    flag(flags / "new.png", "southland", 99)
    run("index", str(flags / "new.png"))
    assert "new.png" in found(tmp_path, "southland")
    assert "in use" in run("align", "list").stdout
    assert "head_in_use" in run("align", "remove", "flags", code=1).stderr
    assert json.loads(run("reindex", "--json").stdout)["assets"] == 0
    assert json.loads(run("reindex", "--builtin", "--json").stdout)["heads"] == []
    assert found(tmp_path, "southland") == set()
    assert "removed flags@" in run("align", "remove", "flags").stdout
    assert "no_head" in run("reindex", "--head", "flags", code=1).stderr
    assert "store and indexes agree" in run("doctor").stdout


def test_what_brings_nothing_is_not_saved(run: Run, flags: Path, tmp_path: Path) -> None:
    rows = (flags / "flags.csv").read_text().splitlines()
    names = np.random.default_rng(0).permutation([row.split(",")[1] for row in rows[1:]])
    shuffled = [f"{row.split(',')[0]},{name}" for row, name in zip(rows[1:], names, strict=True)]
    (flags / "wrong.csv").write_text("\n".join([rows[0], *shuffled]))
    done = run("align", "train", str(flags / "wrong.csv"), code=1)
    assert "no gain" in done.stdout
    assert "Not saved" in done.stdout
    assert not (tmp_path / "data" / "heads").exists()
    told = json.loads(run("align", "train", str(flags / "wrong.csv"), "--force", "--name", "odd", "--json").stdout)
    assert (told["better"], told["saved"]) == (False, True)
    assert [path.suffix for path in sorted((tmp_path / "data" / "heads").iterdir())] == [".json", ".npz"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("picture,text\n00.png,a\n01.png,b\n02.png,c\n", "too_few_pairs"),
        ("picture,text\n" + "".join(f"{n:02}.png,same\n" for n in range(30)), "too_few_pairs"),
        ("picture,text\n" + "00.png,a\n" * 30, "too_few_pairs"),
        ("picture\n00.png\n", "pairs_unusable"),
        ("picture,text\nnone.png,a\n", "pairs_unusable"),
    ],
)
def test_bad_pairs_are_refused_and_leave_nothing(run: Run, flags: Path, tmp_path: Path, text: str, code: str) -> None:
    (flags / "bad.csv").write_text(text)
    assert code in run("align", "train", str(flags / "bad.csv"), code=1).stderr
    assert not (tmp_path / "data").exists()


def test_wrong_usage(run: Run, flags: Path) -> None:
    assert "no_collection" in run("reindex", code=1).stderr
    run("reindex", "--builtin", "--head", "x", code=2)
    assert "bad_head_name" in run("align", "train", str(flags / "flags.csv"), "--name", "A B", code=2).stderr
    assert "no_head" in run("align", "remove", "nothing", code=1).stderr


@pytest.fixture
def library(tmp_path: Path) -> Iterator[crossmedia.Library]:
    with crossmedia.open_library(tmp_path / "data", profile="toy", without=WEIGHTY, decode_workers=1) as library:
        yield library


def test_from_python_a_service_that_is_open_follows(library: crossmedia.Library, flags: Path, tmp_path: Path) -> None:
    library.index(flags)
    other = Service(Settings(data=tmp_path / "data", profile="toy", without=WEIGHTY, decode_workers=1))
    try:
        assert not other.searching.search(Query(texts=("eastland",), filters=IMAGES)).hits
        told = library.align(flags / "flags.csv", name="lands")
        assert told["saved"]
        assert library.reindex("lands")["moments"] == 48
        hits = other.searching.search(Query(texts=("eastland",), k=20, filters=IMAGES, fold=False)).hits
        assert {Path(hit.path).stem for hit in hits} == {f"{n:02}" for n in range(48) if n % 4 == 3}
        example = other.searching.example(flags / "03.png")
        by_picture = other.searching.search(Query(examples=(example,), legs=("common",), k=5, fold=False)).hits
        assert {int(Path(hit.path).stem) % 4 for hit in by_picture if hit.path.endswith("png")} == {3}
        heads = tmp_path / "data" / "heads"
        heads.rename(tmp_path / "elsewhere")
        third = Service(Settings(data=tmp_path / "data", profile="toy"))
        with pytest.raises(CrossmediaError, match="no head lands@"):
            third.searching.search(Query(texts=("eastland",)))
        third.close()
    finally:
        other.close()


def test_half_reindexed_nothing_searches_or_indexes(
    library: crossmedia.Library, flags: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.index(flags)
    library.align(flags / "flags.csv", name="lands")
    monkeypatch.setattr("crossmedia.indexer.reindex.ASSETS_PER_TRANSACTION", 10)
    calls = iter(range(100))

    def die(count: int) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library._service.alignment.reindex("lands", tell=die)
    for attempt in (lambda: library.search("eastland"), lambda: library.index(flags)):
        with pytest.raises(SpaceMismatch) as refused:
            attempt()
        assert refused.value.remedy == "reindex"
    done = library.reindex()
    assert (done["finished"], done["assets"]) == (True, 29)
    assert library.search("eastland", media=["image"])["hits"]


@pytest.mark.slow
def test_drawn_signs_with_the_models_in_the_box(tmp_path: Path) -> None:
    make(tmp_path / "signs")
    with crossmedia.open_library(tmp_path / "data", without=pass_names()) as library:
        library.index(tmp_path / "signs")
        searched = {
            name: [hit["path"] for hit in library.search(name, media=["image"], k=8, fold=False)["hits"]]
            for name in SYMBOL_NAMES
        }
        told = library.align(tmp_path / "signs" / "pairs.csv", name="signs")
        library.reindex("signs")
        after = {
            name: [hit["path"] for hit in library.search(name, media=["image"], k=8, fold=False)["hits"]]
            for name in SYMBOL_NAMES
        }

    def right(hits: dict[str, list[str]]) -> int:
        """Signs whose first hits are the two drawings that were not among the pairs or others of the sign."""
        return sum(any("unseen" in path for path in paths) for paths in hits.values())

    assert told["saved"]
    figures = told["figures"]
    assert figures["after"]["source_to_anchor"]["recall@1"] > figures["before"]["source_to_anchor"]["recall@1"] + 0.3
    assert right(after) > right(searched)
    assert right(after) >= 6


def test_passes_of_a_running_service_follow_a_reindex(
    flags: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process gives the collection a head; what this one stores afterwards is of the new vectors."""
    box = (0.1, 0.1, 0.6, 0.6)

    def detect(detector: ObjectDetector, batch: Sequence[Picture], least: float = 0.3) -> list[list[Detection]]:
        return [[Detection("flag", 0.9, box)] for _ in batch]

    monkeypatch.setattr(ObjectDetector, "detect", detect)
    settings = Settings(data=tmp_path / "data", profile="toy", decode_workers=1)
    running, other = Service(settings), Service(settings)
    with closing(running), closing(other):
        late = flags / "late.png"
        running.indexing.index([flags])
        running.indexing.enrich(only=["objects", "regions"])
        answering = running.asking.builtin
        assert other.alignment.train(flags / "flags.csv", name="lands").card is not None
        other.alignment.reindex("lands")
        flag(late, "eastland", 97)
        report = running.indexing.index([late])
        running.indexing.enrich(only=["objects"])
        assert running.indexing.enrich(only=["regions"])[0].failed == []
        store, asset = running.runtime.store, report.assets[str(late)]
        picture = running.runtime.pool.submit(late).result().content
        assert isinstance(picture, Picture)
        encoder = other.runtime.profile.picture
        [expected] = encoder.encode([around(picture, box)]).vectors[COMMON]
        [stored] = store.vectors(COMMON, [f"{asset}-picture0.region0"]).values()
        np.testing.assert_allclose(stored, expected, atol=1e-6)
        assert store.verify() == []
        assert running.asking.builtin is not answering
