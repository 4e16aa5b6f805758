"""Towers exported to ONNX: the same vectors without PyTorch, refused where they are not; the recipes bit by bit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from crossmedia.embeddings.encoder import Encoding
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing
from crossmedia.embeddings.export import SIZES, TEXTS, ExportTargetInUse, ParityFailed, ParityReport, compare, export
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx_tower import OnnxPicture, OnnxText, WrongModality, open_tower
from crossmedia.embeddings.openclip import OpenClip
from crossmedia.embeddings.openclip_tokenizer import convert
from crossmedia.embeddings.picture_recipe import SLIMMEST, PictureRecipe, UnknownRecipe, limit_proportions
from crossmedia.embeddings.sentence_transformer import SentenceTransformerEncoder
from crossmedia.embeddings.text_recipe import TextRecipe, Tokens, clean
from tests.embeddings.tiny_models import INSTALL, assert_unit_rows, minilm_folder, openclip_folder, picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> OpenClip:
    return OpenClip(str(openclip_folder(tmp_path_factory.mktemp("models") / "tiny")), device="cpu")


@pytest.fixture(scope="module")
def exported(clip: OpenClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxscript", reason=INSTALL)
    out = tmp_path_factory.mktemp("exported")
    for name, tower in (("text", clip.text), ("picture", clip.picture)):
        report = export(tower, out / name)
        assert report.modality == name
        assert report.cosine > 0.99999
        assert report.difference < 1e-4
        assert report.size == sum(path.stat().st_size for path in (out / name).iterdir())
    assert sorted(path.name for path in out.iterdir()) == ["picture", "text"]
    return out


def test_the_exported_towers_answer_in_the_same_space(clip: OpenClip, exported: Path) -> None:
    text, seen = OnnxText(exported / "text"), OnnxPicture(exported / "picture")
    assert text.spaces == clip.text.spaces
    assert seen.spaces == clip.picture.spaces
    assert (text.model, seen.model) == (clip.text.model, clip.picture.model)
    texts = [f"{n} dogs and {'one cat ' * n}" for n in range(40)]
    pictures = [picture(n, 30 + 11 * n, 200 - 5 * n) for n in range(20)]
    for served, tower, batch in ((text, clip.text, texts), (seen, clip.picture, pictures)):
        found, expected = served.encode(batch).vectors, tower.encode(batch).vectors  # type: ignore[arg-type, attr-defined]
        assert set(found) == set(expected)
        assert_unit_rows(found["common"], len(batch), 32)
        np.testing.assert_allclose(found["common"], expected["common"], atol=1e-4)
    assert text.encode([]).vectors["common"].shape == (0, 32)
    assert seen.encode([]).vectors["picture"].shape == (0, 32)


@pytest.mark.process
def test_serving_needs_no_torch(exported: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "for name in ('torch', 'torchvision', 'open_clip', 'transformers', 'sentence_transformers', 'onnx', 'ftfy'):\n"
        "    sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from crossmedia.embeddings.media import Picture\n"
        "from crossmedia.embeddings.onnx_tower import open_tower\n"
        "text = open_tower(Path(sys.argv[1], 'text')).encode(['a dog', 'x']).vectors['common']\n"
        "seen = open_tower(Path(sys.argv[1], 'picture')).encode([Picture(np.zeros((9, 7, 3), np.uint8))])\n"
        "print(text.shape, seen.vectors['picture'].shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(exported)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(2, 32) (1, 32)"


def test_minilm_exported_gives_its_vectors(tmp_path: Path) -> None:
    encoder = SentenceTransformerEncoder(str(minilm_folder()), device="cpu")
    report = export(encoder, tmp_path / "minilm")
    assert isinstance(report, ParityReport)
    assert report.cosine > 0.99999
    served = OnnxText(tmp_path / "minilm")
    assert served.spaces == encoder.spaces
    texts = ["The weather is lovely today.", "It's so sunny outside!", "long " * 400, ""]
    rows = served.encode(texts).vectors["text"]
    np.testing.assert_allclose(rows, encoder.encode(texts).vectors["text"], atol=1e-5)
    assert float(rows[0] @ rows[1]) == pytest.approx(0.6660, abs=2e-4)


def test_weights_too_large_for_the_networks_file_lie_beside_it(
    clip: OpenClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript", reason=INSTALL)
    monkeypatch.setattr("crossmedia.embeddings.export.INLINE", 0)
    report = export(clip.picture, tmp_path / "large")
    weights = tmp_path / "large" / "network.onnx.data"
    assert weights.stat().st_size > report.size / 2
    assert_unit_rows(open_tower(tmp_path / "large").encode([picture(0, 40, 40)]).vectors["common"], 1, 32)  # type: ignore[list-item]
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(ModelCorrupt, match=r"network\.onnx"):
        open_tower(tmp_path / "large")


class Skewed:
    """A tower that says other things than its network."""

    def __init__(self, tower: Any) -> None:
        self._tower = tower

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tower, name)

    def encode(self, batch: Sequence[Any]) -> Encoding:
        rows = self._tower.encode(batch).vectors["common"].copy()
        rows[-1] = np.roll(rows[-1], 1)
        return Encoding({"common": rows})


def test_an_export_that_differs_is_refused_and_leaves_the_old_one(clip: OpenClip, exported: Path) -> None:
    before = (exported / "text" / "tower.json").read_bytes()
    with pytest.raises(ParityFailed, match=f"sample {len(TEXTS) - 1}"):
        compare(Skewed(clip.text), exported / "text", TEXTS)
    with pytest.raises(ParityFailed):
        export(Skewed(clip.text), exported / "text")
    assert (exported / "text" / "tower.json").read_bytes() == before
    assert sorted(path.name for path in exported.iterdir()) == ["picture", "text"]


def test_a_folder_with_something_else_is_not_overwritten(clip: OpenClip, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(ExportTargetInUse):
        export(clip.text, tmp_path)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "precious"


def test_damaged_exports_are_told_apart(exported: Path, tmp_path: Path) -> None:
    import shutil

    with pytest.raises(WrongModality):
        OnnxText(exported / "picture")
    with pytest.raises(WrongModality):
        OnnxPicture(exported / "text")
    with pytest.raises(ModelMissing, match=r"tower\.json"):
        open_tower(tmp_path)
    folder = shutil.copytree(exported / "text", tmp_path / "text")
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelCorrupt, match=r"tokenizer\.json"):
        open_tower(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelMissing, match=r"tokenizer\.json"):
        open_tower(folder)
    with (folder / "network.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelCorrupt, match=r"network\.onnx"):
        open_tower(folder)
    manifest = json.loads((folder / "tower.json").read_text(encoding="utf-8"))
    (folder / "tower.json").write_text(json.dumps({**manifest, "format": 99}), encoding="utf-8")
    with pytest.raises(ModelCorrupt, match="format 99"):
        open_tower(folder)


CONFIG: dict[str, Any] = {
    "size": (32, 32),
    "mode": "RGB",
    "mean": (0.48, 0.45, 0.40),
    "std": (0.26, 0.25, 0.27),
    "interpolation": "bicubic",
    "resize_mode": "shortest",
    "fill_color": 7,
}


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_the_picture_recipe_is_the_librarys_transform(mode: str, interpolation: str) -> None:
    transform = pytest.importorskip("open_clip.transform", reason=INSTALL)
    config = {**CONFIG, "resize_mode": mode, "interpolation": interpolation}
    reference = transform.image_transform_v2(transform.PreprocessCfg(**config), is_train=False)
    recipe = PictureRecipe.of(config)
    for n, (width, height) in enumerate([*SIZES, (31, 33), (64, 65), (65, 64), (32, 32), (47, 45)]):
        item = limit_proportions(picture(n, width, height))
        np.testing.assert_allclose(recipe(item), reference(Image.fromarray(item.pixels)).numpy(), atol=1e-6)


def test_recipes_survive_their_file_and_refuse_what_they_cannot_say() -> None:
    recipe = PictureRecipe.of(CONFIG)
    assert PictureRecipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    words = TextRecipe(77, "lower", padded=True, prompt="query: ", zeroed=102)
    assert TextRecipe.from_json(json.loads(json.dumps(words.as_json()))) == words
    for odd in ({"size": (32, 48)}, {"mode": "L"}, {"resize_mode": "warp"}, {"interpolation": "lanczos"}):
        with pytest.raises(UnknownRecipe):
            PictureRecipe.of({**CONFIG, **odd})


def test_extreme_proportions_lose_their_ends_only() -> None:
    row = np.zeros((2, 1000, 3), np.uint8)
    row[:, 500:] = 255
    short = limit_proportions(Picture(row))
    assert (short.width, short.height) == (2 * SLIMMEST, 2)
    assert short.pixels[:, :SLIMMEST].max() == 0
    assert short.pixels[:, SLIMMEST:].min() == 255
    ordinary = picture(0, 160, 10)
    assert limit_proportions(ordinary) is ordinary


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Tokens]:
    library = pytest.importorskip("open_clip", reason=INSTALL)
    original = library.get_tokenizer("ViT-B-32")
    folder = tmp_path_factory.mktemp("tokenizer")
    fast, recipe = convert(original)
    fast.save(str(folder / "tokenizer.json"))
    return original, Tokens(recipe, folder)


def test_clip_tokens_of_hard_texts(tokenizers: tuple[Any, Tokens]) -> None:
    original, ours = tokenizers
    ids, mask = ours(TEXTS)
    np.testing.assert_array_equal(ids, original(list(TEXTS)).numpy())
    assert ids.shape == mask.shape == (len(TEXTS), 77)
    assert mask[0].sum() == 2


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("abcXYZ019 '’“”.,;:!?-_/&#()[]{}@\t\n" + "犬かカㄱдЖظनไ🐶👍ﬁＡ½²"), max_size=60))
def test_clip_tokens_of_any_text(tokenizers: tuple[Any, Tokens], text: str) -> None:
    original, ours = tokenizers
    np.testing.assert_array_equal(ours([text])[0], original([text]).numpy())


@pytest.mark.parametrize("strip", [False, True])
def test_tokens_of_other_libraries_text_towers(strip: bool, tmp_path: Path) -> None:
    library = pytest.importorskip("open_clip.tokenizer", reason=INSTALL)
    original = library.HFTokenizer(str(minilm_folder()), context_length=20, strip_sep_token=strip)
    fast, recipe = convert(original)
    fast.save(str(tmp_path / "tokenizer.json"))
    ids, mask = Tokens(recipe, tmp_path)(TEXTS)
    np.testing.assert_array_equal(ids, original(list(TEXTS)).numpy())
    assert (102 in ids) is not strip
    assert mask[0].sum() == 2


def test_a_masking_tokenizer_cannot_be_exported() -> None:
    library = pytest.importorskip("open_clip.tokenizer", reason=INSTALL)
    with pytest.raises(UnknownRecipe):
        convert(library.SimpleTokenizer(reduction_mask="random"))


@pytest.mark.parametrize(
    ("text", "how", "expected"),
    [
        ("A &amp;amp; B", "lower", "a & b"),
        ("“It’s” ﬁne\t ", "whitespace", '"It\'s" fine'),
        ("ＡＢＣ　ｄ", "lower", "abc d"),
        ("A_cat, sat!", "canonicalize", "a cat sat"),
        ("e\u0301\x00", "whitespace", "é"),
        ("  As It Is ", "none", "  As It Is "),
    ],
)
def test_cleaning(text: str, how: Any, expected: str) -> None:
    assert clean(text, how) == expected


def test_a_token_can_be_zeroed(tokenizers: tuple[Any, Tokens], tmp_path: Path) -> None:
    fast, recipe = convert(tokenizers[0])
    fast.save(str(tmp_path / "tokenizer.json"))
    ids, _ = Tokens(replace(recipe, zeroed=49407), tmp_path)(["dog"])
    assert ids[0, 0] == 49406
    assert not (ids == 49407).any()
