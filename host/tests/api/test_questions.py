"""What is typed becomes inputs, or an error that says what to type."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.affine import DType, TensorSpec
from tinyhil.api.questions import Questions
from tinyhil.artifacts.types import Vectors
from tinyhil.errors import InputError

ONE = TensorSpec("x", DType.INT8, (1, 1), 0.05, -3)
THREE = TensorSpec("v", DType.FLOAT32, (1, 3), 0.0, 0)
INDEX = TensorSpec("i", DType.INT32, (1, 1), 0.0, 0)


def questions(*specs: TensorSpec, data: tuple[bool, ...] = (True, False, True)) -> Questions:
    inputs = tuple(np.arange(3 * spec.elements).reshape(3, *spec.shape).astype(spec.dtype.numpy) for spec in specs)
    return Questions(specs, Vectors(inputs, (), None, exhaustive=False, data=np.array(data)))


def real(text: str, *specs: TensorSpec) -> list[list[float]]:
    made = questions(*specs).inputs(text)
    return specs[0].dequantize(made[0]).reshape(len(made[0]), -1).tolist()


@given(st.floats(-6, 6))
def test_a_number(value: float) -> None:
    ((found,),) = real(repr(value), ONE)
    assert found == ONE.dequantize(ONE.quantize(value))
    assert abs(found - value) <= ONE.scale / 2 + 1e-9


@pytest.mark.parametrize("text", ["1 2 3", "1,2,3", " 1.0 , 2 ,3e0 "])
def test_a_vector(text: str) -> None:
    assert real(text, THREE) == [[1, 2, 3]]


def test_several_inputs_one_behind_the_other() -> None:
    first, second = questions(THREE, ONE).inputs("1 2 3 0.5")
    assert first.reshape(-1).tolist() == [1, 2, 3]
    assert second.reshape(-1).tolist() == [7]


def test_an_index_is_no_real() -> None:
    assert real("7", INDEX) == [[7]]


@given(st.floats(-5, 5), st.floats(-5, 5), st.integers(1, 50))
def test_a_sweep(first: float, last: float, count: int) -> None:
    found = questions(ONE).inputs(f"sweep {first!r}..{last!r} {count}")[0].reshape(-1)
    np.testing.assert_array_equal(found, ONE.quantize(np.linspace(first, last, count)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("pi / 2", math.pi / 2),
        ("-(1 + 2) ** 2 / 3", -3.0),
        ("sin(0.5) + e", math.sin(0.5) + math.e),
        ("7 // 2 - 7 % 2", 2.0),
    ],
)
def test_an_expression_is_a_number(text: str, value: float) -> None:
    ((found,),) = real(f"{text}", ONE)
    assert found == ONE.dequantize(ONE.quantize(value))


def test_an_expression_over_a_sweep() -> None:
    found = questions(ONE).inputs("2 * sin(x) - x/10 over 0..6.28 100")[0].reshape(-1)
    x = np.linspace(0, 6.28, 100)
    np.testing.assert_array_equal(found, ONE.quantize(2 * np.sin(x) - x / 10))


@pytest.mark.parametrize(
    "text",
    [
        "sin(x)",
        "__import__('os').system('true')",
        "x.real over 0..1 5",
        "(lambda: 1)()",
        "[1][0]",
        "True",
        "1 if 1 else 2",
        "sin(1, 2)",
        "y + 1 over 0..1 5",
        "sqrt(-1)",
        "9 ** 9 ** 9 ** 9",
        "(" * 400 + "1" + ")" * 400,
        "1 +",
        "1" * 501 + " + 1",
        "log(x) over 0..1 5",
    ],
)
def test_what_is_no_expression_or_has_no_value_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        questions(ONE).inputs(text)


@pytest.mark.parametrize(("text", "value"), [("sample 0", 0), ("sample:1", 2)])
def test_a_sample_is_one_of_the_data(text: str, value: int) -> None:
    assert questions(ONE).inputs(text)[0].reshape(-1).tolist() == [value]


def test_by_chance() -> None:
    found = questions(ONE).inputs("random 50")[0].reshape(-1)
    assert len(found) == 50
    assert set(found.tolist()) == {0, 2}


def test_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[0.5], [1.0]]))
    assert questions(ONE).inputs(str(tmp_path / "x.npy"))[0].reshape(-1).tolist() == [7, 17]


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("", (ONE,)),
        ("hello", (ONE,)),
        ("nan", (ONE,)),
        ("1 2", (ONE,)),
        ("sample 2", (ONE,)),
        ("sample 99999999999", (ONE,)),
        ("sweep 0..1 0", (ONE,)),
        ("sweep 0..1 999999", (ONE,)),
        ("sweep 0..1 5", (THREE,)),
        ("random 0", (ONE,)),
        ("none.npy", (ONE,)),
        ("none.npy", (ONE, THREE)),
        ("1 2 3", (THREE, ONE)),
        ("inf", (INDEX,)),
    ],
)
def test_what_is_no_question(text: str, specs: tuple[TensorSpec, ...]) -> None:
    with pytest.raises(InputError) as caught:
        questions(*specs).inputs(text)
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04"], ids=["empty", "cut", "zip"])
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npy"):
        questions(ONE).inputs(str(tmp_path / "x.npy"))
