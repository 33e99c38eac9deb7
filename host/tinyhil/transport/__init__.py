"""Ways for bytes to a device and back: serial ports, sockets, pyserial's URLs.

A transport moves bytes and nothing else: who starts and ends the device is the business of
``tinyhil.device``, what the bytes mean that of ``tinyhil.link``.
"""

from tinyhil.transport.address import open_transport
from tinyhil.transport.base import Controlled, Pollable, Rated, Transport
from tinyhil.transport.serial_port import RAISED

__all__ = ["RAISED", "Controlled", "Pollable", "Rated", "Transport", "open_transport"]
