"""Known content known again: recall of changed copies, and false matches among strangers.

    python -m crossmedia.eval.known [--out FOLDER] [--photos N] [--shared FOLDER]

Of photographs, films, recordings and texts. A copy is found if a hash of it is near one of its original as the banks
compare them (`retrieval.banks.hashes.NEAR`). False matches are counted over all pairs of originals; photographs with
the same PDQ are listed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from PIL import Image

from crossmedia.embeddings.media import SAMPLE_RATE, Picture, Waveform
from crossmedia.eval import reel
from crossmedia.eval.copies import COPIES
from crossmedia.eval.datasets import flickr8k
from crossmedia.eval.figures import Figure, Section, markdown, share, write
from crossmedia.eval.report import Context
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.types import Limits
from crossmedia.indexer.hashes.chromaprint import ChromaprintHasher
from crossmedia.indexer.hashes.frames import read_frames
from crossmedia.indexer.hashes.pdq import PdqHasher
from crossmedia.indexer.hashes.tlsh import TlshHasher
from crossmedia.indexer.hashes.views import crop_sides, without_bars
from crossmedia.retrieval.banks.hashes import NEAR, QUALITY, Hash
from crossmedia.retrieval.banks.indexed import near_pairs
from crossmedia.retrieval.banks.matching import index_of

SHARED: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
TAKES: Final = 10
"""Photographs in a film, none of them in another."""
_JOINED: Final = 8
"""Short recordings that are joined to one of half a minute and more."""


def photographs(everything: Sequence[Path], dev: Sequence[Path]) -> Section:
    """Copies of the dev photos; false matches among all."""
    started = time.monotonic()
    hasher = PdqHasher()
    hashes = {path: _pdq(hasher, Image.open(path)) for path in everything}
    figures = []
    for name, change in COPIES.items():
        plain, seen = [], []
        for path in dev:
            copy = Picture(np.asarray(change(Image.open(path).convert("RGB")), dtype=np.uint8))
            asked = [hasher(view) for view in (copy, without_bars(copy)) if view]
            original = Picture(np.asarray(Image.open(path).convert("RGB"), dtype=np.uint8))
            banked = [hashes[path], *map(hasher, crop_sides(original))]
            plain.append(_apart(hashes[path], asked[0]))
            seen.append(min(_apart(one, other) for one in banked for other in asked))
        figures.append(share(f"found: {name}", [distance <= NEAR["pdq"] for distance in plain]))
        figures.append(Figure("  bits it is away, median", float(np.median(plain)), "", len(plain)))
        figures.append(
            share("  found: bars taken off, banked with --crops", [distance <= NEAR["pdq"] for distance in seen])
        )
    compared = [path for path in everything if hashes[path].comparable]
    pairs = len(compared) * (len(compared) - 1) // 2
    apart = [(compared[one], compared[other], d) for one, other, d in _strangers([hashes[path] for path in compared])]
    false = [pair for pair in apart if pair[2] > 0]
    figures += [
        Figure(
            f"photographs with a quality of {QUALITY} or more", len(compared) / len(everything), "%", len(everything)
        ),
        Figure("false matches among all pairs", float(len(false)), "", pairs),
        Figure("pairs with the same PDQ", float(len(apart) - len(false)), "", pairs),
        Figure(
            "false matches, bars taken off, banked with --crops",
            float(_look_alike_pairs(hasher, compared, apart)),
            "",
            pairs,
        ),
    ]
    note = f"{len(dev)} dev photos of Flickr8k (224×224) and their copies; pairs of {len(everything)} photos."
    details = tuple(f"{one.name} and {other.name}: {d:.0f} bits" for one, other, d in apart)
    return Section("Photographs, PDQ", note, tuple(figures), details, time.monotonic() - started)


def films(photos: Sequence[Path], room: Path, count: int = 6) -> Section:
    """Made films of photographs under moving cameras, and copies encoded anew: the share of a copy's seconds that are
    found."""
    started = time.monotonic()
    kinds = {
        "half size, a third of the bits": reel.VideoFormat(
            options={"preset": "veryfast", "crf": "33"}, size=(320, 180)
        ),
        "MPEG-4 at 20 frames/s": reel.VideoFormat(codec="mpeg4", options={"b": "600000"}, rate=Fraction(20)),
    }
    distances: dict[str, list[bool]] = {name: [] for name in kinds}
    whole: dict[str, list[bool]] = {name: [] for name in kinds}
    banked: list[Hash] = []
    owners: list[int] = []
    copies: list[tuple[str, int, list[Hash]]] = []
    shuffled = [photos[n] for n in np.random.default_rng(0).permutation(len(photos))]
    for number in range(count):
        takes = _takes(shuffled[number::count][:TAKES], np.random.default_rng(number))
        hashes = _film(room / f"{number}.mp4", takes, reel.VideoFormat(), number)
        banked += hashes
        owners += [number] * len(hashes)
        copies += [
            (name, number, _film(room / f"{number}-copy.mp4", takes, form, number)) for name, form in kinds.items()
        ]
    index = index_of("pdq")
    index.add(range(len(banked)), [one.packed for one in banked])
    wrong = 0
    for name, number, hashes in copies:
        hits = [
            {owners[place] for place, _ in index.search(one.packed, NEAR["pdq"])} for one in hashes if one.comparable
        ]
        distances[name] += [number in hit for hit in hits]
        whole[name].append(any(number in hit for hit in hits))
        wrong += sum(len(hit - {number}) for hit in hits)
    figures = [share(f"seconds found: {name}", cases) for name, cases in distances.items()]
    figures += [share(f"films found: {name}", cases) for name, cases in whole.items()]
    figures.append(Figure("seconds that matched another film", float(wrong), "", sum(map(len, distances.values()))))
    note = f"{count} films of {TAKES} photographs each, panned, zoomed and shaken; a frame a second."
    return Section("Films, PDQ of a frame a second", note, tuple(figures), (), time.monotonic() - started)


def recordings(title: str, sounds: Mapping[str, Waveform], room: Path) -> Section:
    """Copies and all pairs of recordings, those with enough sound for a fingerprint."""
    started = time.monotonic()
    hasher = ChromaprintHasher()
    printed = [(name, sound, value) for name, sound in sounds.items() if (value := hasher(sound))]
    rng = np.random.default_rng(1)
    copies: Mapping[str, Callable[[Waveform], Waveform]] = {
        "MP3 at 64 kbit/s": lambda sound: encode_again(room / "copy.mp3", sound, "libmp3lame", 64_000),
        "Opus at 24 kbit/s": lambda sound: encode_again(room / "copy.ogg", sound, "libopus", 24_000),
        "half as loud": lambda sound: Waveform(0.5 * sound.samples),
        "noise 20 dB below it": lambda sound: _noisy(sound, rng),
        "without its first half second": lambda sound: sound.cut(0.5, sound.seconds),
    }
    figures = [Figure("recordings with a fingerprint", len(printed) / len(sounds), "%", len(sounds))]
    for name, change in copies.items():
        cases = []
        for _, sound, value in printed:
            copy = hasher(change(sound))
            cases.append(copy is not None and _apart(value, copy) <= NEAR["chromaprint"])
        figures.append(share(f"found: {name}", cases))
    near = list(_strangers([value for *_, value in printed]))
    figures.append(Figure("matches among all pairs", float(len(near)), "", len(printed) * (len(printed) - 1) // 2))
    seconds = sorted(sound.seconds for sound in sounds.values())
    note = f"{len(sounds)} recordings of {seconds[0]:.0f} to {seconds[-1]:.0f} s."
    details = tuple(f"{printed[one][0]} and {printed[other][0]}: {d:.3f}" for one, other, d in near)
    return Section(f"{title}, Chromaprint", note, tuple(figures), details, time.monotonic() - started)


def texts(captions: Sequence[str], count: int = 300) -> Section:
    """Documents of forty captions each, and copies in which words were changed."""
    started = time.monotonic()
    hasher, rng = TlshHasher(), np.random.default_rng(2)
    documents = [" ".join(rng.choice(captions, 40, replace=False)).split() for _ in range(count)]
    hashes = [Hash.parse(str(hasher(" ".join(words)))) for words in documents]

    def changed(words: Sequence[str], part: float) -> list[str]:
        other = documents[rng.integers(count)]
        return [other[n % len(other)] if rng.random() < part else word for n, word in enumerate(words)]

    copies: Mapping[str, Callable[[Sequence[str]], list[str]]] = {
        "2 % of the words are others": lambda words: changed(words, 0.02),
        "10 % of the words are others": lambda words: changed(words, 0.10),
        "the last tenth is missing": lambda words: list(words[: len(words) * 9 // 10]),
    }
    figures = []
    for name, change in copies.items():
        apart = [
            _apart(own, Hash.parse(str(hasher(" ".join(change(words))))))
            for own, words in zip(hashes, documents, strict=True)
        ]
        figures.append(share(f"found: {name}", [distance <= NEAR["tlsh"] for distance in apart]))
    false = float(len(list(_strangers(hashes))))
    figures.append(Figure("false matches among all pairs", false, "", count * (count - 1) // 2))
    return Section("Texts, TLSH", f"{count} documents of 40 captions.", tuple(figures), (), time.monotonic() - started)


def _pdq(hasher: PdqHasher, picture: Image.Image) -> Hash:
    return hasher(Picture(np.asarray(picture.convert("RGB"), dtype=np.uint8)))


def _apart(one: Hash, other: Hash) -> float:
    """The distance, as an index tells it; infinite where one says nothing."""
    if not (one.comparable and other.comparable):
        return float("inf")
    index = index_of(one.kind)
    index.add([0], [one.packed])
    matches = index.search(other.packed, 10_000)
    return matches[0][1] if matches else float("inf")


def _look_alike_pairs(hasher: PdqHasher, paths: Sequence[Path], same: Sequence[tuple[Path, Path, float]]) -> int:
    """Pairs of photographs, besides these, of which one's hashes are near the other's where it is banked with its
    crops."""
    asked: list[tuple[int, str]] = []
    banked: list[tuple[int, str]] = []
    for number, path in enumerate(paths):
        picture = Picture(np.asarray(Image.open(path).convert("RGB"), dtype=np.uint8))
        asked += [(number, hasher(view).value) for view in (picture, without_bars(picture)) if view]
        banked += [(number, hasher(view).value) for view in (picture, *crop_sides(picture))]
    near = near_pairs("pdq", [value for _, value in asked], [value for _, value in banked])
    met = {frozenset((asked[one][0], banked[other][0])) for one, other, _ in near}
    known = {frozenset((paths.index(one), paths.index(other))) for one, other, _ in same}
    return len({pair for pair in met if len(pair) == 2} - known)


def _strangers(hashes: Sequence[Hash]) -> Iterator[tuple[int, int, float]]:
    """Pairs that match, each once."""
    values = [one.value for one in hashes]
    yield from ((one, other, d) for one, other, d in near_pairs(hashes[0].kind, values, values) if one < other)


def _takes(photos: Sequence[Path], rng: np.random.Generator) -> list[reel.Take]:
    return [
        reel.Take(
            reel.photo(path), float(np.round(rng.uniform(2, 5) * 20) / 20), reel.MOVES[rng.integers(len(reel.MOVES))]
        )
        for path in photos
    ]


def _film(path: Path, takes: Sequence[reel.Take], form: reel.VideoFormat, seed: int) -> list[Hash]:
    reel.write(path, takes, form, np.random.default_rng(seed))
    return [Hash("pdq", value, quality) for _, value, quality in read_frames(path, Limits()).metadata["pdq"]]


def _sound(path: Path) -> Waveform:
    content = decode(path).content
    assert isinstance(content, Waveform)
    return content


def _group_files(files: Sequence[Path]) -> dict[str, Waveform]:
    """Files of one folder in groups."""
    groups = {}
    for first in range(0, len(files) - _JOINED + 1, _JOINED):
        group = files[first : first + _JOINED]
        if group[0].parent == group[-1].parent:
            groups[group[0].stem] = Waveform(np.concatenate([_sound(path).samples for path in group]))
    return groups


def _noisy(sound: Waveform, rng: np.random.Generator) -> Waveform:
    samples = sound.samples
    level = 0.1 * float(np.sqrt(np.mean(samples**2)))
    return Waveform((samples + level * rng.standard_normal(len(samples))).clip(-1, 1).astype(np.float32))


def encode_again(path: Path, sound: Waveform, codec: str, bits: int) -> Waveform:
    """A picture after it was written in some format and read again."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=SAMPLE_RATE, options={"b": str(bits)})
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray((32_767 * sound.samples.clip(-1, 1)).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return _sound(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="the folder of the known data sets")
    parser.add_argument("--photos", type=int, help="only so many photographs for the pairs")
    parser.add_argument("--out", type=Path, help="write report.md and report.json here")
    given = parser.parse_args()
    photos = sorted((given.shared / "flickr8k" / "images").glob("*.jpg"))[: given.photos]
    captions = flickr8k(given.shared / "flickr8k", "dev").captions
    dev = sorted(captions)
    clips = {path.stem: _sound(path) for path in sorted(given.shared.glob("esc10/*/*.ogg"))}
    spoken = [*sorted(given.shared.glob("speakers/*/*.flac")), *sorted(given.shared.glob("spoken_captions/*.mp3"))]
    with tempfile.TemporaryDirectory() as folder:
        sections = [
            photographs(sorted({*photos, *dev}), dev),
            films(dev, Path(folder)),
            recordings("Clips of ESC-10", clips, Path(folder)),
            recordings("Speech (LibriSpeech and spoken captions, joined)", _group_files(spoken), Path(folder)),
            texts([caption for some in captions.values() for caption in some]),
        ]
    models = [PdqHasher().model, ChromaprintHasher().model, TlshHasher().model, f"load {os.getloadavg()[0]:.1f}"]
    context = Context.of(shlex.join(["python", "-m", "crossmedia.eval.known", *sys.argv[1:]]), "known", models)
    print(markdown("Known content", context, sections))
    if given.out:
        write(given.out, "Known content", context, sections)


if __name__ == "__main__":
    main()
