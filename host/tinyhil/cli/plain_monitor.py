"""The monitor without a screen of its own: lines on standard output, for pipes, logs and CI systems.

Its own notices go to standard error, so what is on standard output is the device's alone.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self, TextIO

from tinyhil.deadline import Deadline
from tinyhil.errors import InputError
from tinyhil.plain_text import for_log
from tinyhil.stream.appearance import TimeStyle, spans_of, text_of
from tinyhil.stream.events import Came, Event, Source, State
from tinyhil.stream.line_store import Kind, Line
from tinyhil.stream.model import Stream
from tinyhil.stream.query import Query
from tinyhil.stream.source import pass_on
from tinyhil.stream.styles import coloured
from tinyhil.stream.typing import Encoder

_WAIT_S = 0.05
_STDIN = 0
_TYPED_BYTES = 4096


class Outcome(Enum):
    """Why a monitor has ended."""

    SEEN = "seen"
    TIMEOUT = "timeout"
    ENDED = "ended"


@dataclass
class Watched:
    """One port that is shown.

    Attributes:
        name: in front of its lines; empty where there is no other port.
        source: its bytes.
        stream: what is in them.
        shown: number of the next line to be shown.
        last_at: when the last line that was shown came.
    """

    name: str
    source: Source
    stream: Stream
    shown: int = 0
    last_at: float | None = None


class Printer:
    """Writes lines.

    Args:
        out: takes the device's lines.
        notices: takes ours.
        times: what stands in front of a line.
        frames: whether frames of our protocol are shown.
        only: which lines are shown; None for all.
    """

    def __init__(
        self,
        out: TextIO,
        notices: Callable[[str], None],
        *,
        times: TimeStyle = TimeStyle.NONE,
        frames: bool = False,
        only: Query | None = None,
    ) -> None:
        self._out = out
        self._notices = notices
        self._times = times
        self._frames = frames
        self._only = only
        self._terminal = out.isatty()

    def show(self, watched: Watched, until: Query | None) -> bool:
        """Writes what has come; whether ``until`` was in it, where it then stops."""
        stream, rows, seen = watched.stream, [], False
        for line in stream.lines.lines(watched.shown, stream.lines.end):
            watched.shown = line.number + 1
            if line.kind is Kind.NOTICE:
                self._notices(f"{self._head(watched, line)}{text_of(line)}")
            elif line.kind is not Kind.SENT and (self._frames or line.kind is not Kind.FRAME):
                seen = until is not None and until.matches(line)
                if self._only is None or self._only.matches(line):
                    rows.append((self._head(watched, line), line))
                    watched.last_at = line.at
                if seen:
                    break
        self._write(rows)
        if not seen and until is not None and stream.unfinished:
            prompt = Line(watched.shown, 0.0, Kind.TEXT, stream.unfinished)
            if until.matches(prompt):
                self._write([("", prompt)])
                return True
        return seen

    def _write(self, rows: list[tuple[str, Line]]) -> None:
        if not rows:
            return
        if self._terminal:
            self._out.write("".join(f"{head}{coloured(spans_of(line))}\n" for head, line in rows))
        else:
            self._out.write("".join(f"{head}{for_log(text_of(line))}\n" for head, line in rows))
        self._out.flush()

    def _head(self, watched: Watched, line: Line) -> str:
        time = watched.stream.stamps.of(line.at, watched.last_at, self._times)
        name = f"[{watched.name}] " if watched.name else ""
        return f"{time}  {name}" if time else name


def follow(ports: list[Watched], show: Callable[[Watched], bool], deadline: Deadline | None, typed: Typed) -> Outcome:
    """Shows what comes until the line that is waited for, the end of the time, or of all ports.

    Args:
        ports: likewise.
        show: shows what has come from a port; whether that is the end.
        deadline: None to wait for ever.
        typed: what is typed meanwhile; it goes to the first port.
    """
    while True:
        ended = all(port.source.state is State.ENDED for port in ports)
        for port in ports:
            pass_on(port.source.take(), port.stream)
            if show(port):
                return Outcome.SEEN
        if ended:
            return Outcome.ENDED
        if deadline is not None and deadline.expired:
            return Outcome.TIMEOUT
        typed.pass_on(ports[0].source)
        ports[0].source.wait(_WAIT_S if len(ports) == 1 else _WAIT_S / len(ports))


def follow_raw(
    source: Source,
    write: Callable[[bytes], object],
    notices: Callable[[str], None],
    deadline: Deadline | None,
    typed: Typed,
) -> None:
    """Hands on the bytes as they are, until the end of the time, or of the port."""
    while deadline is None or not deadline.expired:
        ended = source.state is State.ENDED
        for event in source.take():
            if isinstance(event, Came):
                write(event.data)
            elif text := _said(event):
                notices(text)
        if ended:
            return
        typed.pass_on(source)
        source.wait(_WAIT_S)


def _said(event: Event) -> str:
    return getattr(event, "text", "")


class Typed:
    """What comes on standard input, as the device is to get it. A context manager: the terminal is as it was behind it.

    Args:
        encode: makes bytes of a line.
        notices: is told what is wrong with a line.
        wanted: whether anything can be sent at all.
        by_key: sends each key of a terminal as it is pressed, without its end of line.
    """

    def __init__(
        self, encode: Encoder, notices: Callable[[str], None], *, wanted: bool = True, by_key: bool = False
    ) -> None:
        self._encode = encode
        self._notices = notices
        self._open = wanted
        self._by_key = by_key
        self._begun = b""
        self._settings: list[Any] | None = None

    def __enter__(self) -> Self:
        if self._by_key and self._open and os.isatty(_STDIN):
            self._settings = termios.tcgetattr(_STDIN)
            tty.setcbreak(_STDIN)
        return self

    def __exit__(self, *_: object) -> None:
        if self._settings is not None:
            termios.tcsetattr(_STDIN, termios.TCSADRAIN, self._settings)

    def pass_on(self, source: Source) -> None:
        """Sends what was typed; nothing where that is not for us: a terminal is read by the program in front only."""
        if not self._open or source.state is not State.OPEN:
            return
        with contextlib.suppress(OSError, ValueError):
            if os.isatty(_STDIN) and os.tcgetpgrp(_STDIN) != os.getpgrp():
                return
            if not select.select([_STDIN], [], [], 0)[0]:
                return
            data = os.read(_STDIN, _TYPED_BYTES)
            if data:
                self._send(data, source)
                return
            self._send(b"\n" if self._begun else b"", source)
        self._open = False

    def _send(self, data: bytes, source: Source) -> None:
        if self._by_key:
            source.send(data)
            return
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            try:
                sent = self._encode(line.decode("utf-8", "surrogateescape"))
            except InputError as error:
                self._notices(f"{error.message}; {error.hint}")
            else:
                source.send(sent)


def standard_output() -> tuple[TextIO, Callable[[bytes], object]]:
    """Where lines go, and where bytes go."""

    def write(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    return sys.stdout, write
