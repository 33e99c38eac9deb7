"""Record and replay: a whole conversation in a file, and the file as a device.

::

    header, kept answer, ..., open, sent, taken, received, ..., open, ...      (records.py)

A session is a function of three things: the numbers that its requests start from, what it reads, and the time after
each read, and after each write that was held up (*taken*). All three are in the file, so the session that replays it
does exactly what the recorded one did, and what it sends is held against what was sent, byte for byte. Times are in
seconds from the start of the recording.

Answers that a resumed run took from its journal are in the recording as well: it is complete without the journal.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from tinyhil.artifacts import foreign
from tinyhil.deadline import Deadline
from tinyhil.errors import BlockedError, ConfigError, DeviceError, PortLostError
from tinyhil.session.journal import Answer, Origin
from tinyhil.session.lines import Line, Lines
from tinyhil.session.records import Record, RecordFile, fields, opened, refusal, unpack
from tinyhil.transport import Rated

FORMAT = 2
"""2: when requests are repeated depends on the round trips before. A recording of format 1 is played as it was."""

_FIXED_TIMES = 1

_HELD_UP = 0.1
"""Seconds that a write takes for the clock to go on with it."""

_OPEN = struct.Struct("<dI")
_OPEN_RATED = struct.Struct("<dII")
"""Of a line whose rate may be changed."""

_OPEN_STAYS = struct.Struct("<dII?")
"""Of a line to a device that stays."""

_TIME = struct.Struct("<d")


class Kind(IntEnum):
    """What a record of the recording is."""

    HEADER = 16
    KEPT = 17
    OPEN = 18
    SENT = 19
    RECEIVED = 20
    LOST = 21
    TAKEN = 22
    LISTENED = 23
    """In place of the header, where a monitor has listened (tinyhil.stream.recording); so are the next ones."""
    CHANGED = 24
    DROPPED = 25
    ANSWERED = 26


@dataclass(frozen=True)
class Header:
    """What was recorded: enough to make the report again without a build.

    Attributes:
        recipe: its name.
        target: its name.
        engine: its name.
        scheme: by which the model was quantized, as it was asked for.
        origin: what the answers are for.
        kernels: of the engine, for the report.
        flash_bytes: of the image, like the rest.
        tool_sha256: as ``FirmwareImage`` has it.
        search: how many inputs were to be tried beyond the vectors.
        model: the user's own file that was run instead of the recipe; empty for a recipe.
        samples: the file of its inputs; empty for none.
        data: the file that the recipe was trained on instead of its own data; empty for none.
        options: all options of the run that mean something without its device, as ``tinyhil.options.recorded`` has
            them; empty in recordings of earlier versions, which have only the fields above.
        started: when, in ISO 8601, UTC.
        format: of the file.
    """

    recipe: str
    target: str
    engine: str
    scheme: str
    origin: Origin
    kernels: str
    flash_bytes: int | None
    ram_bytes: int | None
    sections: dict[str, int]
    tool_versions: dict[str, str]
    tool_sha256: dict[str, str] = field(default_factory=dict)
    search: int = 0
    model: str = ""
    samples: str = ""
    data: str = ""
    options: dict[str, str | int | bool | None] = field(default_factory=dict)
    started: str = ""
    format: int = FORMAT


class Recorder:
    """Lines whose conversations are written down.

    Args:
        lines: the real ones.
        file: where to.
        answers: what the run has already.
    """

    def __init__(self, lines: Lines, file: RecordFile, header: Header, answers: list[Answer]) -> None:
        self._lines = lines
        self._file = file
        self._start = time.monotonic()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        file.append(Kind.HEADER, msgspec.json.encode(replace(header, started=started)))
        for answer in answers:
            file.append(Kind.KEPT, answer.pack())

    def open(self, deadline: Deadline) -> Line:
        """See ``Lines.open``."""
        return self._tap(self._lines.open(deadline))

    def reopen(self, deadline: Deadline, check: Callable[[], None]) -> Line:
        """See ``Lines.reopen``."""
        return self._tap(self._lines.reopen(deadline, check))

    def _tap(self, line: Line) -> Line:
        tapped = _Tapped(line, self._file, self._start)
        facts = [tapped.now, line.first_sequence]
        if line.stays:
            body = _OPEN_STAYS.pack(*facts, line.max_baud, True)
        else:
            body = _OPEN_RATED.pack(*facts, line.max_baud) if line.max_baud else _OPEN.pack(*facts)
        self._file.append(Kind.OPEN, body)
        return replace(line, transport=tapped, clock=lambda: tapped.now)


class _Tapped:
    """A transport that writes down what passes. Its clock goes on with reads, and with writes that were held up."""

    def __init__(self, line: Line, file: RecordFile, start: float) -> None:
        self._line = line
        self._file = file
        self._start = start
        self.now = line.clock() - start

    @property
    def name(self) -> str:
        return self._line.transport.name

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        with self._losses():
            data = self._line.transport.read(max_bytes, timeout_s)
        self.now = self._line.clock() - self._start
        self._file.append(Kind.RECEIVED, _TIME.pack(self.now) + data)
        return data

    def write(self, data: bytes, deadline: Deadline) -> None:
        sent_at = self._line.clock() - self._start
        if data:
            self._file.append(Kind.SENT, _TIME.pack(sent_at) + data)
        with self._losses():
            self._line.transport.write(data, deadline)
        now = self._line.clock() - self._start
        if data and now - sent_at > _HELD_UP:
            self.now = now
            self._file.append(Kind.TAKEN, _TIME.pack(now))

    def set_rate(self, baud: int) -> None:
        if isinstance(self._line.transport, Rated):
            self._line.transport.set_rate(baud)

    def close(self) -> None:
        self._line.transport.close()

    @contextlib.contextmanager
    def _losses(self) -> Iterator[None]:
        try:
            yield
        except PortLostError as error:
            now = self._line.clock() - self._start
            self._file.append(Kind.LOST, _TIME.pack(now) + error.message.encode())
            raise


class Recording:
    """A recording that is played back: Lines to a device that says what it said.

    Ownership: whoever opens it closes it.

    Args:
        path: the file.

    Attributes:
        header: what was recorded.
        answers: what the run had before it began.

    Raises:
        ConfigError: it is not a recording of this version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = opened(path)
        self._records = unpack(self._stream)
        self._next: Record | None = None
        self._position = 0
        self.answers: dict[int, Answer] = {}
        try:
            self.header = self._header()
            while (record := self._peek()) is not None and record.kind == Kind.KEPT:
                with self._reading(record):
                    answer = Answer.unpack(self._take().body)
                self.answers[answer.start] = answer
        except BaseException:
            self.close()
            raise

    def open(self, deadline: Deadline) -> Line:
        """See ``Lines.open``."""
        record = self._expect(Kind.OPEN, "opens the line")
        layouts = {each.size: each for each in (_OPEN_RATED, _OPEN_STAYS)}
        now, first_sequence, *more = self._fields(layouts.get(len(record.body), _OPEN), record)
        transport = _Played(self, now)
        adaptive = self.header.format != _FIXED_TIMES
        return Line(transport, first_sequence, lambda: transport.now, adaptive, *more)

    def reopen(self, deadline: Deadline, check: Callable[[], None]) -> Line:
        """See ``Lines.reopen``. Nothing is waited for."""
        return self.open(deadline)

    def close(self) -> None:
        """Gives the file up."""
        self._stream.close()

    def received(self) -> tuple[float, bytes]:
        """Time and bytes of the next read."""
        self._raise_loss()
        record = self._expect(Kind.RECEIVED, "reads")
        (now,) = self._fields(_TIME, record, more=True)
        return float(now), record.body[_TIME.size :]

    def sent(self, data: bytes) -> float | None:
        """Holds what is sent against what was sent, and returns the time when a write that was held up had ended."""
        record = self._expect(Kind.SENT, f"sends {len(data)} bytes")
        self._fields(_TIME, record, more=True)
        recorded = record.body[_TIME.size :]
        if data != recorded:
            same = next(
                (at for at, (one, other) in enumerate(zip(data, recorded, strict=False)) if one != other),
                min(len(data), len(recorded)),
            )
            raise self._diverged(
                record,
                f"the replay sends {len(data)} bytes that differ from the {len(recorded)} recorded ones "
                f"from byte {same} on",
            )
        self._raise_loss()
        following = self._peek()
        if following is None or following.kind != Kind.TAKEN:
            return None
        (now,) = self._fields(_TIME, self._take())
        return float(now)

    def _fields(self, layout: struct.Struct, record: Record, *, more: bool = False) -> tuple[Any, ...]:
        with self._reading(record):
            return fields(layout, record.body, more=more)

    @contextlib.contextmanager
    def _reading(self, record: Record) -> Iterator[None]:
        place = f"{self._path}, {_word(record.kind)} at byte {record.start}"
        with foreign.reading(place, "a record of this version of tinyhil", refusal):
            yield

    def _header(self) -> Header:
        record = self._peek()
        if record is not None and record.kind == Kind.HEADER:
            with contextlib.suppress(*foreign.UNREADABLE):
                header = msgspec.json.decode(self._take().body, type=Header)
                if header.format in (_FIXED_TIMES, FORMAT):
                    return header
        if record is not None and record.kind == Kind.LISTENED:
            raise ConfigError(
                f"{self._path} is what a monitor has heard, and no run",
                hint=f"look at it with tinyhil monitor {self._path}; record a run with tinyhil verify --record FILE",
            )
        raise refusal(f"{self._path} is not a recording of this version of tinyhil")

    def _peek(self) -> Record | None:
        if self._next is None:
            self._next = next(self._records, None)
        return self._next

    def _take(self) -> Record:
        record = self._peek()
        if record is None:
            self._end()
        self._next = None
        self._position = record.end
        return record

    def _expect(self, kind: Kind, what: str) -> Record:
        record = self._take()
        if record.kind != kind:
            raise self._diverged(record, f"the replay {what}, where the recording has {_word(record.kind)}")
        return record

    def _raise_loss(self) -> None:
        record = self._peek()
        if record is not None and record.kind == Kind.LOST:
            self._fields(_TIME, record, more=True)
            said = self._take().body[_TIME.size :].decode(errors="replace")
            raise PortLostError(said, hint="the port went away in the recorded run: record another one")

    def _diverged(self, record: Record, what: str) -> BlockedError:
        return BlockedError(
            f"the replay diverges from the recording at byte {record.start} of {self._path}: {what}",
            hint="replay with the version of tinyhil, the recipe and the target file that it was recorded with",
        )

    def _end(self) -> NoReturn:
        size = self._path.stat().st_size
        cut = f", the last {size - self._position} of which are damaged or cut off" if size > self._position else ""
        raise DeviceError(
            f"the recording ends before the run did: {self._path} has {size} bytes{cut}",
            hint="the recorded run was interrupted or blocked; there is no verdict in it",
        )


class _Played:
    """The transport of a recording."""

    name = "recording"

    def __init__(self, recording: Recording, now: float) -> None:
        self.now = now
        self._recording = recording

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """What was read. It may be more than ``max_bytes``, where the recorder asked for more."""
        self.now, data = self._recording.received()
        return data

    def write(self, data: bytes, deadline: Deadline) -> None:
        if data:
            taken_at = self._recording.sent(data)
            self.now = self.now if taken_at is None else taken_at

    def set_rate(self, baud: int) -> None:
        """What was received says at which rate it was."""

    def close(self) -> None:
        """There is nothing to give up."""


def is_recording(path: Path) -> bool:
    """Whether a file begins as recordings of any version do, of runs or of monitors.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        first = next(unpack(stream), None)
    return first is not None and first.kind in (Kind.HEADER, Kind.LISTENED)


def _word(kind: int) -> str:
    return Kind(kind).name.lower() if kind in Kind._value2member_map_ else f"a record of kind {kind}"
