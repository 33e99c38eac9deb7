"""What a model is given of a user's samples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.compare import health
from tinyhil.errors import ConfigError, InputError
from tinyhil.progress import Silent
from tinyhil.quantize import model_file, samples, vectors

VARIED = np.random.default_rng(4).uniform(-9, 9, (100, 3))
"""Samples that the tiny model takes without a word."""
SPEC = TensorSpec("in", DType.INT8, (1, 3), 0.5, 4)


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("dtype", [DType.INT8, DType.UINT8, DType.INT16])
def test_integers_of_the_input_s_own_type_are_quantized_already(tmp_path: Path, dtype: DType) -> None:
    spec = TensorSpec("in", dtype, (1, 3), 0.01, 4)
    lowest, highest = dtype.limits
    x = np.array([[lowest, 0, highest], [1, 2, 3]], dtype.numpy)
    (found,) = samples.read(npz(tmp_path / "s.npz", x=x), [spec]).inputs
    (chosen,), _ = vectors.choose([spec], [found])
    np.testing.assert_array_equal(chosen[-2:, 0], x)
    assert vectors.saturated(spec, found) == (0, 6)
    other = np.array([[lowest // 2, 0, highest // 2]], np.int64)
    (reals,) = samples.read(npz(tmp_path / "other.npz", x=other), [spec]).inputs
    assert reals.dtype == np.float32, "other integers are numbers like others"


@pytest.mark.parametrize("dtype", [DType.INT8, DType.INT16, DType.FLOAT32])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("form", [">", "<", "F"])
def test_the_order_of_bytes_and_of_axes_changes_nothing(tmp_path: Path, dtype: DType, suffix: str, form: str) -> None:
    """A file may come from another machine, or from Fortran; integers of the input's own type stay what they are."""
    x = np.arange(-6, 6).reshape(4, 3).astype(dtype.numpy)
    written = np.asfortranarray(x) if form == "F" else x.astype(x.dtype.newbyteorder(form))
    path = tmp_path / f"s.{suffix}"
    if suffix == "npy":
        np.save(path, written)
    else:
        np.savez(path, x=written)
    spec = TensorSpec("in", dtype, (1, 3), 0 if dtype is DType.FLOAT32 else 0.01, 0)
    (found,) = samples.read(path, [spec]).inputs
    assert found.dtype == np.dtype(dtype.numpy)
    assert found.flags.c_contiguous
    assert found.tobytes() == x.tobytes()


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x_0": np.ones((4, 3)), "x_1": np.ones((5, 5))}, "4, 5 samples"),
        ({"in": np.ones((4, 3)), "in 2": np.ones((3, 5))}, "4, 3 samples"),
        ({"x_0": np.ones((0, 3)), "x_1": np.ones((0, 5))}, "'x_0' has no samples"),
        ({"x_0": np.ones((4, 3)), "x_1": np.ones((0, 5))}, "'x_1' has no samples"),
        ({"x_0": np.ones((4, 3)), "x_1": np.ones((4, 5)), "y": np.ones(0)}, "4 inputs and 0 targets"),
    ],
)
def test_inputs_that_do_not_have_as_many_samples_are_refused(
    tmp_path: Path, arrays: dict[str, Any], words: str
) -> None:
    two = [SPEC, TensorSpec("in 2", DType.INT8, (1, 5), 0.5, 4)]
    with pytest.raises(ConfigError, match=words) as caught:
        samples.read(npz(tmp_path / "s.npz", **arrays), two)
    assert caught.value.hint


@pytest.mark.parametrize(
    "x",
    [
        np.zeros(4, [("a", "<f4"), ("b", "<i4")]),
        np.ones((4, 3), complex),
        np.ones((4, 3)).astype("M8[s]"),
        np.full((4, 3), "a"),
        np.zeros((4, 3), "V4"),
        np.full((4, 3), 1, object),
    ],
    ids=lambda x: x.dtype.kind,
)
@pytest.mark.parametrize("name", ["x", "y"])
def test_what_is_no_number_is_refused(tmp_path: Path, x: Any, name: str) -> None:
    arrays = {"x": np.ones((4, 3)), "y": np.ones(4)} | {name: x}
    np.save(tmp_path / "s.npy", x, allow_pickle=True)
    for path in (npz(tmp_path / "s.npz", **arrays), tmp_path / "s.npy"):
        with pytest.raises(InputError, match=r"not numbers|pickled Python objects") as caught:
            samples.read(path, [SPEC])
        assert caught.value.hint


@given(st.lists(st.tuples(st.integers(-140, 140), st.sampled_from([-0.4, 0.0, 0.4])), min_size=3, max_size=3))
def test_what_saturates_is_counted(steps: list[tuple[int, float]]) -> None:
    """A value is nearest to a step, and is cut off if that is no int8."""
    x = np.array([[(step + fraction - SPEC.zero_point) * SPEC.scale for step, fraction in steps]], np.float32)
    assert vectors.saturated(SPEC, x) == (sum(not -128 <= step <= 127 for step, _ in steps), 3)


