"""OpenCLIP towers: the library's own vectors, one shared space, identity by weights, and no network."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.encoder import normalise
from crossmedia.embeddings.errors import CrossmediaError, DependencyMissing, ModelCorrupt, ModelMissing
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.openclip import OpenClip
from crossmedia.embeddings.torch_runtime import DeviceMissing, UnknownPrecision
from tests.embeddings.tiny_models import INSTALL, OPENCLIP, assert_unit_rows, openclip_folder, picture

TEXTS = ["a dog", "", "“two” children &amp; a ball", "word " * 200, "日本語"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return openclip_folder(tmp_path_factory.mktemp("models") / "tiny", mean=[0.4, 0.5, 0.6])


@pytest.fixture(scope="module")
def clip(folder: Path) -> OpenClip:
    return OpenClip(str(folder), device="cpu", batch_size=2)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    attempts: list[Any] = []

    def refused(self: socket.socket, address: Any) -> None:
        attempts.append(address)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refused)
    return attempts


def test_vectors_are_those_of_the_library(clip: OpenClip, folder: Path) -> None:
    import open_clip
    import torch

    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    pictures = [picture(n, 40 + 31 * n, 90 - 13 * n) for n in range(5)]
    with torch.inference_mode():
        text = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(TEXTS)).numpy()
        seen = model.encode_image(torch.stack([transform(Image.fromarray(item.pixels)) for item in pictures])).numpy()
    np.testing.assert_allclose(clip.text.encode(TEXTS).vectors["common"], normalise(text), atol=1e-5)
    np.testing.assert_allclose(clip.picture.encode(pictures).vectors["common"], normalise(seen), atol=1e-5)


def test_both_towers_share_one_space_of_unit_vectors(clip: OpenClip) -> None:
    assert clip.text.spaces == (clip.space,)
    assert clip.picture.spaces[0] == clip.space
    assert [space.name for space in clip.picture.spaces] == ["common", "picture"]
    odd = [Picture(np.zeros((1, 1, 3), np.uint8)), picture(1, 3000, 2), picture(2, 2, 3000), picture(3, 50, 50)]
    seen = clip.picture.encode(odd).vectors
    np.testing.assert_array_equal(seen["common"], seen["picture"])
    assert_unit_rows(seen["common"], len(odd), 32)
    assert_unit_rows(clip.text.encode(TEXTS).vectors["common"], len(TEXTS), 32)


def test_an_empty_batch_gives_empty_arrays(clip: OpenClip) -> None:
    assert clip.text.encode([]).vectors["common"].shape == (0, 32)
    assert {name: rows.shape for name, rows in clip.picture.encode([]).vectors.items()} == {
        "common": (0, 32),
        "picture": (0, 32),
    }


def test_an_item_does_not_depend_on_its_neighbours(clip: OpenClip) -> None:
    together = clip.text.encode(TEXTS).vectors["common"]
    alone = np.concatenate([clip.text.encode([text]).vectors["common"] for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_space_is_its_weights_and_preprocessing_not_its_place(clip: OpenClip, folder: Path, tmp_path: Path) -> None:
    assert clip.space.model == "openclip:tiny"
    assert clip.space.dim == 32
    assert str(folder.parent) not in repr(clip.space)
    copied = shutil.copytree(folder, tmp_path / "elsewhere" / "tiny")
    assert OpenClip(str(copied), device="cpu").space == clip.space
    other = OpenClip(str(openclip_folder(tmp_path / "seed" / "tiny", seed=1, mean=[0.4, 0.5, 0.6])), device="cpu").space
    assert other.revision != clip.space.revision
    assert other.preprocessing == clip.space.preprocessing
    prepared = OpenClip(str(openclip_folder(tmp_path / "mean" / "tiny", mean=[0.1, 0.5, 0.6])), device="cpu").space
    assert prepared.revision == clip.space.revision
    assert prepared.preprocessing != clip.space.preprocessing


def test_a_registered_architecture_takes_a_file_of_weights(folder: Path, tmp_path: Path, clip: OpenClip) -> None:
    import json

    import open_clip

    config = tmp_path / "ViT-Tiny-Test.json"
    config.write_text(json.dumps(OPENCLIP), encoding="utf-8")
    open_clip.add_model_config(config)
    named = OpenClip(f"ViT-Tiny-Test/{folder / 'open_clip_pytorch_model.bin'}", device="cpu")
    assert named.space.model == "openclip:ViT-Tiny-Test/open_clip_pytorch_model.bin"
    np.testing.assert_allclose(
        named.text.encode(TEXTS).vectors["common"], clip.text.encode(TEXTS).vectors["common"], atol=1e-6
    )


def test_half_precision_stays_in_the_space(clip: OpenClip, folder: Path) -> None:
    half = OpenClip(str(folder), device="cpu", precision="bf16")
    assert half.space == clip.space
    pictures = [picture(n, 64, 48) for n in range(4)]
    for exact, rough in (
        (clip.text.encode(TEXTS), half.text.encode(TEXTS)),
        (clip.picture.encode(pictures), half.picture.encode(pictures)),
    ):
        cosine = (exact.vectors["common"] * rough.vectors["common"]).sum(axis=1)
        assert cosine.min() > 0.999
        assert cosine.min() < 1 - 1e-7, "nothing was computed in half precision"


@pytest.mark.parametrize(
    ("spec", "said", "hinted"),
    [
        ("ViT-B-33/openai", "no model 'ViT-B-33'", "ViT-B-32"),
        ("ViT-B-32/no_such_tag", "no weights 'no_such_tag'", "laion2b_s34b_b79k"),
        ("ViT-B-32", "no weights ''", "laion2b_s34b_b79k"),
        ("ViT-B-32/laion2b_s34b_b79k", "not on this machine", "ALLOW_HUB"),
        ("hf-hub:nobody/nothing", "nobody/nothing is not here", "ALLOW_HUB"),
    ],
)
def test_what_is_missing_is_said_without_asking_the_network(
    spec: str, said: str, hinted: str, no_network: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("open_clip", reason=INSTALL)
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelMissing) as caught:
        OpenClip(spec, device="cpu")
    assert said in caught.value.message
    assert hinted in caught.value.hint
    assert no_network == []


def test_broken_folders_are_told_apart(folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    weights = broken / "open_clip_pytorch_model.bin"
    weights.write_bytes(b"not weights")
    with pytest.raises(ModelCorrupt, match="broken"):
        OpenClip(str(broken), device="cpu")
    weights.unlink()
    with pytest.raises(ModelMissing, match="no weights"):
        OpenClip(str(broken), device="cpu")
    (broken / "open_clip_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelCorrupt, match="open_clip_config"):
        OpenClip(str(broken), device="cpu")
    (broken / "open_clip_config.json").unlink()
    with pytest.raises(ModelMissing, match="open_clip_config"):
        OpenClip(str(broken), device="cpu")


@pytest.mark.parametrize(
    ("device", "precision", "error"),
    [
        ("quantum", "auto", DeviceMissing),
        ("meta", "auto", DeviceMissing),
        ("cpu", "fp8", UnknownPrecision),
        ("cpu", "fp16", UnknownPrecision),
    ],
)
def test_impossible_placements(folder: Path, device: str, precision: Any, error: type[CrossmediaError]) -> None:
    with pytest.raises(error) as caught:
        OpenClip(str(folder), device=device, precision=precision)
    assert caught.value.hint


def test_a_gpu_that_is_not_there(folder: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(DeviceMissing, match="cuda"):
        OpenClip(str(folder), device="cuda")


@pytest.mark.parametrize("absent", ["open_clip", "torch"])
def test_without_the_extra_the_hint_installs_it(absent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(DependencyMissing) as caught:
        OpenClip("ViT-B-32/openai")
    assert caught.value.hint == 'pip install "crossmedia[clip]"'


@pytest.mark.process
def test_importing_the_encoders_imports_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from crossmedia.embeddings import clap, export, openclip, sentence_transformer\n"
        "heavy = {'torch', 'open_clip', 'transformers', 'sentence_transformers', 'onnx', 'scipy', 'huggingface_hub'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
