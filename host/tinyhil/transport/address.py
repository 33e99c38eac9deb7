"""One address for every kind of transport, so that a target is data: it says where, and nobody asks what."""

from __future__ import annotations

import functools
import os
from urllib.parse import urlsplit

from tinyhil import terminal
from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError
from tinyhil.transport import owner, quarantine
from tinyhil.transport.base import Transport
from tinyhil.transport.finder import PortFinder
from tinyhil.transport.poll_stream import PollStream
from tinyhil.transport.serial_port import RAISED, open_serial
from tinyhil.transport.socket_stream import connect_tcp, connect_unix


def open_transport(
    address: str,
    *,
    baud: int,
    deadline: Deadline,
    controls: tuple[bool, bool] = RAISED,
    parity: str = "none",
    lends: bool = False,
) -> Transport:
    """Opens what ``address`` names.

    ``tcp://host:port`` and ``socket://host:port`` are TCP, ``unix:/path`` is a Unix socket, ``usb:SERIALNUMBER`` is the
    port of the board with this serial number, ``terminal:NUMBER`` a line of this process to a program of its own
    (:mod:`tinyhil.terminal`), and everything else is a device path or URL for pyserial. Sockets are
    waited for until the deadline; a serial port has to be there. Until the transport is closed no other process gets
    the port through here.

    Args:
        address: likewise.
        baud: line rate in bit/s.
        deadline: for what is waited for.
        controls: of a serial port, DTR and RTS.
        parity: of a serial port, one of ``serial_port.PARITIES``.
        lends: others may ask for the port; see :mod:`tinyhil.transport.owner`.

    Raises:
        ConfigError: the address cannot be meant.
        DeviceError: it cannot be opened, another process holds it, or its board is quarantined.
    """
    address = PortFinder(address).locate()
    quarantine.refuse(address)
    claimed = owner.claim(address, lends=lends)
    try:
        return owner.until_closed(_open(address, baud, deadline, controls, parity), claimed)
    except BaseException:
        owner.release(claimed)
        raise


def _open(address: str, baud: int, deadline: Deadline, controls: tuple[bool, bool], parity: str) -> Transport:
    scheme, colon, rest = address.partition(":")
    if address.startswith(terminal.SCHEME):
        fileno, give_back = terminal.take(address)
        return PollStream(
            address, fileno, functools.partial(os.read, fileno), functools.partial(os.write, fileno), give_back
        )
    if colon and scheme == "unix":
        if not rest:
            raise ConfigError("unix: lacks the path of the socket", hint="write unix:/path/to/socket")
        return connect_unix(rest, deadline)
    if scheme in ("tcp", "socket"):
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or not port:
            raise ConfigError(f"{address} is no TCP address", hint="write tcp://host:port")
        return connect_tcp(host, port, deadline)
    return open_serial(address, baud, controls, parity)
