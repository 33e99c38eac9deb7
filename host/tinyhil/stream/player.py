"""A recording as a source: it tells what it told when it was recorded, at any speed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tinyhil.errors import DeviceError
from tinyhil.stream.events import Came, Changed, Event, State
from tinyhil.stream.recording import Recorded

_AT_ONCE_BYTES = 1 << 20
_AT_ONCE_EVENTS = 4096
"""What is told at most at a time: whoever takes it may look at keys between."""


class Player:
    """Plays a recording.

    Ownership: whoever opens it closes it, or uses it as a context manager.

    Args:
        path: the file.
        speed: times that of the recording; ``math.inf`` as fast as it is taken.

    Attributes:
        address: of the port that was recorded.
        said: what the last change of the port's state was, in words.
        stamps: of the stream that was recorded: one that is to have the same times takes them over.

    Raises:
        ConfigError: it is no recording of this version.
    """

    def __init__(self, path: Path, speed: float = math.inf) -> None:
        self._recorded = Recorded(path)
        self.address = self._recorded.address
        self.stamps = self._recorded.stamps
        self.said = ""
        self._state = State.WAITING
        self._over = False
        self._path = path
        self._events = self._recorded.events()
        try:
            self._next = next(self._events, None)
        except BaseException:
            self.close()
            raise
        self._speed = speed
        self._anchor: tuple[float, float] | None = None

    @property
    def state(self) -> State:
        """What the port was doing then; ENDED behind the last event."""
        return State.ENDED if self._over else self._state

    @property
    def speed(self) -> float:
        """How fast it is played, from now on where it is set."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if self._anchor is not None:
            now = time.monotonic()
            self._anchor = (now, self._due(now))
        self._speed = speed

    def _due(self, now: float) -> float:
        """Up to which time of the recording it is to be told by now."""
        if self._speed == math.inf:
            return math.inf if self._next is None else self._next.at
        assert self._anchor is not None
        began, at = self._anchor
        return at + (now - began) * self._speed

    def take(self) -> list[Event]:
        """What is due, in order.

        Raises:
            ConfigError: a record is none of this version.
        """
        now = time.monotonic()
        if self._anchor is None and self._next is not None:
            self._anchor = (now, self._next.at)
        events = list(self._taken(now))
        if self._next is None and not self._over:
            if not self._recorded.complete:
                at = events[-1].at if events else self.stamps.start
                events.append(Changed(State.ENDED, f"{self._path} is cut off or damaged here", at))
            self._over = True
        for event in events:
            if isinstance(event, Changed):
                self._state, self.said = event.state, event.text
        return events

    def _taken(self, now: float) -> Iterator[Event]:
        size = count = 0
        while self._next is not None and size < _AT_ONCE_BYTES and count < _AT_ONCE_EVENTS:
            if self._speed != math.inf and self._next.at > self._due(now):
                return
            event, self._next = self._next, next(self._events, None)
            size += len(event.data) if isinstance(event, Came) else 0
            count += 1
            yield event

    def wait(self, seconds: float) -> bool:
        """Waits until there is something to take; whether there is."""
        if self._next is None:
            return False
        if self._speed == math.inf or self._anchor is None:
            return True
        now = time.monotonic()
        left = (self._next.at - self._due(now)) / self._speed if self._speed else math.inf
        time.sleep(min(max(left, 0.0), seconds))
        return left <= seconds

    def send(self, data: bytes) -> None:
        """Nobody is there.

        Raises:
            DeviceError: always.
        """
        raise DeviceError(
            f"{self._path} is a recording: nothing can be sent to it",
            hint="listen to the board itself: tinyhil monitor --port PORT",
        )

    def close(self) -> None:
        """Gives the file up."""
        self._recorded.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives the file up."""
        self.close()
