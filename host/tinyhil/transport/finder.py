"""Finds a port again that went away: the same board, under whatever name the system gives it next time.

A USB serial port is known by the board's serial number, which the system reads from it. A path whose board has no
serial number is tried again, unless a device of another kind has it now. A path that is no USB port is simply tried
again; a symbolic link may then lead elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from tinyhil import kinds, terminal
from tinyhil.errors import ConfigError, DeviceError

SCHEME = "usb:"


class PortInfo(Protocol):
    """What the system knows of a port (pyserial's ``ListPortInfo``)."""

    device: str
    serial_number: str | None
    location: str | None
    vid: int | None
    pid: int | None


class _Named(Protocol):
    device: str


_Usb = tuple[int | None, int | None, str | None]
"""Vendor, product, and serial number, which many have none of."""

_P = TypeVar("_P", bound=_Named)


def present() -> Iterable[PortInfo]:
    """The serial ports of this machine."""
    from serial.tools import list_ports  # slow, and not needed for every port

    ports: Iterable[PortInfo] = list_ports.comports()
    return ports


class PortFinder:
    """Knows one port, whatever it is called at the moment.

    Args:
        address: a device path, a symbolic link to one, ``usb:SERIALNUMBER``, or any other address, which is left alone.
        ports: lists the serial ports.

    Raises:
        ConfigError: ``usb:`` without a serial number.
    """

    def __init__(self, address: str, ports: Callable[[], Iterable[PortInfo]] = present) -> None:
        self._address = address
        self._ports = ports
        self._serial_number = ""
        self._function = ""
        self._kind: _Usb | None = None
        if address.startswith(SCHEME):
            self._serial_number = address.removeprefix(SCHEME)
            if not self._serial_number:
                raise ConfigError("usb: lacks the board's serial number", hint="write usb:SERIALNUMBER")

    def locate(self) -> str:
        """The address under which the port is to be opened now.

        Raises:
            DeviceError: no port has the board's serial number, or several have it; or another device has the path.
        """
        if not self._serial_number:
            self._refuse_another_kind()
            return self._address
        ports = [port for port in self._ports() if port.serial_number == self._serial_number]
        if len(ports) > 1:
            ports = [port for port in ports if _function(port) == self._function] or ports
        if len(ports) == 1:
            return ports[0].device
        if ports:
            names = ", ".join(sorted(port.device for port in ports))
            raise DeviceError(
                f"the board with the USB serial number {self._serial_number} has {len(ports)} ports: {names}",
                hint="give one of them with --port",
            )
        raise DeviceError(
            f"no port has the USB serial number {self._serial_number}",
            hint="plug the board in, or look at its name",
            kind=kinds.NO_BOARD,
        )

    def remember(self) -> None:
        """Notes which board is at the address now, to find it again. To be called while the port is open."""
        if self._serial_number or not is_path(self._address):
            return
        port = listed(self._address, self._ports())
        if port is not None and port.serial_number:
            self._serial_number = port.serial_number
            self._function = _function(port)
        elif port is not None and port.vid is not None:
            self._kind = _usb(port)

    def _refuse_another_kind(self) -> None:
        port = listed(self._address, self._ports()) if self._kind is not None else None
        if port is not None and _usb(port) != self._kind:
            raise DeviceError(
                f"{self._address} is another device now, and not the one that it was",
                hint="plug the board in that was there, or begin again with this one",
                kind=kinds.NO_BOARD,
            )


def serial_number(address: str, ports: Callable[[], Iterable[PortInfo]] | None = None) -> str:
    """The USB serial number of the board behind an address; empty where it has none, or is none of this machine's.

    Args:
        address: as for :class:`PortFinder`.
        ports: lists the serial ports; by default those of this machine.
    """
    if address.startswith(SCHEME):
        return address.removeprefix(SCHEME)
    if not is_path(address):
        return ""
    port = listed(address, present() if ports is None else ports())
    return (port.serial_number or "") if port is not None else ""


def is_path(address: str) -> bool:
    """Whether an address is the name of a port of this machine, and of no other form."""
    return "://" not in address and not address.startswith(("unix:", terminal.SCHEME))


def listed(path: str, ports: Iterable[_P]) -> _P | None:
    """The entry of the list that a path leads to."""
    real = os.path.realpath(path)
    return next((port for port in ports if os.path.realpath(port.device) == real), None)


def _usb(port: PortInfo) -> _Usb:
    return port.vid, port.pid, port.serial_number


def _function(port: PortInfo) -> str:
    """Which of the board's USB functions it is: the part of its location that the socket has no influence on."""
    return (port.location or "").partition(":")[2]
