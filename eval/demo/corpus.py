"""`python -m crossmedia.eval.demo.corpus OUT`: a small corpus of photos, recordings, films and documents, in a few
seconds."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crossmedia.api.espeak import say
from crossmedia.api.wav import write_wav
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Medium
from crossmedia.eval.demo.film import write_film
from crossmedia.eval.demo.pdf import pdf
from crossmedia.eval.demo.photos import available
from crossmedia.eval.demo.prose import FILMS, HTML, MARKDOWN, PDF, RECORDINGS

SAMPLES: Final[Mapping[Medium, str]] = {
    "image": "photos/photo-04.jpg",
    "audio": "recordings/recording-2.wav",
    "video": "films/film-2.mp4",
}
"""What the demo searches by: paths inside the corpus."""

_VOICES: Final = ("en-us", "en")


def make(out: Path) -> list[Path]:
    """Writes the corpus under `out`, over what an earlier call wrote; gives back its files in order.

    Raises `DependencyMissing` where scikit-image or espeakng-loader is not installed.
    """
    photos = available()
    for folder in ("photos", "recordings", "films", "documents"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    made = [out / "photos" / name for name, _, _ in photos]
    for (_, source, _), path in zip(photos, made, strict=True):
        shutil.copyfile(source, path)

    for number, (name, text) in enumerate(RECORDINGS.items()):
        made.append(out / "recordings" / name)
        write_wav(made[-1], say(text, voice=_VOICES[number % 2]))

    sources = {photo.source: path for _, path, photo in photos}
    for number, (name, scenes) in enumerate(FILMS.items()):
        made.append(out / "films" / name)
        narrated = [
            (scene, say(scene.narration, voice=_VOICES[number % 2])) for scene in scenes if scene.photo in sources
        ]
        write_film(made[-1], [(sources[scene.photo], voice) for scene, voice in narrated])

    for name, text in (MARKDOWN | HTML).items():
        made.append(out / "documents" / name)
        made[-1].write_text(text, encoding="utf-8")
    for name, pages in PDF.items():
        made.append(out / "documents" / name)
        made[-1].write_bytes(pdf(pages))

    origins = [f"photos/{name}: {photo.source} of scikit-image. {photo.origin}." for name, _, photo in photos]
    made.append(out / "LICENSES.txt")
    made[-1].write_text("\n".join([*origins, *_OWN]) + "\n", encoding="utf-8")
    return made


_OWN: Final = (
    "films/: made of the photos above; voices by eSpeak NG.",
    "recordings/: texts of this project, Apache-2.0; voices by eSpeak NG.",
    "documents/: texts of this project, Apache-2.0.",
)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m crossmedia.eval.demo.corpus OUT", file=sys.stderr)
        return 2
    try:
        made = make(Path(arguments[0]))
    except CrossmediaError as error:
        print(f"{error.message}: {error.hint}", file=sys.stderr)
        return 1
    for path in made:
        print(f"{path.stat().st_size:>9} {path}")
    print(f"{len(made)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
