"""Data sets in other languages: what is asked of which photo, and that nothing reported on was learned from."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossmedia.embeddings.train import translations
from crossmedia.embeddings.train.translations import Translation
from crossmedia.eval.languages import TRANSLATED, WRITTEN, photo_tasks
from crossmedia.eval.tasks import known_datasets


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two photos of each split, one of which Multi30K knows."""
    for folder in ("flickr8k", "zh-captions", "multilingual-captions"):
        (tmp_path / folder).mkdir()
    splits = {"1_a.jpg": "train", "2_b.jpg": "train", "3_c.jpg": "dev", "4_d.jpg": "dev"}
    lines = [f"{name},{split},a photo of {name}" for name, split in splits.items()]
    (tmp_path / "flickr8k/captions.csv").write_text("\n".join(["image,split,caption", *lines]), "utf-8")
    for path, word in (("zh-captions/captions.tsv", "照片"), ("multilingual-captions/arabic.tsv", "صورة")):
        rows = [f'{name}\t{split}\t0\t"{word} {name}' for name, split in splits.items()]
        (tmp_path / path).write_text("\n".join(["image\tsplit\tn\tcaption", *rows]), "utf-8")
    parallel = ["line\timage\talso_in\ten\tde\tfr\tcs"]
    for number in (1, 3, 9):
        parallel.append(f"{number}\t{number}.jpg\t-\tdog {number}\tHund {number}\tchien {number}\tpes {number}")
    (tmp_path / "multilingual-captions/parallel.tsv").write_text("\n".join(parallel), "utf-8")
    return tmp_path


def test_captions_are_those_of_the_split_with_their_quotes(root: Path) -> None:
    written = translations.captions(root, "dev")
    assert {language: list(of_photo) for language, of_photo in written.items()} == {
        language: ["3_c.jpg", "4_d.jpg"] for language in ("en", "zh", "ar")
    }
    assert written["zh"]["4_d.jpg"] == ['"照片 4_d.jpg']


def test_a_translation_of_a_photo_that_is_reported_on_is_not_trained_on(root: Path) -> None:
    known, kept = (translations.translated_captions(root, split)["de"] for split in ("train", "dev"))
    assert known == [("1_a.jpg", Translation("Hund 1", "dog 1")), ("", Translation("Hund 9", "dog 9"))]
    assert kept == [("3_c.jpg", Translation("Hund 3", "dog 3"))]


@pytest.mark.parametrize("language", [*WRITTEN, *TRANSLATED])
def test_each_sentence_asks_for_its_photo(root: Path, language: str) -> None:
    [task] = photo_tasks(root, language)
    names = {target.key: target.path.name for target in task.gallery if target.path}
    assert sorted(names.values()) == ["3_c.jpg", "4_d.jpg"]
    asked = {query.text: {names[key] for key in query.relevant} for query in task.queries}
    expected = {
        "zh": {'"照片 3_c.jpg': {"3_c.jpg"}, '"照片 4_d.jpg': {"4_d.jpg"}},
        "ar": {'"صورة 3_c.jpg': {"3_c.jpg"}, '"صورة 4_d.jpg': {"4_d.jpg"}},
        "de": {"Hund 3": {"3_c.jpg"}},
        "fr": {"chien 3": {"3_c.jpg"}},
    }
    assert asked == expected[language]


def test_they_are_known_by_name(root: Path, tmp_path: Path) -> None:
    assert {"flickr8k-zh", "flickr8k-ar", "flickr8k-de", "flickr8k-fr", "emoji"} <= set(known_datasets(root, tmp_path))
