"""A device that runs its firmware for as long as it is wanted, and sessions with it."""

from __future__ import annotations

from collections.abc import Callable

from tinyhil.artifacts.types import FirmwareImage
from tinyhil.deadline import Deadline
from tinyhil.device.base import Device
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import DeviceError
from tinyhil.progress import Silent
from tinyhil.session import Identity, Session, lines_to, open_session
from tinyhil.session.lines import Line, Lines
from tinyhil.targets.model import Target
from tinyhil.targets.wire import Link


class RunningDevice:
    """A started device.

    Ownership: whoever opened it stops it (``Run.running_device`` does); sessions are their opener's to close.

    Args:
        device: the device, not started yet.
        image: what it runs.
        identity: what it has to say of itself.
        target: its facts.

    Attributes:
        port: its serial port, as a transport or a fault proxy opens it; another one after each ``restart``.
        target: its facts.

    Raises:
        BlockedError: it did not start.
    """

    def __init__(self, device: Device, image: FirmwareImage, identity: Identity, target: Target) -> None:
        self.target = target
        self._device = device
        self._image = image
        self._identity = identity
        self.port = self._started()

    @property
    def can_restart(self) -> bool:
        """Whether it was started here, so that it can be switched off and on again."""
        return isinstance(self._device, EmulatorDevice)

    def check(self) -> None:
        """Returns while it runs, as far as that is known.

        Raises:
            DeviceError: it has ended.
        """
        self._device.check()

    def restart(self) -> str:
        """Switches the device off and on again, as a power cut does, and returns its new port.

        A session that is open goes on when it has found the new port.

        Raises:
            DeviceError: it was not started here: a board's reset button is for people.
        """
        if not self.can_restart:
            raise DeviceError(f"{self.target.name} was not started here", hint="press its reset button")
        self.port = self._started()
        return self.port

    def session(self, port: str | None = None, *, parting: bool = False) -> Session:
        """Opens a session; close it, or use it as a context manager.

        Args:
            port: a port that leads to the device, such as a fault proxy's; by default its own.
            parting: the device is told when the session is over, even if it ends with us: it goes back to its demo.

        Raises:
            DeviceError: it does not answer there, or is not the one that is meant.
            LinkError: it does not speak the protocol.
        """
        link, stays = self.target.link, self._device.stays or parting
        lines: Lines = (
            _CurrentPort(lambda: self.port, link, stays) if port is None else lines_to(port, link, stays=stays)
        )
        return open_session(lines, self._identity, self.target, self._device.check, Silent())

    def _started(self) -> str:
        return self._device.start(self._image.elf, Deadline.after(self.target.start_within))


class _CurrentPort:
    """Lines to a port whose name changes when the device is started again."""

    def __init__(self, port: Callable[[], str], link: Link, stays: bool) -> None:
        self._port = port
        self._link = link
        self._stays = stays

    def open(self, deadline: Deadline) -> Line:
        """See ``Lines.open``."""
        return lines_to(self._port(), self._link, stays=self._stays).open(deadline)

    def reopen(self, deadline: Deadline, check: Callable[[], None]) -> Line:
        """See ``Lines.reopen``."""
        return lines_to(self._port(), self._link, stays=self._stays).reopen(deadline, check)
