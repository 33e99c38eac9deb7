"""Who looks on at a port that a monitor has: other processes of this user, which are told what the monitor is told.

A Unix socket beside the lock of the port takes them in, and what goes over it is a recording
(:mod:`tinyhil.stream.recording`) that begins with the current state and never ends. They send nothing: to look on is to
disturb nobody.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tinyhil.errors import DeviceError
from tinyhil.session.recording import Kind
from tinyhil.session.records import pack, split
from tinyhil.stream.events import Changed, Dropped, Event, State
from tinyhil.stream.recording import Listened, body_of, event_of
from tinyhil.transport import owner
from tinyhil.transport.finder import PortFinder

MOST_WAITING = 8 << 20
"""Bytes that wait at most for a viewer that does not take them; what comes beyond them it has missed."""
_SUFFIX = ".view"
_AT_ONCE = 1 << 20
_MOST_VIEWERS = 16


class Viewers:
    """Those who look on at one port. All calls are the thread's that reads the port; none of them waits.

    Ownership: whoever makes it closes it.

    Args:
        address: of the port.
        most_waiting: bytes that wait at most for one of them.
    """

    def __init__(self, address: str, most_waiting: int = MOST_WAITING) -> None:
        self._head = pack(Kind.LISTENED, Listened(address, time.monotonic(), time.time()).pack())
        self._most_waiting = most_waiting
        self._doors: dict[Path, socket.socket] = {}
        self._files: dict[Path, int] = {}  # the inode of each door, which is no other file's while the door is open
        self._viewers: list[_Viewer] = []

    def let_in(self, claimed: Path | None) -> None:
        """Takes in viewers of a port under its name of now; one that has no room for that has none.

        Args:
            claimed: as :func:`tinyhil.transport.owner.claim` has returned it.
        """
        path = None if claimed is None else _door(claimed)
        if path is None or self._is_ours(path):
            return
        with contextlib.suppress(OSError):
            # Of a monitor that was killed, or had the port while we had lent it: it is ours now.
            path.unlink(missing_ok=True)
            if (replaced := self._doors.pop(path, None)) is not None:
                replaced.close()
            door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            door.setblocking(False)
            try:
                door.bind(str(path))
                door.listen(_MOST_VIEWERS)
            except OSError:
                door.close()
                raise
            self._doors[path], self._files[path] = door, path.lstat().st_ino

    def look(self, state: Changed) -> None:
        """Takes in who has come, and goes on with what waits.

        Args:
            state: of the port, which the new ones are told.
        """
        for door in self._doors.values():
            with contextlib.suppress(OSError):
                while len(self._viewers) < _MOST_VIEWERS:
                    connection = door.accept()[0]
                    connection.setblocking(False)
                    viewer = _Viewer(connection, self._most_waiting)
                    viewer.put(self._head)
                    viewer.put(pack(*body_of(state)))
                    self._viewers.append(viewer)
        self._send()

    def put(self, event: Event) -> None:
        """Tells them an event."""
        if self._viewers:
            record = pack(*body_of(event))
            for viewer in self._viewers:
                viewer.put(record, event)
            self._send()

    def close(self) -> None:
        """Sends everybody away."""
        self._send()
        for viewer in self._viewers:
            viewer.connection.close()
        for path, door in self._doors.items():
            if self._is_ours(path):
                path.unlink(missing_ok=True)
            door.close()
        self._viewers, self._doors = [], {}

    def _is_ours(self, path: Path) -> bool:
        """Whether the door there is still the one that was opened here, and not another monitor's."""
        with contextlib.suppress(OSError):
            return path in self._doors and path.lstat().st_ino == self._files[path]
        return False

    def _send(self) -> None:
        gone = [viewer for viewer in self._viewers if not viewer.send()]
        for viewer in gone:
            viewer.connection.close()
            self._viewers.remove(viewer)


class _Viewer:
    """One of them, and what waits for it."""

    def __init__(self, connection: socket.socket, most_waiting: int) -> None:
        self.connection = connection
        self._most_waiting = most_waiting
        self._waiting = bytearray()
        self._missed = 0

    def put(self, record: bytes, event: Event | None = None) -> None:
        """Adds a record, or counts it as missed."""
        if self._missed or len(self._waiting) + len(record) > self._most_waiting:
            self._missed += len(getattr(event, "data", b""))
            if len(self._waiting) > self._most_waiting // 2 or event is None:
                return
            record = pack(*body_of(Dropped(self._missed, event.at)))
            self._missed = 0
        self._waiting += record

    def send(self) -> bool:
        """Sends what it takes; whether it is still there."""
        try:
            while self._waiting:
                with memoryview(self._waiting)[:_AT_ONCE] as part:  # no copy for one that takes nothing
                    sent = self.connection.send(part)
                del self._waiting[:sent]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


class FollowedPort:
    """A port that another process's monitor has, as a source: it is looked on at, and nothing is sent.

    Ownership: ``start`` opens it, ``close`` gives it up. Use it as a context manager.

    Args:
        address: of the port, as :class:`tinyhil.stream.source.PortSource` takes it.
        finder: finds it under its name of now.

    Attributes:
        address: as given.
        said: what the last change of its state was, in words.
        state: what the monitor says of the port; ENDED when the monitor is gone.
    """

    def __init__(self, address: str, finder: PortFinder | None = None) -> None:
        self.address = address
        self.said = ""
        self.state = State.WAITING
        self._finder = finder or PortFinder(address)
        self._connection: socket.socket | None = None
        self._came = b""

    def start(self) -> None:
        """Begins to look on.

        Raises:
            DeviceError: no monitor has the port.
        """
        path = _door(owner.lock_file(self._finder.locate()))
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            raise DeviceError(
                f"no monitor of yours has {self.address}: there is nothing to look on at",
                hint=f"open it yourself: tinyhil monitor --port {self.address}",
            ) from None
        self._connection = connection

    def take(self) -> list[Event]:
        """What the monitor was told since the last time, in order."""
        connection = self._connection
        if connection is None:
            return []
        over = False
        while len(self._came) < _AT_ONCE and select.select([connection], [], [], 0)[0]:
            data = _received(connection)
            if not data:
                over = True
                break
            self._came += data
        try:
            records, self._came = split(self._came)
            events = [event for event in map(event_of, records) if event is not None]
        except ValueError:
            events, over = [], True
        if over:
            self._end(events)
        for event in events:
            if isinstance(event, Changed):
                self.state, self.said = event.state, event.text
        return events

    def _end(self, events: list[Event]) -> None:
        self.close()
        at = time.monotonic()
        events.append(Changed(State.ENDED, f"the monitor that had {self.address} has ended", at))

    def wait(self, seconds: float) -> bool:
        """Waits until there is something to take; whether there is."""
        return self._connection is not None and bool(select.select([self._connection], [], [], seconds)[0])

    def send(self, data: bytes) -> None:
        """It is the monitor's to send.

        Raises:
            DeviceError: always.
        """
        raise DeviceError(
            f"{self.address} is looked on at only: nothing is sent",
            hint="type it in the monitor that has the port",
        )

    def close(self) -> None:
        """Looks away. May be called again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Looks away."""
        self.close()


def _received(connection: socket.socket) -> bytes:
    with contextlib.suppress(OSError):
        return connection.recv(_AT_ONCE)
    return b""


def _door(claimed: Path) -> Path:
    """The socket of a port. Its name is short: the path of a socket has room for 107 bytes."""
    return claimed.with_name(claimed.stem.rpartition(".")[2] + _SUFFIX)
