"""What the device does without a host: the twin of firmware/lib/demo, and of what firmware/src/app.cpp makes of it.

x sweeps a range, the model computes y, and every 20 ms there is a line ``x:1.2345 y:-0.9876``. The first frame whose
CRC holds ends it. A GOODBYE brings it back at once, and half a minute without a frame does; for the link that is a
start.
"""

from __future__ import annotations

import secrets

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.sim.facts import DemoFacts
from tinyhil.sim.server import Engine, Server

PERIOD_S = 0.02
"""From one line to the next."""

AFTER_S = 30.0
"""Without a frame, after which the host is taken for gone."""


class Demo:
    """Shows a model with one int8 number in and one out.

    Args:
        facts: the range of x.
        server: the device, which a host may have.
        engine: computes the model.
        tensors: its input and its output.
    """

    def __init__(
        self, facts: DemoFacts, server: Server, engine: Engine, tensors: tuple[TensorSpec, TensorSpec]
    ) -> None:
        self._facts = facts
        self._server = server
        self._engine = engine
        self._input, self._output = tensors
        self._at = 0
        self._frames = 0
        self._host_has_it = False
        self._since = 0.0

    def pass_time(self, now: float) -> bytes:
        """The next line, if it is time for one and no host has the device.

        Args:
            now: seconds of a monotonic clock.
        """
        if self._server.frames != self._frames:
            self._frames, self._since, self._host_has_it = self._server.frames, now, True
        if self._host_has_it:
            if not self._server.parted and now - self._since < AFTER_S:
                return b""
            self._server.begin(secrets.randbits(32))
            self._host_has_it, self._at, self._since = False, 0, 0.0
        if now - self._since < PERIOD_S:
            return b""
        self._since = now
        return self._line()

    def _line(self) -> bytes:
        """A step; empty where the engine fails."""
        x = float(np.float32(self._facts.start) + np.float32(self._at) * np.float32(self._facts.step))
        self._at = (self._at + 1) % self._facts.steps
        self._engine.input(0)[:] = self._input.quantize([x]).tobytes()
        if self._engine.invoke() != 0:
            return b""
        (y,) = self._output.dequantize(np.frombuffer(self._engine.output(0), self._output.dtype.numpy))
        return f"x:{_decimals(x)} y:{_decimals(y)}\n".encode()


def _decimals(value: float) -> str:
    """Four of them, and no minus before a zero."""
    text = f"{value:.4f}"
    return text.removeprefix("-") if float(text) == 0 else text
