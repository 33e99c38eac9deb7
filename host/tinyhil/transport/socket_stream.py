"""Sockets: emulators and port servers that offer a device's serial line over TCP or a Unix socket.

TCP_NODELAY is set: a request is one small segment, which the kernel would otherwise hold back for up to 40 ms.
"""

from __future__ import annotations

import socket
import stat
import time
from pathlib import Path

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError
from tinyhil.transport.poll_stream import PollStream

_PAUSE_S = 0.02
"""Between two attempts while nobody listens yet."""


def connect_tcp(host: str, port: int, deadline: Deadline) -> PollStream:
    """Connects over TCP, and tries again until the deadline while nobody listens yet.

    Raises:
        DeviceError: nobody took the connection before the deadline, or the host is unknown.
    """
    name = f"tcp://{host}:{port}"
    while True:
        try:
            connected = socket.create_connection((host, port), timeout=max(deadline.remaining, 0.001))
        except ConnectionRefusedError:
            _try_again(name, deadline)
            continue
        except OSError as error:
            raise _cannot_connect(name, deadline, error) from None
        if connected.getsockname() == connected.getpeername():
            # Loopback's own trap: with no listener on an ephemeral port, a socket can meet itself there.
            connected.close()
            _try_again(name, deadline)
            continue
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _stream(name, connected)


def connect_unix(path: str, deadline: Deadline) -> PollStream:
    """Connects to a Unix socket, and tries again until the deadline while nobody listens yet.

    Raises:
        DeviceError: nobody took the connection before the deadline, or the path is no socket.
    """
    name = f"unix:{path}"
    while True:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connected.settimeout(max(deadline.remaining, 0.001))
        try:
            connected.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            connected.close()
            if not _may_become_socket(path):
                raise DeviceError(f"{path} is not a Unix socket") from None
            _try_again(name, deadline)
            continue
        except OSError as error:
            connected.close()
            raise _cannot_connect(name, deadline, error) from None
        return _stream(name, connected)


def _stream(name: str, connected: socket.socket) -> PollStream:
    connected.setblocking(False)
    return PollStream(name, connected.fileno(), connected.recv, connected.send, connected.close)


def _may_become_socket(path: str) -> bool:
    """Whether waiting makes sense: the path is a socket that nobody serves yet, or does not exist yet."""
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except FileNotFoundError:
        return True


def _try_again(name: str, deadline: Deadline) -> None:
    if deadline.expired:
        raise DeviceError(
            f"nobody listened at {name} within {deadline.seconds:g} s",
            hint="the emulator or port server did not start, or listens elsewhere",
        )
    time.sleep(deadline.within(_PAUSE_S))


def _cannot_connect(name: str, deadline: Deadline, error: OSError) -> DeviceError:
    if isinstance(error, TimeoutError):
        return DeviceError(f"{name} did not answer within {deadline.seconds:g} s", hint="is the host reachable?")
    return DeviceError(f"{name} cannot be reached: {error.strerror or error}")
