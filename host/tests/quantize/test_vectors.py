"""The inputs that are sent to the device."""

from __future__ import annotations

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.quantize import vectors


def spec_of(dtype: DType, shape: tuple[int, ...], scale: float = 0.5, zero_point: int = 3) -> TensorSpec:
    return TensorSpec("in", dtype, shape, scale, zero_point)


@pytest.mark.parametrize("dtype", [DType.INT8, DType.UINT8, DType.INT16])
@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1, 1)])
def test_one_small_element_is_sent_in_all_its_values(dtype: DType, shape: tuple[int, ...]) -> None:
    (chosen,), exhaustive = vectors.choose([spec_of(dtype, shape)], [np.array([[0.0]])])
    assert exhaustive
    assert chosen.dtype == dtype.numpy
    assert chosen.shape == (256**dtype.numpy.itemsize, *shape)
    lowest, highest = dtype.limits
    assert chosen.ravel().tolist() == list(range(lowest, highest + 1))


@pytest.mark.parametrize(
    "spec",
    [spec_of(DType.INT8, (1, 2)), spec_of(DType.INT16, (1, 2, 1)), spec_of(DType.INT8, (1, 28, 28, 1), 0.01, -128)],
)
def test_otherwise_the_samples_are_sent_after_drawn_ones(spec: TensorSpec) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (5, *spec.shape[1:]))
    (chosen,), exhaustive = vectors.choose([spec], [samples])
    assert not exhaustive
    assert chosen.dtype == spec.dtype.numpy
    assert chosen.shape[1:] == spec.shape
    for vector, corner in zip(chosen, (spec.dtype.limits[0], spec.zero_point, spec.dtype.limits[1]), strict=False):
        assert (vector == corner).all()
    assert (chosen[-5:, 0] == spec.quantize(samples)).all()
    (drawn,), _ = vectors.draw([spec], count=vectors.BESIDE)
    assert (chosen[:-5] == drawn).all()
    assert vectors.BESIDE < len(drawn) < vectors.BESIDE + 6


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT32])
def test_what_is_not_quantized_has_zero_beside_its_samples(dtype: DType) -> None:
    spec = TensorSpec("in", dtype, (1, 1), 0.0, 0)
    (chosen,), exhaustive = vectors.choose([spec], [np.array([[2.0], [-4.0]])])
    assert not exhaustive
    assert chosen.dtype == spec.dtype.numpy
    assert chosen.ravel().tolist() == [0, 2, -4]


def test_several_inputs_are_sampled_side_by_side() -> None:
    one, other = spec_of(DType.INT8, (1, 1)), spec_of(DType.INT16, (1, 2), 0.25, 0)
    samples = [np.array([[1.0], [2.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])]
    chosen, exhaustive = vectors.choose([one, other], samples)
    assert not exhaustive
    assert len(chosen[0]) == len(chosen[1])
    assert chosen[0][-2:].ravel().tolist() == [2 + 3, 4 + 3]
    assert chosen[1][-2:].ravel().tolist() == [4, 8, 12, 16]


def test_each_input_needs_its_samples() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        vectors.choose([spec_of(DType.INT8, (1, 2))], [])
