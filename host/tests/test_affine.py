"""Scale and zero point arithmetic against exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tinyhil.affine import DType, TensorSpec

INTEGERS = [dtype for dtype in DType if dtype is not DType.FLOAT32]
SCALES = st.floats(2.0**-40, 2.0**20, width=32)
REALS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def spec_of(dtype: DType, scale: float, zero_point: int = 0, shape: tuple[int, ...] = (1,)) -> TensorSpec:
    return TensorSpec("tensor", dtype, shape, scale, zero_point)


@st.composite
def quantized_specs(draw: st.DrawFn, scales: st.SearchStrategy[float] = SCALES) -> TensorSpec:
    dtype = draw(st.sampled_from(INTEGERS))
    return spec_of(dtype, draw(scales), draw(st.integers(*dtype.limits)))


def quantize_one(spec: TensorSpec, real: float) -> int:
    return int(spec.quantize(real))


@given(quantized_specs(), st.data())
def test_a_real_in_the_range_comes_back_within_half_a_step(spec: TensorSpec, data: st.DataObject) -> None:
    lowest, highest = spec.dtype.limits
    scale = Fraction(spec.scale)
    real = data.draw(st.floats(float(scale * (lowest - spec.zero_point)), float(scale * (highest - spec.zero_point))))
    assume(scale * (lowest - spec.zero_point) <= Fraction(real) <= scale * (highest - spec.zero_point))
    error = abs(scale * (quantize_one(spec, real) - spec.zero_point) - Fraction(real))
    # The division and the addition of one half are rounded to 53 bits, by at most half a unit in the last place each.
    rounding = (abs(Fraction(real)) / scale + 1) / 2**52
    assert error <= scale * (Fraction(1, 2) + rounding)


@given(quantized_specs(st.integers(-30, 10).map(lambda exponent: 2.0**exponent)), st.integers(-(2**34), 2**34))
@example(spec_of(DType.INT8, 0.5, -3), 2)
@example(spec_of(DType.INT8, 0.5, -3), -2)
def test_rounding_is_half_away_from_zero_and_saturates(spec: TensorSpec, quarters: int) -> None:
    """Quarters of a step of a power of two: every operation on them is exact, ties included."""
    lowest, highest = spec.dtype.limits
    nearest = math.floor(Fraction(abs(quarters), 4) + Fraction(1, 2)) * (1 if quarters >= 0 else -1)
    assert quantize_one(spec, quarters * spec.scale / 4) == min(max(nearest + spec.zero_point, lowest), highest)


@given(quantized_specs(), REALS)
def test_reals_outside_the_range_saturate(spec: TensorSpec, real: float) -> None:
    lowest, highest = spec.dtype.limits
    exact = Fraction(real) / Fraction(spec.scale) + spec.zero_point
    if exact > highest:
        assert quantize_one(spec, real) == highest
    elif exact < lowest:
        assert quantize_one(spec, real) == lowest
    else:
        assert lowest <= quantize_one(spec, real) <= highest


@given(quantized_specs(), st.data())
def test_what_an_integer_stands_for_quantizes_back_to_it(spec: TensorSpec, data: st.DataObject) -> None:
    value = data.draw(st.integers(*spec.dtype.limits))
    real = spec.dequantize(value)
    assert real.dtype == np.float64
    # Difference and scale are exact in float64, so their product is rounded once.
    assert float(real) == float(Fraction(spec.scale) * (value - spec.zero_point))
    assert quantize_one(spec, float(real)) == value


@pytest.mark.parametrize("dtype", INTEGERS)
def test_arrays_of_any_shape(dtype: DType) -> None:
    lowest, highest = dtype.limits
    spec = spec_of(dtype, 0.5, 1, (2, 3))
    values = np.array([[lowest, 0, highest], [1, 2, 3]])
    back = spec.quantize(spec.dequantize(values))
    assert back.shape == (2, 3)
    assert back.dtype == dtype.numpy
    assert back.tolist() == values.tolist()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("spec", [spec_of(DType.INT8, 0.5), spec_of(DType.FLOAT32, 0.0)])
def test_what_is_not_a_number_is_refused(spec: TensorSpec, bad: float) -> None:
    with pytest.raises(ValueError, match=r"'tensor'.*NaN or infinite"):
        spec.quantize([0.0, bad])


@given(st.lists(REALS, max_size=8))
@example([-0.0])
def test_float32_passes_unchanged(reals: list[float]) -> None:
    spec = spec_of(DType.FLOAT32, 0.0)
    assert not spec.quantized
    values = np.array(reals, "<f4")
    assert spec.quantize(values).tobytes() == values.tobytes()
    assert spec.dequantize(values).astype("<f4").tobytes() == values.tobytes()


def test_integers_that_are_not_quantized_pass_unchanged() -> None:
    spec = spec_of(DType.INT32, 0.0)
    assert spec.quantize([-7, 0, 2**31 - 1]).tolist() == [-7, 0, 2**31 - 1]
    assert spec.dequantize([-7, 5]).tolist() == [-7.0, 5.0]


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (DType.INT8, "int8"),
        (DType.UINT8, "uint8"),
        (DType.INT16, "int16"),
        (DType.INT32, "int32"),
        (DType.FLOAT32, "float32"),
    ],
)
def test_element_types_have_a_code_in_either_byte_order(dtype: DType, name: str) -> None:
    assert dtype.numpy.name == name
    assert dtype.numpy == dtype.numpy.newbyteorder("<")
    assert DType.of(name) is dtype
    assert DType.of(np.dtype(name).newbyteorder(">")) is dtype
    assert DType.of(dtype.numpy) is dtype


@pytest.mark.parametrize("name", ["bool", "int64", "uint16", "uint32", "float16", "float64", "complex64", "U1"])
def test_other_element_types_have_none(name: str) -> None:
    with pytest.raises(ValueError, match="has no code on the link"):
        DType.of(name)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_limits(dtype: DType) -> None:
    lowest, highest = dtype.limits
    assert highest - lowest == 256**dtype.numpy.itemsize - 1
    assert lowest in (0, -highest - 1)
    assert (lowest == 0) == dtype.numpy.name.startswith("u")


def test_a_float_type_has_no_limits() -> None:
    with pytest.raises(ValueError, match="integer"):
        _ = DType.FLOAT32.limits


@pytest.mark.parametrize("dtype", DType)
def test_sizes(dtype: DType) -> None:
    spec = spec_of(dtype, 0.0, shape=(1, 28, 28, 3))
    assert spec.elements == 28 * 28 * 3
    assert spec.nbytes == spec.elements * {"8": 1, "6": 2, "2": 4}[dtype.numpy.name[-1]]
