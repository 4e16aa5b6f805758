"""Layers in few bits: near what was packed, and a clear word where a file is not one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from crossmedia.embeddings import layers
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing


@given(st.integers(0, 1000), st.floats(1e-6, 1e3))
def test_a_packed_layer_is_off_by_half_a_step_at_most(seed: int, size: float) -> None:
    weight = (np.random.default_rng(seed).normal(size=(5, 3)) * size).astype(np.float32)
    packed = layers.packed("a", weight)
    assert (np.abs(layers.layer(packed, "a").weight - weight) <= packed["a_scale"] * 0.501).all()


def test_what_was_written_is_read_and_applied(tmp_path: Path) -> None:
    weight, bias = np.array([[1, 0], [0, -2]], np.float32), np.array([0.5, 1], np.float32)
    layers.write(tmp_path / "a.npz", layers.packed("a", weight, bias), layers.packed("b", weight))
    arrays = layers.read(tmp_path / "a.npz", "a", "b")
    np.testing.assert_allclose(layers.layer(arrays, "a")(np.ones((1, 2), np.float32)), [[1.5, -1]], atol=0.02)
    np.testing.assert_allclose(layers.layer(arrays, "b")(np.ones((1, 2), np.float32)), [[1, -2]], atol=0.02)
    assert not layers.layer(layers.packed("zero", 0 * weight), "zero").weight.any()


def test_files_that_are_no_layers(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"a\.npz"):
        layers.read(tmp_path / "a.npz")
    for content in (b"", b"PK\x03\x04 broken", b"\x80\x04N."):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(ModelCorrupt, match=r"a\.npz"):
            layers.read(tmp_path / "a.npz")
    layers.write(tmp_path / "a.npz", {"a": np.zeros(1)})
    with pytest.raises(ModelCorrupt, match="lacks b"):
        layers.read(tmp_path / "a.npz", "a", "b")


def test_gelu_is_near_its_exact_form() -> None:
    x = np.linspace(-6, 6, 101, dtype=np.float32)
    np.testing.assert_allclose(layers.gelu(x), x * 0.5 * (1 + erf(x / 2**0.5)), atol=2e-3)
