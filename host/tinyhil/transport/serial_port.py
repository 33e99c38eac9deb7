"""Serial ports: boards, the terminals of emulators, and pyserial's URLs (``rfc2217://``, ``loop://``, ...).

pyserial opens and configures. On POSIX the bytes of a device path then go through its descriptor directly (see
poll_stream.py): pyserial's own ``read(n)`` waits for n bytes or the timeout, and its ``write`` does not read meanwhile.
URLs, and Windows, have no descriptor to wait for and go through pyserial.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import time
import warnings
from typing import Any

import serial

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError, DeviceError, PortBusyError, PortLostError
from tinyhil.transport.base import Transport
from tinyhil.transport.poll_stream import PollStream

_OPEN_ERRORS: tuple[type[Exception], ...] = (OSError,)
try:
    import termios
except ImportError:  # Windows
    pass
else:
    _OPEN_ERRORS = (OSError, termios.error)

_BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
_MISSING = (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.ENOTDIR)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_NO_TERMINAL = (errno.ENOTTY, errno.EISDIR)
_NO_SERVER = (errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH)

_SLICE_S = 0.01
"""How long one read through pyserial waits. Set once: to a port server every change of a setting is a negotiation."""

_SETTLE_S = 0.02
"""For the other end to go over to a rate as well."""

_RFC2217 = "rfc2217://"


RAISED = (True, True)
"""DTR and RTS as programs for terminals set them."""


PARITIES = {"none": "N", "even": "E", "odd": "O"}
"""By name, as pyserial has them."""


def open_serial(
    address: str, baud: int = 115200, controls: tuple[bool, bool] = RAISED, parity: str = "none"
) -> Transport:
    """Opens a device path or a pyserial URL with 8 bits, 1 stop bit and no flow control.

    A device path is locked against a second program that locks too. What had arrived before is thrown away.

    Args:
        address: ``/dev/ttyACM0``, ``COM3``, ``rfc2217://host:port``, ...
        baud: line rate in bit/s; terminals of emulators ignore it.
        controls: how DTR and RTS are set, before the port is opened.
        parity: one of ``PARITIES``.

    Raises:
        PortBusyError: another program holds it.
        DeviceError: the port is missing, forbidden, or no serial port.
        ConfigError: the URL or the baud rate cannot be meant.
    """
    url = "://" in address
    options: dict[str, Any] = {"timeout": _SLICE_S} if url else {"timeout": 0, "exclusive": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pyserial 3.5 starts its thread in an old way
            port = serial.serial_for_url(address, baudrate=baud, parity=PARITIES[parity], do_not_open=True, **options)
            port.dtr, port.rts = controls
            port.open()
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"{address} cannot be opened at {baud} baud: {error}", hint="name a rate that the port has, such as 115200"
        ) from None
    except _OPEN_ERRORS as error:
        raise _cannot_open(address, error) from None
    if url or os.name != "posix":
        return _PyserialStream(address, port)
    return _TerminalStream(address, port)


class _TerminalStream(PollStream):
    """Bytes through the port's descriptor."""

    def __init__(self, name: str, port: Any) -> None:
        fileno = port.fileno()
        receive, send = functools.partial(os.read, fileno), functools.partial(os.write, fileno)
        super().__init__(name, fileno, receive, send, port.close)
        self._port = port

    def set_rate(self, baud: int) -> None:
        """See ``Rated.set_rate``."""
        _set_rate(self._port, baud)

    def set_controls(self, dtr: bool, rts: bool) -> None:
        """See ``Controlled.set_controls``."""
        _set_controls(self._port, dtr, rts)


class _PyserialStream:
    """Bytes through pyserial's own calls, for what ``select`` cannot wait for."""

    def __init__(self, name: str, port: Any) -> None:
        self._name = name
        self._port = port

    @property
    def name(self) -> str:
        return self._name

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        self._require_open()
        try:
            deadline = Deadline.after(timeout_s)
            while not self._port.in_waiting:
                first = bytes(self._port.read(1))
                if first or deadline.expired:
                    rest = min(max_bytes - 1, self._port.in_waiting) if first else 0
                    return first + bytes(self._port.read(rest)) if rest else first
            return bytes(self._port.read(min(max_bytes, self._port.in_waiting)))
        except OSError as error:
            raise self._lost(error) from None

    def write(self, data: bytes, deadline: Deadline) -> None:
        self._require_open()
        try:
            # pyserial refuses a limit for RFC 2217, whose server takes what it is given.
            if not self._name.startswith(_RFC2217):
                self._port.write_timeout = deadline.remaining
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise DeviceError(
                f"{self._name} did not take {len(data)} bytes within {deadline.seconds:g} s",
                hint="the device does not read its port: it may hang, or run other firmware",
            ) from None
        except OSError as error:
            raise self._lost(error) from None

    def set_rate(self, baud: int) -> None:
        _set_rate(self._port, baud)

    def set_controls(self, dtr: bool, rts: bool) -> None:
        _set_controls(self._port, dtr, rts)

    def close(self) -> None:
        self._port.close()

    def _require_open(self) -> None:
        if not self._port.is_open:
            raise DeviceError(f"{self._name} is closed")

    def _lost(self, error: OSError) -> PortLostError:
        return PortLostError(
            f"{self._name}: the other end is gone ({error})", hint="look whether the server still runs"
        )


def _set_rate(port: Any, baud: int) -> None:
    with contextlib.suppress(ValueError, *_OPEN_ERRORS):
        port.baudrate = baud
    time.sleep(_SETTLE_S)


def _set_controls(port: Any, dtr: bool, rts: bool) -> None:
    try:
        port.dtr, port.rts = dtr, rts
    except _OPEN_ERRORS as error:
        raise DeviceError(
            f"{port.port} has no control lines ({error})", hint="press the reset button of the board"
        ) from None


def _cannot_open(address: str, error: Exception) -> DeviceError:
    """Turns what pyserial raised into a message with the next step."""
    code = _errno(error)
    if code in _BUSY:
        return PortBusyError(
            f"{address} is in use by another program", hint="close the serial monitor, IDE or test run that holds it"
        )
    if code in _MISSING:
        return DeviceError(f"there is no port {address}", hint=f"plug the board in; {_present()}")
    if code in _FORBIDDEN:
        return DeviceError(
            f"no permission to open {address}",
            hint="add yourself to the group that owns the port, on Debian `sudo usermod -aG dialout $USER`, "
            "and log in again",
        )
    if code in _NO_SERVER:
        return DeviceError(
            f"nobody listens at {address} ({os.strerror(code or 0)})",
            hint="start the port server on the machine that the board is plugged into",
        )
    if code in _NO_TERMINAL:
        return DeviceError(f"{address} is not a serial port", hint=_present())
    return DeviceError(f"{address} cannot be opened: {error}")


def _errno(error: Exception) -> int | None:
    """The number of the system's error, which pyserial hides in different places."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    inner = error.__context__ or error
    number = inner.args[0] if inner.args else None
    return number if isinstance(number, int) else None


def _present() -> str:
    from serial.tools import list_ports  # slow, and needed for this hint only

    names = sorted(port.device for port in list_ports.comports())
    return f"ports present: {', '.join(names)}" if names else "no serial port is present"
