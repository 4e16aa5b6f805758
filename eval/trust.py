"""Measure the detectors of forgeries: how often real faces and voices look forged, and how often forgeries are found.

Photos and readings are real; faces are forged as the autoencoders of 2018 did it (what is in the middle goes through
few pixels and is pasted back), speech by eSpeak NG. Nobody forges so today: what is told of these says little of what
would be told of others.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.api.espeak import say
from crossmedia.embeddings import forgery, spoof
from crossmedia.embeddings.faces import FaceDetector
from crossmedia.embeddings.forgery import ForgeryDetector, align_face
from crossmedia.embeddings.media import Picture, Waveform
from crossmedia.embeddings.spoof import SpoofDetector
from crossmedia.embeddings.vad import find_speech
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.known import encode_again
from crossmedia.eval.objects import open_photo
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.enrichers.spoof import stretches
from crossmedia.indexer.provenance.reader import ProvenanceReader

Tell = Callable[[str], None]
VOICES: Final = ("en", "en-us", "en+f3", "en+m2", "de", "en+whisper")
SPEEDS: Final = (130, 160, 200)
SYNTHESISED_TEXTS: Final = 60
"""Texts that are synthesised."""
MAX_STRETCHES: Final = 120
"""Stretches of speech of each kind, evenly spread, and half of them for each length."""
SECONDS: Final = (1.0, 1.5, 2.0, 3.0, 4.0)
"""Lengths that recordings are cut to, to see from which one on something can be said."""
THROUGH: Final = 48
"""Pixels that a forged face's middle goes through."""
PADDED: Final = 40
"""Pixels around faces that were cut so tightly that no detector finds them."""


def equal_error_rate(real: Sequence[float], forged: Sequence[float]) -> float:
    """Where as many real ones are called forged as forged ones real, over all thresholds.

    >>> equal_error_rate([0.1, 0.2, 0.9], [0.8, 0.7, 0.05])
    0.3333333333333333
    >>> equal_error_rate([0.1, 0.2], [0.8, 0.7])
    0.0
    """
    steps = np.unique([*real, *forged, np.inf])
    false = np.array([np.mean(np.asarray(real) >= step) for step in steps])
    missed = np.array([np.mean(np.asarray(forged) < step) for step in steps])
    best = int(np.abs(false - missed).argmin())
    return float((false[best] + missed[best]) / 2)


def area(real: Sequence[float], forged: Sequence[float]) -> float:
    """Probability that a forged one scores higher than a real one (area under the ROC curve).

    >>> area([0.1, 0.2], [0.2, 0.3])
    0.875
    """
    apart = np.subtract.outer(np.asarray(forged), np.asarray(real))
    return float(np.mean(np.where(apart == 0, 0.5, apart > 0)))


