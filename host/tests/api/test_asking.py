"""Questions to a real device, with the reference's answers beside its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhil import api
from tinyhil.affine import DType, TensorSpec
from tinyhil.api.asking import Answer, Asker, line_of, model_curves
from tinyhil.artifacts.types import QuantizedModel, Vectors
from tinyhil.errors import InputError


def test_a_device_answers_what_the_reference_says(tiny_model: bytes, tmp_path: Path) -> None:
    np.savez(tmp_path / "samples.npz", x=np.arange(12.0).reshape(4, 3))
    run = api.open_run(tiny_model, target="sim", build_dir=tmp_path / "build", samples=tmp_path / "samples.npz")
    with api.session_with(run) as session, Asker(run) as asker:
        answers = asker.ask("1 2.2 3", session) + asker.ask("random 5", session)
        (sample,) = asker.ask("sample 1", session)
        with pytest.raises(InputError):
            asker.ask("hello", session)
    assert [answer.distance for answer in answers] == [0] * 6
    for answer in answers:
        np.testing.assert_array_equal(answer.device, answer.reference)
        assert answer.floats is None
        assert answer.cost is None
    assert answers[0].inputs.tolist() == [1, 2, 3]  # 2.2 is no multiple of the input's scale
    assert sample.inputs.shape == (3,)


def test_an_answer_in_a_row() -> None:
    one = Answer(np.array([1.5]), np.array([0.25]), np.array([0.5]), np.array([0.3]), 2, 1234.0, "instructions")
    assert line_of(one) == "x 1.5  device 0.25  reference 0.5  float 0.3  2 LSB apart  1,234 instructions"
    many = Answer(np.arange(784.0), np.array([0.1, 0.9]), np.array([0.1, 0.9]), None, 0, None, "")
    assert line_of(many) == (
        "x [0 1 2 3 ... of 784]  device [0.1 0.9; largest 1]  reference [0.1 0.9; largest 1]  exact"
    )


def model(inputs: TensorSpec, outputs: TensorSpec, vectors: Vectors) -> QuantizedModel:
    return QuantizedModel(
        recipe="a", path=Path("a"), sha256="", scheme="int8", inputs=(inputs,), outputs=(outputs,), ops=(),
        vectors=vectors, key="", reference="",
    )  # fmt: skip


def test_the_curves_of_a_model() -> None:
    spec = TensorSpec("x", DType.INT8, (1, 1), 0.5, 0)
    values = np.array([3, -2, 1, 0], np.int8).reshape(4, 1, 1)
    known = Vectors(
        (values,), (-values,), (values.astype(float),), exhaustive=False, data=np.array([True, True, True, False])
    )
    curves = model_curves(model(spec, spec, known))
    np.testing.assert_array_equal(curves["reference"], [[-1, 0.5, 1.5], [1, -0.5, -1.5]])
    np.testing.assert_array_equal(curves["float model"], [[-1, 0.5, 1.5], [-2, 1, 3]])
    wide = TensorSpec("x", DType.INT8, (1, 2), 0.5, 0)
    assert model_curves(model(wide, spec, known)) == {}
