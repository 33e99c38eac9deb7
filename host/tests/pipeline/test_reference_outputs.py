"""What is expected of inputs that a user makes up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import QuantizedModel, Vectors
from tinyhil.pipeline.reference_outputs import reference_outputs
from tinyhil.quantize import quantized_folder
from tinyhil.quantize.interpreters import TFLM, open_interpreter


@pytest.fixture
def model(
    quantized_model: Callable[[Path, bytes], QuantizedModel], tiny_model: bytes, tmp_path: Path
) -> QuantizedModel:
    """Three inputs, two outputs, and one vector of zeros whose reference is not what the model computes."""
    return quantized_model(tmp_path, tiny_model)


def test_the_model_s_own_vectors_are_looked_up(model: QuantizedModel) -> None:
    floats = (np.full((1, 1, 2), 0.5),)
    known = replace(model, vectors=replace(model.vectors, float_outputs=floats))
    found = reference_outputs(known, (np.zeros((1, 1, 3), np.int8),), stateful=True)
    assert found.reference is known.vectors.reference
    assert found.floats is floats


def test_others_are_computed_by_the_interpreter(model: QuantizedModel, tiny_model: bytes) -> None:
    inputs = np.random.default_rng(3).integers(-128, 128, (5, 1, 3), np.int8)
    found = reference_outputs(model, (inputs,), stateful=False)
    interpreter = open_interpreter(TFLM, tiny_model)
    wanted = np.stack([interpreter.run([vector])[0] for vector in inputs])
    np.testing.assert_array_equal(found.reference[0], wanted)
    assert len(np.unique(wanted)) > 1
    assert found.floats is None


def test_a_float_model_that_lies_beside_it_is_asked_too(model: QuantizedModel, tiny_model: bytes) -> None:
    """A file that takes no floats is no float model; one that is missing is none either."""
    model.path.with_name(quantized_folder.FLOAT).write_bytes(tiny_model)
    inputs = np.ones((1, 1, 3), np.int8)
    assert reference_outputs(model, (inputs,), stateful=False).floats is None


def exhaustive(model: QuantizedModel) -> QuantizedModel:
    """A model of one number, all 256 values of it, and a reference that no model computes."""
    scalar = TensorSpec("x", DType.INT8, (1, 1), 1.0, 0)
    values = np.arange(-128, 128).astype(np.int8).reshape(-1, 1, 1)
    vectors = Vectors((values,), (values[::-1].copy(),), (values.astype(np.float64) / 2,), exhaustive=True)
    return replace(model, inputs=(scalar,), outputs=(scalar,), vectors=vectors)


def test_where_all_inputs_are_known_nothing_is_computed(model: QuantizedModel) -> None:
    asked = np.array([5, -128, 5, 127], np.int8).reshape(-1, 1, 1)
    whole = exhaustive(model)
    whole.path.unlink()
    found = reference_outputs(whole, (asked,), stateful=False)
    assert found.reference[0].ravel().tolist() == [-6, 127, -6, -128]
    assert found.floats is not None
    assert found.floats[0].ravel().tolist() == [2.5, -64.0, 2.5, 63.5]


def test_but_not_where_an_output_depends_on_those_before_it(model: QuantizedModel) -> None:
    whole = exhaustive(model)
    whole.path.unlink()
    with pytest.raises(FileNotFoundError):
        reference_outputs(whole, (np.zeros((2, 1, 1), np.int8),), stateful=True)
