"""What a monitor has heard, sent and told, in a file: a recording of the session's format, with a head of its own.

::

    listened, changed, received, sent, ..., dropped, ..., answered, ...      (tinyhil.session.recording, records.py)

Every event is a record, in the order in which the monitor worked on it, cut where it was cut then. Times are the
monotonic clock's, as the monitor had them, and the head has what that clock was at the start: a view that is drawn from
the file has the same numbers, to the last bit. The recording of a run is read as well; its times count from its start.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from tinyhil.artifacts import foreign, store
from tinyhil.errors import ConfigError
from tinyhil.session.recording import Header, Kind, is_recording
from tinyhil.session.records import Record, RecordFile, fields, opened, refusal, unpack
from tinyhil.stream.appearance import Stamps
from tinyhil.stream.events import Answered, Came, Changed, Dropped, Event, Sent, State

FORMAT = 1
SUFFIX = ".rec"

_TIME = struct.Struct("<d")
_DROPPED = struct.Struct("<dQ")
_OPENED = "the line is open"


@dataclass(frozen=True)
class Listened:
    """The head of a monitor's recording.

    Attributes:
        address: of the port.
        start: when the monitor began, in seconds of its monotonic clock.
        epoch: the same moment, in seconds since 1970.
        format: of the file.
    """

    address: str
    start: float
    epoch: float
    format: int = FORMAT

    def pack(self) -> bytes:
        """The body of its record."""
        return msgspec.json.encode(self)


def body_of(event: Event) -> tuple[Kind, bytes]:
    """An event as a record has it."""
    time = _TIME.pack(event.at)
    match event:
        case Came(data):
            return Kind.RECEIVED, time + data
        case Sent(data):
            return Kind.SENT, time + data
        case Dropped(count, at):
            return Kind.DROPPED, _DROPPED.pack(at, count)
        case Changed(state, text):
            return Kind.CHANGED, time + msgspec.msgpack.encode((state.value, _utf8(text)))
        case Answered(text, names, values):
            return Kind.ANSWERED, time + msgspec.msgpack.encode((_utf8(text), names, values))


def event_of(record: Record) -> Event | None:
    """The inverse; None for a record that tells a monitor nothing.

    Raises:
        ValueError: the record is none of this version.
    """
    if record.kind == Kind.DROPPED:
        at, count = fields(_DROPPED, record.body)
        return Dropped(count, at)
    if record.kind not in _TOLD:
        return None
    (at,) = fields(_TIME, record.body, more=True)
    data = record.body[_TIME.size :]
    match record.kind:
        case Kind.RECEIVED:
            return Came(data, at) if data else None  # a run records that nothing came in time
        case Kind.SENT:
            return Sent(data, at)
        case Kind.OPEN:
            return Changed(State.OPEN, _OPENED, at)
        case Kind.LOST:
            return Changed(State.WAITING, data.decode(errors="replace"), at)
        case Kind.CHANGED:
            state, text = msgspec.msgpack.decode(data, type=tuple[str, str])
            return Changed(State(state), text, at)
    text, names, values = msgspec.msgpack.decode(data, type=tuple[str, tuple[str, ...], tuple[float, ...]])
    if len(names) != len(values):
        raise ValueError(f"{len(names)} names for {len(values)} values")
    return Answered(text, names, values, at)


_TOLD = {Kind.RECEIVED, Kind.SENT, Kind.OPEN, Kind.LOST, Kind.CHANGED, Kind.ANSWERED}


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


class Recorder:
    """Records what a stream is told, as one of its writers.

    Ownership: whoever opens it closes it.

    Args:
        path: the file; a recording that is there is overwritten.
        address: of the port.
        stamps: of the stream.

    Raises:
        ConfigError: the file is there, and is no recording.
        StorageError: here and in ``take``: it cannot be written.
    """

    def __init__(self, path: Path, address: str, stamps: Stamps) -> None:
        refuse_other_file(path)
        self.path = path
        self._file = RecordFile(path)
        self._file.append(Kind.LISTENED, Listened(address, stamps.start, stamps.epoch).pack())

    def take(self, event: Event | None) -> None:
        """See ``model.Writer``."""
        if event is not None:
            self._file.append(*body_of(event))

    def close(self) -> None:
        """Gives the file up."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def refuse_other_file(path: Path) -> None:
    """Returns where a recording can be written.

    Raises:
        ConfigError: something else is there.
        StorageError: the file cannot be written.
    """
    other = "a folder" if path.is_dir() else foreign.why_not_regular(path)
    if other:
        raise ConfigError(f"{path} is {other}", hint="name a file for the recording")
    store.refuse_unwritable(path)
    if path.is_file() and path.stat().st_size and not is_recording(path):
        raise ConfigError(
            f"{path} exists and is no recording, so it is not overwritten",
            hint="remove it, or name another file for the recording",
        )


class Recorded:
    """A recording that is read.

    Ownership: whoever opens it closes it.

    Args:
        path: the file.

    Attributes:
        address: of the port that was listened to; of a run, what ran where.
        stamps: of the stream that was recorded.
        complete: whether the file was read to its end; known when the events are over.

    Raises:
        ConfigError: it is no recording of this version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = opened(path)
        self._records = unpack(self._stream)
        self._end = 0
        self.complete = False
        try:
            self.address, self.stamps = self._head()
        except BaseException:
            self.close()
            raise

    def _head(self) -> tuple[str, Stamps]:
        first = next(self._records, None)
        with contextlib.suppress(*foreign.UNREADABLE):
            if first is not None and first.kind == Kind.LISTENED:
                head = msgspec.json.decode(first.body, type=Listened)
                if head.format == FORMAT:
                    self._end = first.end
                    return head.address, Stamps(head.start, head.epoch)
            if first is not None and first.kind == Kind.HEADER:
                run = msgspec.json.decode(first.body, type=Header)
                self._end = first.end
                started = datetime.fromisoformat(run.started).timestamp() if run.started else 0.0
                return f"{run.recipe} on {run.target}", Stamps(0.0, started)
        raise refusal(f"{self._path} is not a recording of this version of tinyhil")

    def events(self) -> Iterator[Event]:
        """What was told, in order.

        Raises:
            ConfigError: a record is none of this version.
        """
        for record in self._records:
            place = f"{self._path}, the record at byte {record.start}"
            with foreign.reading(place, "one of this version of tinyhil", refusal):
                event = event_of(record)
            self._end = record.end
            if event is not None:
                yield event
        self.complete = self._end == self._path.stat().st_size

    def close(self) -> None:
        """Gives the file up."""
        self._stream.close()
