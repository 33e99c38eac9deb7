"""How a session gets its line to the device: for the first time, and again after the port went away.

A :class:`Line` is all that makes one conversation differ from another: the bytes, the clock, and the number that
requests start at; and for old recordings, when requests were repeated. Whoever plays these back plays back the
conversation (recording.py).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tinyhil.artifacts.retries import Tally
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError
from tinyhil.targets.wire import Link
from tinyhil.transport import RAISED, Rated, Transport, open_transport
from tinyhil.transport.finder import PortFinder

_PAUSE_S = 0.05
"""Between two looks for a port that went away."""


@dataclass(frozen=True)
class Line:
    """One open line.

    Attributes:
        transport: the bytes. Who got the line closes it.
        first_sequence: what the connection's requests are numbered from.
        clock: seconds of a monotonic clock; the only one that the connection is told.
        adaptive: whether the connection learns from round trips how long silence is borne. Conversations were recorded
            before it did, and are played back as they were.
        max_baud: highest rate in bit/s that the line may be taken to; 0 where it keeps the one it was opened with.
        stays: whether the device goes on running when the session is over, so that it is told.
        tally: takes what the conversation does again.
    """

    transport: Transport
    first_sequence: int
    clock: Callable[[], float]
    adaptive: bool = True
    max_baud: int = 0
    stays: bool = False
    tally: Tally = field(default_factory=Tally)


class Lines(Protocol):
    """Where lines come from."""

    def open(self, deadline: Deadline) -> Line:
        """Opens the line.

        Raises:
            DeviceError: it cannot be opened.
        """

    def reopen(self, deadline: Deadline, check: Callable[[], None]) -> Line:
        """Waits for a line that was lost to come back, and opens it.

        Args:
            check: raises DeviceError if the device's program has ended, which ends the wait.

        Raises:
            DeviceError: it did not come back before the deadline.
        """


class PortLines:
    """Lines through a port.

    Args:
        address: as :func:`tinyhil.transport.open_transport` takes it.
        baud: line rate in bit/s.
        finder: finds the port again under whatever name it returns.
        controls: of a serial port, DTR and RTS.
        max_baud: highest rate in bit/s that the line may be taken to, where the port has rates; 0 for none.
        stays: as ``Line`` has it.
    """

    def __init__(
        self,
        address: str,
        baud: int,
        finder: PortFinder | None = None,
        controls: tuple[bool, bool] = RAISED,
        max_baud: int = 0,
        stays: bool = False,
    ) -> None:
        self._max_baud = max_baud
        self._stays = stays
        self._baud = baud
        self._controls = controls
        self._finder = finder or PortFinder(address)

    def open(self, deadline: Deadline) -> Line:
        """See ``Lines.open``."""
        transport = open_transport(self._finder.locate(), baud=self._baud, deadline=deadline, controls=self._controls)
        self._finder.remember()
        max_baud = self._max_baud if isinstance(transport, Rated) else 0
        return Line(transport, secrets.randbits(32), time.monotonic, max_baud=max_baud, stays=self._stays)

    def reopen(self, deadline: Deadline, check: Callable[[], None]) -> Line:
        """See ``Lines.reopen``. A port that is there but cannot be opened yet (no permission yet) is waited for too."""
        while True:
            # First the pause: a port that is gone often keeps its name for a moment.
            time.sleep(deadline.within(_PAUSE_S))
            check()
            try:
                return self.open(deadline)
            except DeviceError as error:
                if deadline.expired:
                    raise DeviceError(
                        f"the port went away and did not come back within {deadline.seconds:g} s: {error.message}",
                        hint="plug the board in again",
                    ) from error


def lines_to(address: str, link: Link, finder: PortFinder | None = None, *, stays: bool = False) -> PortLines:
    """Lines to a device, as its target file describes them; ``stays`` is that of the device."""
    return PortLines(address, link.baud, finder, link.controls, link.max_baud, stays)