def forge(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A face whose middle was reduced to a few pixels and pasted back with soft edges, like an exchanged face."""
    small = cv2.resize(square, (THROUGH, THROUGH), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(small, square.shape[:2], interpolation=cv2.INTER_CUBIC)
    down, across = np.mgrid[: square.shape[0], : square.shape[1]] - len(square) / 2
    share_of = np.clip(1.6 - np.hypot(down, across) / 70, 0, 1)[..., None]
    return np.asarray(square * (1 - share_of) + blurred * share_of, dtype=np.uint8)


def squares(detector: FaceDetector, pictures: Sequence[Picture]) -> list[NDArray[np.uint8]]:
    """The faces that are large enough to be looked at, as the network sees them."""
    pairs = ((picture, face) for picture in pictures for face in detector.detect([picture])[0])
    return [square for picture, face in pairs if (square := align_face(picture, face)) is not None]


def faces(detector: ForgeryDetector, finder: FaceDetector, sets: Mapping[str, Sequence[Picture]]) -> Section:
    """False positives on each set of real pictures, and what is told of faces forged from them."""
    started = time.monotonic()
    figures: list[Figure] = []
    real_scores: list[float] = []
    forged_scores: list[float] = []
    for name, pictures in sets.items():
        shown = squares(finder, pictures)
        real = detector.classify(np.stack(shown)).tolist() if shown else []
        figures += _spread(f"{name}: real faces", real, forgery.HIGH_FORGERY_SCORE)
        real_scores += real
        forged_scores += detector.classify(np.stack([forge(square) for square in shown])).tolist() if shown else []
    figures += _apart(real_scores, forged_scores, forgery.HIGH_FORGERY_SCORE, "faces forged here")
    note = (
        f"Faces of which the square that is looked at has {forgery.MIN_FACE_SQUARE} px or more. Forged here: their "
        "middle "
        f"through {THROUGH} px and back."
    )
    return Section("Faces", note, tuple(figures), (), time.monotonic() - started)


def speech_stretches(files: Sequence[Path]) -> list[Waveform]:
    """What is spoken in recordings, stretch by stretch, each long enough."""
    sounds = [sound for path in files if isinstance(sound := decode(path).content, Waveform)]
    return _some([part for sound in sounds for part in parts(sound)])


def parts(sound: Waveform) -> Iterator[Waveform]:
    """What is scored of a recording, with what is around it."""
    for start, end in stretches(find_speech(sound)):
        if end - start >= spoof.MIN_SPOOF_SECONDS:
            yield sound.cut(start - spoof.MARGIN, end + spoof.MARGIN)


def synthesise(texts: Sequence[str]) -> list[Waveform]:
    """Texts spoken in turn by eSpeak NG's voices at several speeds."""
    made = [say(text, SPEEDS[n % len(SPEEDS)], VOICES[n % len(VOICES)]) for n, text in enumerate(texts)]
    return _some([part for sound in made for part in parts(sound)])


def voices(
    detector: SpoofDetector, real: Sequence[Waveform], made: Sequence[Waveform], captions: Sequence[Waveform]
) -> list[Section]:
    """False positives on readings, plain and as MP3; what is told of eSpeak's speech and of recordings of unknown
    making."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        squeezed = [encode_again(Path(folder) / "sound.mp3", sound, "libmp3lame", 48_000) for sound in real]
    scores = {
        "LibriSpeech": _scores(detector, real),
        "LibriSpeech as MP3, 48 kb/s": _scores(detector, squeezed),
        "eSpeak": _scores(detector, made),
        "spoken captions": _scores(detector, captions),
    }
    seconds = time.monotonic() - started
    heard = sum(sound.seconds for sounds in (real, squeezed, made, captions) for sound in sounds)
    figures = [figure for name, some in scores.items() for figure in _spread(name, some, spoof.HIGH_SPOOF_SCORE)]
    figures += _apart(scores["LibriSpeech"], scores["eSpeak"], spoof.HIGH_SPOOF_SCORE, "eSpeak")
    figures += _apart(scores["LibriSpeech"], scores["spoken captions"], spoof.HIGH_SPOOF_SCORE, "spoken captions")
    figures.append(Figure("times faster than real time", round(heard / max(1e-9, seconds), 1), ""))
    note = (
        f"Stretches of speech of {spoof.MIN_SPOOF_SECONDS:g} s or more. LibriSpeech is read by people. The spoken "
        "captions are "
        "all of one voice by our own voice encoder, at 24 kHz as MP3: we do not know who or what speaks them and take "
        "them for synthesised, so they are counted apart."
    )
    return [Section("Speech", note, tuple(figures), (), seconds), by_length(detector, real, made)]


def by_length(detector: SpoofDetector, real: Sequence[Waveform], made: Sequence[Waveform]) -> Section:
    """The same stretches cut short."""
    started = time.monotonic()
    figures = []
    for seconds in SECONDS:
        both = [
            [
                detector.margin(sound.cut(0, spoof.MARGIN + seconds))
                for sound in sounds[::2]
                if sound.seconds > seconds + 2 * spoof.MARGIN
            ]
            for sounds in (real, made)
        ]
        if all(both):
            figures.append(
                Figure(f"equal error rate of {seconds:g} s", equal_error_rate(*both), "%", sum(map(len, both)))
            )
    note = "LibriSpeech against eSpeak, the beginnings of the stretches."
    return Section("Speech by length", note, tuple(figures), (), time.monotonic() - started)


def provenance(reader: ProvenanceReader, photos: Sequence[Path]) -> Section:
    """Photos that say nothing of where they come from, and for how many something is found all the same."""
    started = time.monotonic()
    said = [bool(reader(path).facts) for path in photos]
    seconds = time.monotonic() - started
    return Section(
        "Provenance",
        "Photos of Flickr8k, of which every manifest and every tag was taken out when the set was made.",
        (share("photos of which something is said", said), Figure("files a second", round(len(said) / seconds, 1), "")),
        (),
        seconds,
    )


def measure(
    shared: Path,
    photos: Sequence[Path],
    captions: Sequence[str],
    detectors: tuple[FaceDetector, ForgeryDetector, SpoofDetector],
    tell: Tell = lambda line: None,
) -> Iterator[Section]:
    """All of it, section by section, from the known data sets in `shared`."""
    finder, looking, listening = detectors
    tell(f"faces in {len(photos)} photos")
    portraits = [_pad(open_photo(path)) for path in sorted(shared.glob("faces/*/*.png"))]
    yield faces(looking, finder, {"Flickr8k": [open_photo(path) for path in photos], "Georgia Tech, grey": portraits})
    tell("speech")
    real = speech_stretches(sorted(shared.glob("speakers/*/*.flac")))
    yield from voices(
        listening,
        real,
        synthesise(captions[:SYNTHESISED_TEXTS]),
        speech_stretches(sorted(shared.glob("spoken_captions/*.mp3"))),
    )
    tell("provenance")
    reader = ProvenanceReader()
    yield provenance(reader, photos)
    reader.close()


def _some(sounds: Sequence[Waveform]) -> list[Waveform]:
    return [sounds[n] for n in np.linspace(0, len(sounds) - 1, min(MAX_STRETCHES, len(sounds))).astype(int).tolist()]


def _pad(picture: Picture) -> Picture:
    wide = cv2.copyMakeBorder(picture.pixels, *([PADDED] * 4), cv2.BORDER_REPLICATE)
    return Picture(np.asarray(wide, dtype=np.uint8))


def _scores(detector: SpoofDetector, sounds: Sequence[Waveform]) -> list[float]:
    return [score for sound in sounds if (score := detector.score(sound)) is not None]


def _spread(name: str, scores: Sequence[float], high: float) -> list[Figure]:
    if not scores:
        return []
    quartiles = np.quantile(scores, (0.5, 0.9)).tolist()
    return [
        share(f"{name}: score ≥ 0.5", [score >= 0.5 for score in scores]),
        share(f"{name}: score ≥ {high:g}, called high", [score >= high for score in scores]),
        Figure(f"{name}: median score", round(quartiles[0], 3), "", len(scores)),
        Figure(f"{name}: nine in ten are below", round(quartiles[1], 3), "", len(scores)),
    ]


def _apart(real: Sequence[float], made: Sequence[float], high: float, name: str) -> list[Figure]:
    if not real or not made:
        return []
    return [
        Figure(f"real against {name}: equal error rate", equal_error_rate(real, made), "%", len(real) + len(made)),
        Figure(f"real against {name}: area under the ROC curve", round(area(real, made), 3), "", len(real) + len(made)),
        share(f"{name}: told at the score called high", [score >= high for score in made]),
    ]
