"""Scale and zero point arithmetic, the only copy in this package.

``real = scale * (quantized - zero_point)``: TensorFlow Lite 8-bit quantization specification,
https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt


class DType(Enum):
    """Element types that a model may have at its inputs and outputs.

    The value is the code on the wire (docs/protocol.md, "Element types").
    """

    INT8 = 1
    UINT8 = 2
    INT16 = 3
    INT32 = 4
    FLOAT32 = 5

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The little-endian NumPy dtype of one element."""
        return np.dtype(_NUMPY[self])

    @property
    def limits(self) -> tuple[int, int]:
        """The lowest and the highest integer of the type.

        Raises:
            ValueError: it is not an integer type.
        """
        limits = np.iinfo(self.numpy.name)
        return int(limits.min), int(limits.max)

    @classmethod
    def of(cls, dtype: npt.DTypeLike) -> DType:
        """The code of a NumPy dtype.

        Raises:
            ValueError: the link has no code for it.
        """
        wanted = np.dtype(dtype).newbyteorder("<")
        for member, name in _NUMPY.items():
            if np.dtype(name) == wanted:
                return member
        raise ValueError(f"element type {np.dtype(dtype).name} has no code on the link")


def unit_of_difference(dtypes: Iterable[DType]) -> str:
    """What a difference between two values is counted in: steps of integers, or of floats as float32 has them."""
    return " or ".join(sorted({"ULP" if dtype is DType.FLOAT32 else "LSB" for dtype in dtypes}))


_NUMPY = {DType.INT8: "<i1", DType.UINT8: "<u1", DType.INT16: "<i2", DType.INT32: "<i4", DType.FLOAT32: "<f4"}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: as in the model file.
        dtype: element type.
        shape: fixed, batch included.
        scale: real units per LSB as float32, or 0.0 for a tensor that is not quantized.
        zero_point: the quantized value of real 0, 0 for a tensor that is not quantized.
    """

    name: str
    dtype: DType
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def elements(self) -> int:
        """How many elements one tensor has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes one tensor takes on the link and in the device's memory."""
        return self.elements * self.dtype.numpy.itemsize

    @property
    def quantized(self) -> bool:
        """Whether the tensor carries integers that stand for reals."""
        return self.scale != 0.0

    def quantize(self, real: npt.ArrayLike) -> npt.NDArray[np.generic]:
        """Quantizes reals of any shape, rounding half away from zero and saturating.

        A tensor that is not quantized is only cast.

        Raises:
            ValueError: a value is NaN or infinite.
        """
        values = np.asarray(real, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"tensor {self.name!r}: a value to quantize is NaN or infinite")
        if not self.quantized:
            return values.astype(self.dtype.numpy)
        scaled = values / self.scale
        rounded = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled) + self.zero_point
        saturated: npt.NDArray[np.generic] = np.clip(rounded, *self.dtype.limits).astype(self.dtype.numpy)
        return saturated

    def dequantize(self, quantized: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The reals that quantized values of any shape stand for, as float64."""
        values = np.asarray(quantized, dtype=np.float64)
        if not self.quantized:
            return values
        return (values - self.zero_point) * self.scale
