"""Who is there? A short handshake with whatever is behind a port, without holding it against anything."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from tinyhil.deadline import Deadline
from tinyhil.errors import PortLostError
from tinyhil.link.connection import Connection
from tinyhil.link.events import Failed, Greeted
from tinyhil.link.messages import Welcome
from tinyhil.transport import open_transport

SECONDS = 3.0
"""For an answer: a board that opening its port resets has to start first."""

_READ_BYTES = 4096


@dataclass(frozen=True)
class Heard:
    """What a device has answered.

    Attributes:
        welcome: what it says of itself, None if that was nothing, or nothing that makes sense.
        why: why there is none.
    """

    welcome: Welcome | None
    why: str = ""


def ask(address: str, baud: int, seconds: float = SECONDS) -> Heard:
    """Greets the device behind ``address``.

    Raises:
        PortBusyError: another process holds the port.
        DeviceError: the port cannot be opened.
    """
    deadline = Deadline.after(seconds)
    transport = open_transport(address, baud=baud, deadline=deadline)
    connection = Connection(secrets.randbits(32), max_tries=None, line_rate=baud / 10)
    try:
        connection.hello(time.monotonic())
        while not deadline.expired:
            transport.write(connection.data_to_send(), deadline)
            timeout = connection.next_timeout(time.monotonic())
            data = transport.read(_READ_BYTES, deadline.remaining if timeout is None else deadline.within(timeout))
            now = time.monotonic()
            for event in [*connection.receive(data, now), *connection.on_time(now)]:
                if isinstance(event, Greeted):
                    return Heard(event.welcome)
                if isinstance(event, Failed):
                    return Heard(None, event.error.message)
    except PortLostError as error:
        return Heard(None, error.message)
    finally:
        transport.close()
    return Heard(None, f"no answer within {seconds:g} s")
