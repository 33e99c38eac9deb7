"""``python -m tinyhil.sim PROJECT``: the device of a project, until it is ended.

It names its serial port on standard output, once, as QEMU does. When it cannot go on it says why in its last line and
ends; a crash of the interpreter is named by Python's fault handler.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import secrets
import sys
import time
from pathlib import Path
from types import TracebackType

from tinyhil.errors import InputError, TinyhilError
from tinyhil.link.messages import VERSION, Welcome
from tinyhil.sim import facts
from tinyhil.sim.demo import PERIOD_S, Demo
from tinyhil.sim.interpreter import HostInterpreter
from tinyhil.sim.line import Line
from tinyhil.sim.server import Identity, Server

WINDOW = 4
"""A Linux pseudo-terminal holds about four of the largest frames each way (firmware/lib/port/posix)."""


def device(place: Path) -> tuple[Server, Demo | None]:
    """The device of a project or an image, after its start, and what it does without a host.

    Raises:
        ConfigError: there is none in that place.
        MissingToolError: tflite-micro is not installed.
    """
    known, model = facts.load(place)
    inputs, outputs = ([tensor.spec for tensor in side] for side in (known.inputs, known.outputs))
    welcome = Welcome(
        version=VERSION,
        stateful=known.stateful,
        inputs=len(inputs),
        outputs=len(outputs),
        max_payload=known.max_payload,
        window=WINDOW,
        boot_id=secrets.randbits(32),
        tick_rate=0,
        arena_bytes=0,
        model_sha256=bytes.fromhex(known.model_sha256),
        project_sha256=bytes.fromhex(known.project_sha256),
        engine=facts.ENGINE,
    )
    engine = HostInterpreter(model, inputs, outputs, stateful=known.stateful)
    server = Server(Identity(welcome, inputs, outputs), engine)
    demo = None if known.demo is None else Demo(known.demo, server, engine, (inputs[0], outputs[0]))
    return server, demo


MAX_BYTES = 2 << 30
"""Of memory, which is ten times what the largest models of microcontrollers take here."""


def main(arguments: list[str]) -> None:
    """Serves for ever.

    Raises:
        InputError: the arguments are not one place.
        TinyhilError: the device cannot be had.
    """
    if len(arguments) != 1:
        raise InputError(
            f"a simulated device is of one project, and {len(arguments)} are named",
            hint="usage: python -m tinyhil.sim PROJECT",
        )
    server, demo = device(Path(arguments[0]))
    line = Line()
    os.write(1, f"serial port redirected to {line.path}\n".encode())
    while True:
        line.write(server.receive(line.read(None if demo is None else PERIOD_S)))
        if demo is not None:
            line.offer(demo.pass_time(time.monotonic()))


def _limit_memory() -> None:
    """Keeps a model that is not what it says from taking all memory: the interpreter's arena is a small part of it."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What Python says of an error that nobody caught: for one of ours, its message and the next step alone."""
    if isinstance(error, TinyhilError):
        os.write(2, f"{'; '.join(filter(None, [error.message, error.hint]))}\n".encode())
    else:
        sys.__excepthook__(kind, error, trace)


if __name__ == "__main__":
    faulthandler.enable()
    _limit_memory()
    sys.excepthook = _last_words
    main(sys.argv[1:])
