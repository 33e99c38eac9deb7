"""The models of the tests: small or large, with state or without."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from tinyhil.affine import DType, TensorSpec

from .device_role import DeviceRole, never, never_at


class Digest:
    """A model whose output depends on every bit of the input."""

    def __init__(self, output_bytes: int) -> None:
        self._output_bytes = output_bytes

    def __call__(self, vector: bytes) -> bytes:
        return hashlib.shake_128(vector).digest(self._output_bytes)


class Chain:
    """A model with state, whose output depends on every bit of all vectors since it was cleared."""

    def __init__(self, output_bytes: int) -> None:
        self._output_bytes = output_bytes
        self.clear()

    def clear(self) -> None:
        self._state = b""

    def __call__(self, vector: bytes) -> bytes:
        self._state = hashlib.sha256(self._state + vector).digest()
        return hashlib.shake_128(self._state).digest(self._output_bytes)


def tensors(*sizes: tuple[DType, int]) -> list[TensorSpec]:
    return [TensorSpec(f"t{index}", dtype, (1, size), 0.0, 0) for index, (dtype, size) in enumerate(sizes)]


SMALL = (tensors((DType.INT8, 12)), tensors((DType.INT8, 5)))
LARGE = (
    tensors((DType.INT8, 301), (DType.FLOAT32, 40), (DType.UINT8, 1)),
    tensors((DType.INT16, 77), (DType.INT32, 30), (DType.UINT8, 7)),
)
"""All element types, several tensors a side, and sizes that no payload divides."""


@dataclass(frozen=True)
class Kind:
    """One kind of model."""

    name: str
    tensors: tuple[list[TensorSpec], list[TensorSpec]]
    stateful: bool

    @property
    def input_bytes(self) -> int:
        return sum(spec.nbytes for spec in self.tensors[0])

    @property
    def output_bytes(self) -> int:
        return sum(spec.nbytes for spec in self.tensors[1])

    def capacity(self, max_payload: int) -> int:
        """Most vectors that one request carries."""
        return max(1, min((max_payload - 2) // self.input_bytes, (max_payload - 6) // self.output_bytes))

    def device(
        self,
        *,
        window: int = 4,
        max_payload: int = 100,
        forgets: Callable[[], bool] = never,
        restarts: Callable[[int], bool] = never_at,
    ) -> DeviceRole:
        """A device that runs it."""
        chain = Chain(self.output_bytes)
        return DeviceRole(
            *self.tensors,
            chain if self.stateful else Digest(self.output_bytes),
            clear=chain.clear if self.stateful else None,
            window=window,
            max_payload=max_payload,
            forgets=forgets,
            restarts=restarts,
        )

    def answers(self, vectors: list[bytes]) -> list[bytes]:
        """What it answers to these vectors, from the start."""
        model = Chain(self.output_bytes) if self.stateful else Digest(self.output_bytes)
        return [model(vector) for vector in vectors]


KINDS = [
    Kind("small", SMALL, False),
    Kind("large", LARGE, False),
    Kind("small-with-state", SMALL, True),
    Kind("large-with-state", LARGE, True),
]
