"""The other ends that the transports are tested against, behind one small interface."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from tinyhil.transport import Transport

PATIENCE_S = 30.0
"""Far beyond what any exchange takes; only a hang uses it up."""


@dataclass
class Peer:
    """The other end, used by blocking calls."""

    transport: Transport
    send: Callable[[bytes], int]
    receive: Callable[[int], bytes]
    hang_up: Callable[[], None]

    def receive_all(self, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        data = b""
        while len(data) < size:
            data += self.receive(65536)
        return data


@dataclass
class Terminal:
    """A pseudo terminal: the emulator's side is ``master``, ours is opened by ``path``."""

    master: int
    path: str
    open: bool = True

    def hang_up(self) -> None:
        """Does what the end of the emulator's process does."""
        if self.open:
            os.close(self.master)
            self.open = False
