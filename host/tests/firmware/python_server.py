"""tinyhil.sim.server in the place of a driver, over the engines of firmware/tests/fakes once more.

The same facts and the same clock as there, so that both servers are held to the same bytes.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyhil.affine import DType, TensorSpec
from tinyhil.link.messages import VERSION, Welcome
from tinyhil.sim.server import Identity, Server

from . import wire
from .oracle import CounterModel, LargeModel, Model

MODEL_HASH = bytes(17 * n for n in range(16)) + bytes(range(1, 17))
PROJECT_HASH = b"\xfe\xdc".ljust(32, b"\0")
FIRST_TICKS = 0xFFFFFF80
MAP_NORESERVE = 0x4000
"""Of Linux, which not every Python names."""
TICK_RATE = 1_000_000

COUNTER = (
    [TensorSpec("x", DType.INT8, (1, 3), 0.5, -128), TensorSpec("grösse", DType.INT16, (2,), 0.25, 0)],
    [
        TensorSpec("double", DType.INT8, (1, 3), 0.125, 127),
        TensorSpec(("abcdefghijklmnopqrstuvwxyz" * 3)[:63], DType.INT32, (1, 1, 1, 1, 1, 2), 0.0, 0),
    ],
)
LARGE = [
    TensorSpec("samples", DType.INT8, (1, 5000), 0.5, -128),
    TensorSpec("mask", DType.UINT8, (3, 7), 0.25, 255),
    TensorSpec("levels", DType.INT16, (2, 3), 0.125, 0),
    TensorSpec("offsets", DType.INT32, (2,), 0.0, 0),
    TensorSpec("gain", DType.FLOAT32, (1,), 0.0, 0),
]
HUGE = [
    TensorSpec("ocean", DType.UINT8, (0xFFFFFFFF,), 0.0, 0),
    TensorSpec("drop", DType.INT8, (8,), 0.0, 0),
]


class OracleEngine:
    """A model of the oracle as an engine."""

    def __init__(self, model: Model, init_status: int) -> None:
        self.ticks = FIRST_TICKS
        self._model = model
        self._init_status = init_status

    def init(self) -> int:
        return self._init_status

    def input(self, index: int) -> memoryview:
        return memoryview(self._model.inputs[index])

    def output(self, index: int) -> memoryview:
        return memoryview(self._model.outputs[index])

    def invoke(self) -> int:
        if not self._model.invoke():
            return wire.INVOKE_STATUS
        self.ticks += wire.TICKS_EACH
        return 0

    def reset(self) -> None:
        self._model.reset()


class HugeModel:
    """Inputs and outputs are the same memory; only pages that are touched take any."""

    def __init__(self) -> None:
        ocean: Any = mmap.mmap(-1, 0xFFFFFFFF, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE)
        self.inputs: list[Any] = [ocean, bytearray(8)]
        self.outputs = self.inputs

    def invoke(self) -> bool:
        return True

    def reset(self) -> None:
        """There is no state."""


FAKES: dict[str, tuple[Callable[[], Model], list[TensorSpec], list[TensorSpec], bool, int]] = {
    "counter": (CounterModel, *COUNTER, True, 1234),
    "large": (LargeModel, LARGE, LARGE, False, 0),
    "huge": (HugeModel, HUGE, HUGE, False, 0),
}


def register(fake: str) -> Path:
    """The name under which wire.raw() finds the server over an engine."""
    name = Path(f"python-server-{fake}")
    model, inputs, outputs, stateful, arena = FAKES[fake]

    def answer(data: bytes, payload: int, init_status: int = 0, tick_rate: int = TICK_RATE) -> bytes:
        engine = OracleEngine(model(), init_status)
        welcome = Welcome(
            version=VERSION,
            stateful=stateful,
            inputs=len(inputs),
            outputs=len(outputs),
            max_payload=payload,
            window=3,
            boot_id=wire.BOOT_ID,
            tick_rate=tick_rate,
            arena_bytes=arena,
            model_sha256=MODEL_HASH,
            project_sha256=PROJECT_HASH,
            engine="fake",
        )
        clock = (lambda: engine.ticks & 0xFFFFFFFF) if tick_rate else None
        server = Server(Identity(welcome, inputs, outputs, clock), engine)
        # In pieces, as a program reads its standard input.
        return b"".join(server.receive(data[at : at + 256]) for at in range(0, len(data), 256))

    wire.IN_PROCESS[name] = answer
    return name
