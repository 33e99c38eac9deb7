"""Waits until a program that was told to listen at a TCP port does.

The only way to know is to connect. That connection is closed again without a byte: whoever talks to the device opens
its own.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError

_PAUSE_SECONDS = 0.05
"""Between two attempts: programs that offer a socket take seconds to start."""


def split(address: str) -> tuple[str, int] | None:
    """Host and port of ``socket://host:port``; None of an empty address.

    Raises:
        ConfigError: it is something else.
    """
    if not address:
        return None
    with contextlib.suppress(ValueError):
        parts = urlsplit(address)
        if parts.scheme in ("socket", "tcp") and parts.hostname and parts.port:
            return parts.hostname, parts.port
    raise ConfigError(f"address = {address!r} is no TCP address", hint="write socket://127.0.0.1:{port}")


def wait(address: str, alive: Callable[[], bool], deadline: Deadline) -> bool:
    """Whether somebody listened at ``address`` while ``alive()`` and before the deadline."""
    place = split(address)
    assert place is not None
    while alive() and not deadline.expired:
        if _listens(place, deadline):
            return True
        time.sleep(deadline.within(_PAUSE_SECONDS))
    return False


def _listens(place: tuple[str, int], deadline: Deadline) -> bool:
    try:
        connected = socket.create_connection(place, timeout=max(deadline.remaining, 0.001))
    except OSError:
        return False
    with connected:
        # Where nobody listens at a port that the system gives out itself, a connection can meet itself.
        return bool(connected.getsockname() != connected.getpeername())
