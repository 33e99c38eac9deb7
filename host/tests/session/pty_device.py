"""A device at the end of a real pseudo-terminal, behind a symbolic link, that can go away and come back.

There is no USB here, and nothing that could be unplugged. What a session sees of it is the same: the terminal hangs up,
its name is gone, and the link leads to another terminal some time later.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import Vectors
from tinyhil.session.identity import Identity
from tinyhil.session.journal import Origin

from ..link.device_role import WELCOME, DeviceRole

INPUTS = (TensorSpec("in", DType.INT8, (1, 4), 1.0, 0),)
OUTPUTS = (TensorSpec("out", DType.INT8, (1, 4), 1.0, 0),)
IDENTITY = Identity(WELCOME.model_sha256.hex(), WELCOME.project_sha256.hex(), INPUTS, OUTPUTS)
ORIGIN = Origin("m" * 64, "p" * 64, "f" * 64, "v" * 64)
COUNT = 50
BATCH = 4
REQUESTS = -(-COUNT // BATCH)


def invert(vector: bytes) -> bytes:
    """The device's model."""
    return bytes(255 - byte for byte in vector)


def vectors() -> Vectors:
    """What it is asked, and what it has to answer."""
    inputs = np.random.default_rng(7).integers(-128, 127, (COUNT, 1, 4), np.int8)
    return Vectors((inputs,), (~inputs,), None, exhaustive=False)


class PtyDevice:
    """Runs a DeviceRole on a thread.

    Args:
        link: the symbolic link to its terminal.
        role: the device.
        before: called before each answer is sent, with the number of vectors computed so far.

    Attributes:
        silent: whether it answers nothing.
        babble: what it sends over and over while it is silent.
        pace: seconds that it takes over each byte, in both directions.
        plugged: how often it was plugged in.
    """

    def __init__(self, link: Path, role: DeviceRole, before: Callable[[PtyDevice, int], None] | None = None) -> None:
        self.link = link
        self.role = role
        self.silent = False
        self.babble = b""
        self.pace = 0.0
        self.plugged = 0
        self._before = before
        self._master = -1
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    @property
    def terminal(self) -> int:
        """The descriptor of its end of the terminal."""
        return self._master

    def plug(self) -> None:
        """A new terminal; the link leads to it."""
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)
        tty.setraw(slave)
        self.plugged += 1
        fresh = self.link.with_name(f"{self.link.name}.new")
        fresh.symlink_to(os.ttyname(slave))
        os.close(slave)
        fresh.replace(self.link)

    def unplug(self) -> None:
        """The terminal hangs up, and the link is gone."""
        self.link.unlink()
        os.close(self._master)
        self._master = -1

    def reset(self) -> None:
        """Goes away, and comes back restarted.

        The restart comes first: the host sees the hang-up at once, on a thread of its own, and what it then finds in
        the role has to be what the next terminal shows.
        """
        self.role.restart()
        self.unplug()
        self.plug()

    def __enter__(self) -> PtyDevice:
        self.plug()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._master >= 0:
            os.close(self._master)

    def _serve(self) -> None:
        while not self._ended.is_set():
            if self.silent and self.babble and self._master >= 0:
                self._put(self.babble)
            if not self._is_asked():
                self._ended.wait(0.001)
                continue
            with contextlib.suppress(OSError):  # nobody has opened the terminal at the moment
                for byte in os.read(self._master, 1 if self.pace else 4096):
                    self._take(byte)
                    self._ended.wait(self.pace)

    def _is_asked(self) -> bool:
        """Whether bytes wait in the terminal; none do where another thread unplugs it just now."""
        try:
            return self._master >= 0 and bool(select.select([self._master], [], [], 0.02)[0])
        except (OSError, ValueError):
            return False

    def _take(self, byte: int) -> None:
        for answer in self.role.receive(bytes([byte])):
            if self._before is not None:
                self._before(self, self.role.inferences)
            if self._master >= 0 and not self.silent:
                self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self.pace:
            self._put(answer)
            return
        for byte in answer:
            self._put(bytes([byte]))
            self._ended.wait(self.pace)

    def _put(self, data: bytes) -> None:
        """Writes as the terminal takes it, until the device is switched off: once nobody reads, its buffer is full."""
        terminal = self._master
        while data and not self._ended.is_set():
            if select.select([], [terminal], [], 0.02)[1]:
                with contextlib.suppress(BlockingIOError):  # it takes less than a page, and says so only now
                    data = data[os.write(terminal, data) :]


@contextlib.contextmanager
def device(
    link: Path,
    before: Callable[[PtyDevice, int], None] | None = None,
    model: Callable[[bytes], bytes] = invert,
    **options: Any,
) -> Iterator[PtyDevice]:
    """A device that is plugged in; ``options`` are those of its role."""
    with PtyDevice(link, DeviceRole(INPUTS, OUTPUTS, model, max_payload=256, window=2, **options), before) as plugged:
        yield plugged