def test_the_names_and_shapes_of_both_sides_are_in_the_refusal(tmp_path: Path) -> None:
    path = npz(tmp_path / "s.npz", x=np.zeros((4, 2), np.int16), extra=np.zeros(7))
    with pytest.raises(ConfigError) as caught:
        samples.read(path, [SPEC])
    for words in ("(samples, 3)", "'x' (4, 2) int16", "'extra' (7,) float64"):
        assert words in caught.value.message
    two = [SPEC, TensorSpec("in 2", DType.INT8, (1, 5, 1), 0.5, 4)]
    with pytest.raises(ConfigError, match=r"has no array 'x_0'.*'x_0' \(samples, 3\), 'x_1' \(samples, 5, 1\)"):
        samples.read(path, two)


@pytest.mark.parametrize(("own", "shape"), [((3,), (3, 1)), ((1, 3), (3,)), ((2, 1, 2), (2, 2, 1)), ((), (1,))])
def test_axes_of_one_are_added_and_left_out(tmp_path: Path, own: tuple[int, ...], shape: tuple[int, ...]) -> None:
    x = np.arange(4 * max(1, int(np.prod(own))), dtype=np.float32).reshape(4, *own)
    spec = TensorSpec("in", DType.INT8, (1, *shape), 0.5, 4)
    (found,) = samples.read(npz(tmp_path / "s.npz", x=x), [spec]).inputs
    assert found.shape == (4, *shape)
    np.testing.assert_array_equal(found.reshape(-1), x.reshape(-1))


def test_axes_that_are_swapped_are_refused(tmp_path: Path) -> None:
    spec = TensorSpec("in", DType.INT8, (1, 2, 3), 0.5, 4)
    with pytest.raises(ConfigError, match=re.escape("'x' has the shape (4, 3, 2), the model takes (samples, 2, 3)")):
        samples.read(npz(tmp_path / "s.npz", x=np.zeros((4, 3, 2))), [spec])


def test_rows_of_a_table_have_the_shape_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("1,2,3,4,5,6\n7,8,9,10,11,12\n")
    spec = TensorSpec("in", DType.FLOAT32, (1, 2, 3), 0.0, 0)
    (found,) = samples.read(tmp_path / "s.csv", [spec]).inputs
    assert found.tolist() == [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]


@pytest.mark.parametrize(("dtype", "scale", "first"), [(DType.INT8, 1 / 255, -128), (DType.UINT8, 2 / 255, 0)])
def test_pixels_go_from_end_to_end_of_an_input_of_8_bits(
    tmp_path: Path, dtype: DType, scale: float, first: int
) -> None:
    for name, grey in (("0", 0), ("1", 255)):
        (tmp_path / "i" / name).mkdir(parents=True)
        Image.new("L", (2, 2), grey).save(tmp_path / "i" / name / "a.png")
    spec = TensorSpec("in", dtype, (1, 2, 2, 1), scale, first)
    found = samples.read(tmp_path / "i", [spec])
    assert found.inputs[0].reshape(2, -1)[:, 0].tolist() == [first, first + 255]
    assert found.targets is not None
    assert found.targets.tolist() == [0, 1]


def made(tmp_path: Path, tiny_model: bytes, **arrays: Any) -> QuantizedModel:
    path = tmp_path / "m.TFLite"
    path.write_bytes(tiny_model)
    return model_file.tflite_model(path, npz(tmp_path / "s.npz", **arrays), tmp_path / "out", Silent())[0]


@pytest.mark.parametrize(("beyond", "said"), [(3, False), (4, True)])
def test_more_than_one_in_a_hundred_is_a_finding(tmp_path: Path, tiny_model: bytes, beyond: int, said: bool) -> None:
    x = VARIED.copy()
    x.reshape(-1)[:beyond] = 1e6
    model = made(tmp_path, tiny_model, x=x)
    assert (model.saturated[0].count, model.saturated[0].total) == (beyond, 300)
    found = health.findings(model)
    assert [each.kind for each in found] == (["saturated-samples"] if said else [])
    if said:
        assert "1.3 %" in found[0].cause
        assert found[0].hint


def test_labels_are_the_targets_of_the_samples_alone(tmp_path: Path, tiny_model: bytes) -> None:
    y = np.arange(20) % 2
    model = made(tmp_path, tiny_model, x=VARIED[:20], y=y)
    assert model.vectors.data is not None
    assert model.vectors.targets is not None
    assert int(model.vectors.data.sum()) == 20
    assert model.vectors.data[-20:].all()
    assert model.vectors.targets.tolist() == y.tolist()
    assert health.findings(model) == ()


def test_targets_that_are_no_classes_are_said_not_to_be_judged(tmp_path: Path, tiny_model: bytes) -> None:
    model = made(tmp_path, tiny_model, x=VARIED[:20], y=np.full(20, 0.5))
    assert model.vectors.targets is None
    (found,) = health.findings(model)
    assert found.kind == "targets-not-judged"


def test_as_many_targets_as_samples(tmp_path: Path, tiny_model: bytes) -> None:
    with pytest.raises(ConfigError, match="20 inputs and 19 targets"):
        made(tmp_path, tiny_model, x=np.zeros((20, 3)), y=np.zeros(19))
