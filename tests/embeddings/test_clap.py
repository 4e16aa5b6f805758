"""CLAP towers on a small random model: one space, no chance in long sounds, clean resampling."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossmedia.embeddings.clap import Clap, resample
from crossmedia.embeddings.encoder import normalise
from crossmedia.embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from tests.embeddings.tiny_models import INSTALL, assert_unit_rows, clap_folder


@pytest.fixture(scope="module", params=[False, True], ids=["unfused", "fused"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clap_folder(tmp_path_factory.mktemp("models") / "clap", fusion=request.param)


@pytest.fixture(scope="module")
def clap(folder: Path) -> Clap:
    return Clap(str(folder), device="cpu", batch_size=2)


def sound(seconds: float, seed: int = 0) -> Waveform:
    """A chirp in noise."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(seed).standard_normal(len(times))
    return Waveform(
        (0.4 * np.sin(2 * np.pi * (200 + 80 * (seed + 1) * times) * times) + 0.1 * noise).astype(np.float32)
    )


def test_both_towers_share_one_space_of_unit_vectors(clap: Clap) -> None:
    assert clap.text.spaces == clap.sound.spaces == (clap.space,)
    assert (clap.space.name, clap.space.dim, clap.space.model) == ("common", 24, "clap:clap")
    texts = ["a dog barks", "", "x" * 500]
    assert_unit_rows(clap.text.encode(texts).vectors["common"], 3, 24)
    odd = [sound(2), Waveform(np.zeros(0, np.float32)), Waveform(np.zeros(9000, np.float32)), sound(0.001), sound(12)]
    assert_unit_rows(clap.sound.encode(odd).vectors["common"], len(odd), 24)
    assert clap.text.encode([]).vectors["common"].shape == (0, 24)
    assert clap.sound.encode([]).vectors["common"].shape == (0, 24)


def test_a_short_sound_is_encoded_as_the_library_does(clap: Clap, folder: Path) -> None:
    import torch
    import transformers

    model = transformers.ClapModel.from_pretrained(folder).eval()
    extractor = transformers.ClapFeatureExtractor.from_pretrained(folder)
    samples = resample(sound(3).samples, 48_000)
    spectra = extractor(samples, sampling_rate=48_000, return_tensors="pt")["input_features"]
    with torch.inference_mode():
        heard = model.get_audio_features(spectra, is_longer=torch.zeros(1, 1, dtype=torch.bool)).pooler_output
    np.testing.assert_allclose(clap.sound.encode([sound(3)]).vectors["common"], normalise(heard.numpy()), atol=1e-5)


def test_long_sounds_are_the_mean_of_their_windows_every_time(clap: Clap) -> None:
    long = sound(24)
    np.random.seed(1)
    first = clap.sound.encode([sound(1), long]).vectors["common"]
    np.random.seed(2)
    second = clap.sound.encode([long, sound(1)]).vectors["common"]
    np.testing.assert_allclose(first, second[::-1], atol=1e-5)
    parts = clap.sound.encode([long.cut(0, 10), long.cut(10, 20), long.cut(20, 24)]).vectors["common"]
    expected = normalise((np.array([[10.0], [10.0], [4.0]]) * parts).sum(axis=0, keepdims=True))
    np.testing.assert_allclose(first[1:], expected, atol=1e-5)


def test_texts_do_not_depend_on_their_neighbours(clap: Clap) -> None:
    texts = ["rain", "a siren far away in the city", "dog"]
    together = clap.text.encode(texts).vectors["common"]
    alone = np.concatenate([clap.text.encode([text]).vectors["common"] for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert float(together[0] @ together[1]) < 0.9999


def test_the_space_can_have_another_name(folder: Path, clap: Clap) -> None:
    named = Clap(str(folder), device="cpu", space="sound")
    assert named.sound.spaces[0].name == "sound"
    assert set(named.text.encode(["rain"]).vectors) == {"sound"}
    assert named.space.revision == clap.space.revision


@pytest.mark.parametrize("frequency", [100, 1000, 5000, 7000])
def test_resampling_keeps_a_tone_and_adds_no_image(frequency: int) -> None:
    pytest.importorskip("scipy", reason=INSTALL)
    times = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    made = resample(np.sin(2 * np.pi * frequency * times).astype(np.float32), 48_000)
    assert made.shape == (48_000,)
    assert made.dtype == np.float32
    expected = np.sin(2 * np.pi * frequency * np.arange(48_000) / 48_000)
    middle = slice(4800, -4800)
    np.testing.assert_allclose(made[middle], expected[middle], atol=2e-3)
    power = np.abs(np.fft.rfft(made[middle] * np.hanning(38_400))) ** 2
    above = np.fft.rfftfreq(38_400, 1 / 48_000) > 9000
    assert 10 * np.log10(power[above].max() / power.max()) < -60


def test_missing_and_broken_models(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ModelMissing, match="laion/no-such-model"):
        Clap("no-such-model", device="cpu")
    (tmp_path / "preprocessor_config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelCorrupt):
        Clap(str(tmp_path), device="cpu")


@pytest.mark.parametrize("absent", ["transformers", "scipy", "torch"])
def test_without_the_extra_the_hint_installs_it(absent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(DependencyMissing) as caught:
        Clap("laion/clap-htsat-unfused")
    assert caught.value.hint == 'pip install "crossmedia[clip]"'
