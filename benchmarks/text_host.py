"""The baseline of goodput.py: a host that asks in text, one command at a time, in the manner of MLPerf Tiny's harness.

::

    db load N%      m-ready         N bytes of input follow
    db HEX%         m-ready         31 of them, or what is left, as hexadecimal
    infer%          m-results-[0.000,...], m-ready

Each command waits for ``m-ready`` before the next one is sent. Warm-up, repetitions and the name of the device, which
the harness also asks for, are left out, which can only flatter the baseline.
"""

from __future__ import annotations

from tinyhil.deadline import Deadline
from tinyhil.transport import Transport

INPUT_BYTES = 31
"""Input bytes in one command, each two digits."""

_READY = b"m-ready\r\n"


class TextHost:
    """Asks a device in text.

    Args:
        transport: the line to it, which stays its opener's.
        patience: seconds that one command may take.
    """

    def __init__(self, transport: Transport, patience: float) -> None:
        self._transport = transport
        self._patience = patience

    def infer(self, vector: bytes) -> list[float]:
        """The outputs for one vector."""
        self._command(f"db load {len(vector)}")
        for start in range(0, len(vector), INPUT_BYTES):
            self._command(f"db {vector[start : start + INPUT_BYTES].hex()}")
        said = self._command("infer")
        if not said.startswith("m-results-["):
            raise ValueError(f"the device said {said!r} instead of results")
        return [float(value) for value in said.removeprefix("m-results-[").rstrip().removesuffix("]").split(",")]

    def _command(self, text: str) -> str:
        """What the device says to a command, up to its being ready."""
        deadline = Deadline.after(self._patience)
        self._transport.write(f"{text}%".encode(), deadline)
        said = b""
        while not said.endswith(_READY):
            data = self._transport.read(4096, deadline.remaining)
            said += data
            if said.startswith(b"e-[") or not data:
                raise ValueError(f"the device said {said!r} to {text!r}")
        return said.removesuffix(_READY).decode()


def wire_seconds(inputs: int, outputs: int, baud: int) -> float:
    """How long the wire is busy for one inference, 8N1, one direction after the other."""
    commands = [f"db load {inputs}%", "infer%", "m-results-[" + ",".join(["0.000"] * outputs) + "]\r\n"]
    loads = -(-inputs // INPUT_BYTES)
    total = sum(map(len, commands)) + loads * len("db %") + 2 * inputs + (loads + 2) * len(_READY)
    return total * 10 / baud
