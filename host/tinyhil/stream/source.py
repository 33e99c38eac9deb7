"""Where the bytes of a monitor come from: one port, which is read whatever happens to it.

A thread reads the port all the time, so that the system's buffers, which hold a few KB, never overflow while somebody
draws; what it has read waits, in bounded memory, until it is taken. The thread alone touches the port.

- *The port goes away* (unplugged, reset, the emulator restarted): it is opened again as soon as it is back, under
  whatever name, by the USB serial number of its board. A pseudo-terminal never comes back: its number is given to the
  next one, which may be anybody's.
- *Another process of tinyhil wants it*, to flash or to verify: it is given up, and taken back when it was free for a
  moment; :mod:`tinyhil.transport.owner` is how both sides tell each other.
- *It is busy, or may not be opened yet*: it is waited for.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, PortLostError, TinyhilError
from tinyhil.stream.events import Answered, Came, Changed, Dropped, Event, Sent, State
from tinyhil.stream.model import Stream
from tinyhil.stream.reading import Format, Reading
from tinyhil.stream.trigger import Trigger
from tinyhil.stream.viewers import Viewers
from tinyhil.transport import RAISED, Controlled, Transport, open_transport, owner
from tinyhil.transport.finder import PortFinder

MOST_WAITING = 64 << 20
"""Bytes that wait at most until they are taken."""

SETTLE_S = 0.5
"""How long a port that was lent has to be free until it is taken back: whoever flashes opens it several times."""

_READ_BYTES = 65536
_SLICE_S = 0.02
"""How long one read waits; so long may what is to be sent wait too."""
_LOOK_S = 0.05
"""Between two looks whether somebody wants the port, or whether it is back."""
_ASIDE_LOOK_S = 0.005
"""Between two looks whether the port is free again that is used otherwise in this process."""
_OPEN_WITHIN_S = 10.0
"""For a socket that nobody serves yet."""
_PULSE_S = 0.1
"""How long the control lines of a board are held that is reset: its circuit has a capacitor."""
_SEND_WITHIN_S = 5.0
"""For a device to take what is sent."""
_PSEUDO_TERMINALS = "/dev/pts/"


class PortSource:
    """The bytes of one port.

    Ownership: ``start`` opens the port and a thread; ``close`` gives up both. Use it as a context manager.

    Args:
        address: as :func:`tinyhil.transport.open_transport` takes it.
        baud: line rate in bit/s, any that the port has.
        finder: finds the port again under whatever name it returns.
        controls: of a serial port, DTR and RTS.
        parity: of a serial port, none, even or odd.
        check: raises DeviceError if the device's program has ended.
        most_waiting: bytes that wait at most until they are taken.

    Attributes:
        address: as given.
        said: what the last change of its state was, in words.
    """

    def __init__(
        self,
        address: str,
        baud: int = 115200,
        *,
        finder: PortFinder | None = None,
        controls: tuple[bool, bool] = RAISED,
        parity: str = "none",
        check: Callable[[], None] = lambda: None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.address = address
        self._baud = baud
        self._finder = finder or PortFinder(address)
        self._controls = controls
        self._parity = parity
        self._check = check
        self._most_waiting = most_waiting
        self._transport: Transport | None = None
        self._claimed: Path | None = None
        self._born: Path | None = None
        self._state = State.WAITING
        self.said = ""
        self._viewers = Viewers(address)
        self._guard = threading.Condition()
        self._events: deque[Event] = deque()
        self._waiting = 0
        self._to_send: deque[bytes] = deque()
        self._stopping = threading.Event()
        self._to_reset = threading.Event()
        self._wanted_here = threading.Event()
        self._aside = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> State:
        """What it is doing."""
        return self._state

    def start(self) -> None:
        """Opens the port and begins to read it.

        Raises:
            PortBusyError: another process holds it.
            DeviceError: it cannot be opened.
            ConfigError: the address or the rate cannot be meant.
        """
        self._transport = self._opened()
        self._tell(State.OPEN, f"{self._transport.name} is open")
        self._thread = threading.Thread(target=self._serve, name=f"reads {self.address}", daemon=True)
        self._thread.start()

    def take(self) -> list[Event]:
        """What has happened since the last time, in order."""
        with self._guard:
            events, self._events = list(self._events), deque()
            self._waiting = 0
        return events

    def wait(self, seconds: float) -> bool:
        """Waits until there is something to take; whether there is."""
        with self._guard:
            return self._guard.wait_for(lambda: bool(self._events), seconds)

    def send(self, data: bytes) -> None:
        """Sends bytes as soon as the port takes them. What becomes of them is told by an event.

        Raises:
            DeviceError: the port is not open.
        """
        if self._state is not State.OPEN:
            raise DeviceError(
                f"{self.address} is not open: nothing can be sent", hint="wait until it is back, and send it again"
            )
        self._to_send.append(data)

    def reset(self) -> None:
        """Resets the board by its control lines, and tells by an event what has become of it.

        As the circuits of most boards have it, DTR falls and RTS rises for a moment.

        Raises:
            DeviceError: the port is not open.
        """
        if self._state is not State.OPEN:
            raise DeviceError(f"{self.address} is not open: {self.said}", hint="wait until it is back")
        self._to_reset.set()

    def move(self, address: str) -> None:
        """Goes over to another port; to be called within ``aside``, where no port is open."""
        self.address, self._finder, self._born = address, PortFinder(address), None

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """The port is closed in it, for another use in this process, and opened again behind it.

        Raises:
            DeviceError: the port is not open, so that it cannot be used otherwise either.
        """
        back = Deadline.after(_SEND_WITHIN_S)
        while not (self._state is State.OPEN or self.said or self._wanted_here.is_set() or back.expired):
            time.sleep(_ASIDE_LOOK_S)  # it was aside a moment ago, and is being opened again
        if self._state is not State.OPEN:
            raise DeviceError(f"{self.address} is not open: {self.said}", hint="wait until it is back")
        self._wanted_here.set()
        try:
            if not self._aside.wait(_SEND_WITHIN_S):
                raise DeviceError(f"{self.address} cannot be had: {self.said}", hint="try again")
            yield
        finally:
            self._wanted_here.clear()

    def close(self) -> None:
        """Ends the thread and gives up the port. May be called again."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        self._viewers.close()
        self._give_up()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up the port."""
        self.close()

    def _serve(self) -> None:
        """The thread: reads, and waits where there is nothing to be read from."""
        while not self._stopping.is_set():
            try:
                if self._transport is None:
                    self._wait_for_port()
                elif self._read(self._transport):
                    self._step_aside() if self._wanted_here.is_set() else self._lend()
            except PortLostError as error:
                self._give_up()
                self._tell(State.WAITING, error.message)
            except TinyhilError as error:
                self._give_up()
                self._tell(State.ENDED, error.message)
                return

    def _read(self, transport: Transport) -> bool:
        """Reads until somebody wants the port, which is True, or the source is closed."""
        looked = time.monotonic()
        while not self._stopping.is_set():
            while self._to_send:
                self._send(transport, self._to_send.popleft())
            if self._to_reset.is_set():
                self._to_reset.clear()
                self._pulse(transport)
            data = transport.read(_READ_BYTES, _SLICE_S)
            now = time.monotonic()
            if data:
                self._put(Came(data, now), len(data))
            if self._wanted_here.is_set():
                return True
            if now - looked >= _LOOK_S:
                looked = now
                self._let_look_on()
                if owner.wanted(self._claimed):
                    return True
        return False

    def _send(self, transport: Transport, data: bytes) -> None:
        try:
            transport.write(data, Deadline.after(_SEND_WITHIN_S))
        except PortLostError:
            raise
        except DeviceError as error:
            self._tell(State.OPEN, error.message)
        else:
            self._put(Sent(data, time.monotonic()))

    def _pulse(self, transport: Transport) -> None:
        try:
            if not isinstance(transport, Controlled):
                raise DeviceError(f"{transport.name} has no control lines")
            transport.set_controls(False, True)
            time.sleep(_PULSE_S)
            transport.set_controls(*self._controls)
        except PortLostError:
            raise
        except DeviceError as error:
            self._tell(State.OPEN, error.message)
        else:
            self._tell(State.OPEN, f"{transport.name}: reset by DTR and RTS")

    def _lend(self) -> None:
        """Gives the port up, and waits until whoever wanted it has done with it."""
        self._give_up()
        self._tell(State.LENT, f"{self.address} is lent to another tinyhil process")
        free_since: float | None = None
        while not self._stopping.wait(_LOOK_S):
            self._let_look_on()
            if not owner.is_free(self._claimed):
                free_since = None
                continue
            now = time.monotonic()
            free_since = now if free_since is None else free_since
            if now - free_since >= SETTLE_S:
                return

    def _step_aside(self) -> None:
        """Gives the port up while it is used otherwise in this process."""
        self._give_up()
        self._tell(State.LENT, "")
        self._aside.set()
        while self._wanted_here.is_set() and not self._stopping.wait(_ASIDE_LOOK_S):
            pass
        self._aside.clear()

    def _wait_for_port(self) -> None:
        """Opens the port when it is there.

        Raises:
            DeviceError: it will never be.
            TinyhilError: it cannot be opened in this way.
        """
        said = ""
        while not self._stopping.wait(_LOOK_S):
            self._let_look_on()
            self._check()
            self._refuse_another_terminal()
            try:
                self._transport = self._opened()
            except DeviceError as error:
                if error.message != said:
                    said = error.message
                    self._tell(State.WAITING, said)
            else:
                # Nobody has to be told of a port that was closed for a moment, by ourselves.
                self._tell(State.OPEN, f"{self._transport.name} is open again" if self.said else "")
                return

    def _opened(self) -> Transport:
        located = self._finder.locate()
        place = owner.lock_file(located)
        with owner.unasked():  # one monitor does not take the port from another
            transport = open_transport(
                located,
                baud=self._baud,
                deadline=Deadline.after(_OPEN_WITHIN_S),
                controls=self._controls,
                parity=self._parity,
                lends=True,
            )
        self._claimed, self._born = place, self._born or place
        self._viewers.let_in(place)
        self._finder.remember()
        return transport

    def _refuse_another_terminal(self) -> None:
        """Sees that a pseudo-terminal is still the one that was named.

        Raises:
            DeviceError: it is gone, and its number may be another's by now.
        """
        if not self.address.startswith(_PSEUDO_TERMINALS) or self._born is None:
            return
        if owner.lock_file(self.address) != self._born:
            raise DeviceError(f"{self.address} is gone: the program at its other end has ended")

    def _give_up(self) -> None:
        transport, self._transport = self._transport, None
        self._to_send.clear()
        if transport is not None:
            transport.close()

    def _let_look_on(self) -> None:
        self._viewers.look(Changed(self._state, self.said, time.monotonic()))

    def _tell(self, state: State, text: str) -> None:
        self._state, self.said = state, text
        self._put(Changed(state, text, time.monotonic()))

    def _put(self, event: Event, size: int = 0) -> None:
        self._viewers.put(event)
        with self._guard:
            if size and self._waiting + size > self._most_waiting:
                event = Dropped(size, time.monotonic())
                if self._events and isinstance(last := self._events[-1], Dropped):
                    self._events.pop()
                    event = Dropped(last.bytes + size, event.at)
            else:
                self._waiting += size
            self._events.append(event)
            self._guard.notify_all()


def pass_on(events: Iterable[Event], stream: Stream) -> list[Trigger]:
    """Hands what a source has told to the model, and to who writes it down; returns the triggers that it has fired."""
    fired = []
    for event in events:
        stream.write_down(event)
        match event:
            case Came(data, at):
                fired += stream.feed(data, at)
            case Sent(data, at):
                stream.sent(data, at)
            case Dropped(count, at):
                stream.counts.dropped += count
                stream.interrupted(at)
                stream.notice(f"{count:,} bytes came faster than they could be shown, and are lost", at)
            case Changed(state, text, at):
                if state is not State.OPEN:
                    stream.interrupted(at)
                if text:
                    stream.notice(text, at)
            case Answered(text, names, values, at):
                stream.notice(text, at)
                if names:
                    fired += stream.table.add(Reading(Format.PAIRS, names, values), at, stream.lines.end - 1)
    stream.write_down(None)
    return fired
