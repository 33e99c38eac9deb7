"""A stream from bytes to lines, frames and series: what every view of the monitor is drawn from."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tinyhil.errors import StorageError
from tinyhil.link.frames import REQUEST_TYPES, Frame, encode_frame
from tinyhil.stream.appearance import ROW_BYTES, Stamps, row_of_bytes
from tinyhil.stream.events import Event
from tinyhil.stream.frame_text import packed
from tinyhil.stream.line_store import MOST_BYTES, MOST_LINES, Kind, LineStore
from tinyhil.stream.reader import Reader
from tinyhil.stream.reading import Reading
from tinyhil.stream.series import CAPACITY
from tinyhil.stream.splitter import Part, Splitter
from tinyhil.stream.table import Table
from tinyhil.stream.trigger import Trigger


@dataclass
class Counts:
    """What has come so far.

    Attributes:
        bytes: likewise.
        lines: of text.
        frames: of our protocol, by type.
        dropped: bytes that were thrown away because they came faster than they were taken.
    """

    bytes: int = 0
    lines: int = 0
    frames: Counter[int] = field(default_factory=Counter)
    dropped: int = 0


class Writer(Protocol):
    """Writes down what comes."""

    def take(self, event: Event | None) -> None:
        """An event, before it is worked on; None when those that came together have been.

        Raises:
            StorageError: it cannot be written.
        """


class Stream:
    """Takes the bytes of one port.

    Args:
        joined: whether the device may be in the middle of a line, as where it was running before.
        hexadecimal: keeps rows of bytes in place of lines.
        most_lines: as ``LineStore`` has it.
        most_bytes: likewise.
        capacity: values that are kept of each series.

    Attributes:
        lines: what has come, and notices.
        table: the series in it.
        counts: likewise.
        stamps: the times of lines in words.
        listeners: are told the numbers of each line.
        writers: what comes is written down by each of them.
        failure: what has kept the first one of them from it that is a writer no more; None while all goes well.
    """

    def __init__(
        self,
        *,
        joined: bool = True,
        hexadecimal: bool = False,
        most_lines: int = MOST_LINES,
        most_bytes: int = MOST_BYTES,
        capacity: int = CAPACITY,
    ) -> None:
        self.lines = LineStore(most_lines, most_bytes)
        self.table = Table(capacity)
        self.counts = Counts()
        self.stamps = Stamps(time.monotonic(), time.time())
        self.listeners: list[Callable[[Reading], object]] = []
        self.writers: list[Writer] = []
        self.failure: StorageError | None = None
        self.reader = Reader(torn=joined)
        self._splitter = Splitter()
        self._hexadecimal = hexadecimal
        self._row = b""
        self._place = 0

    @property
    def unfinished(self) -> bytes:
        """What has come of a line that is not finished, such as a prompt."""
        return self._row if self._hexadecimal else self._splitter.unfinished

    def feed(self, data: bytes, at: float) -> list[Trigger]:
        """Takes bytes, cut anywhere.

        Args:
            data: likewise.
            at: when they came, in seconds of the monotonic clock.

        Returns:
            The triggers that they have fired.
        """
        self.counts.bytes += len(data)
        if self._hexadecimal:
            self._add_rows(data, at)
        fired: list[Trigger] = []
        append, read, add = self.lines.append, self.reader.read, self.table.add
        for item in self._splitter.feed(data):
            if isinstance(item, Frame):
                self.counts.frames[item.type] += 1
                if not self._hexadecimal:
                    append(packed(item), at, Kind.FRAME)
                continue
            self.counts.lines += 1
            part = type(item) is Part
            number = self.counts.lines if self._hexadecimal else append(item, at, Kind.PART if part else Kind.TEXT)
            if part:
                continue  # a number may be cut in two
            for found in read(item.decode("utf-8", "replace"), at, number):
                fired += add(*found)
                for tell in self.listeners:
                    tell(found[0])
        return fired

    def write_down(self, event: Event | None) -> None:
        """Hands an event to the writers; one that fails is left out from then on, and the rest goes on."""
        for writer in tuple(self.writers):
            try:
                writer.take(event)
            except StorageError as error:
                self.writers.remove(writer)
                self.failure = self.failure or error
                self.notice(f"nothing more is written: {error.message}", time.monotonic())

    def notice(self, text: str, at: float) -> None:
        """Adds a line of ours."""
        self.lines.append(text.encode("utf-8", "replace"), at, Kind.NOTICE)

    def sent(self, data: bytes, at: float) -> None:
        """Adds what was sent to the device: frames of our protocol as such, anything else as it is."""
        frames = [item for item in Splitter(REQUEST_TYPES).feed(data) if isinstance(item, Frame)]
        if not frames or sum(len(encode_frame(frame)) for frame in frames) < len(data):
            self.lines.append(data, at, Kind.SENT)
            return
        for frame in frames:
            self.lines.append(packed(frame), at, Kind.FRAME)

    def interrupted(self, at: float) -> None:
        """The port is gone, or bytes were lost: the next line may lack its beginning."""
        for part in self._splitter.finish():
            if not self._hexadecimal:
                self.lines.append(part, at, Kind.PART)
        if self._row:
            self.lines.append(row_of_bytes(self._place, self._row), at, Kind.BYTES)
            self._place += len(self._row)
            self._row = b""
        self.reader.torn()

    def _add_rows(self, data: bytes, at: float) -> None:
        rows = self._row + data
        whole = len(rows) - len(rows) % ROW_BYTES
        for start in range(0, whole, ROW_BYTES):
            self.lines.append(row_of_bytes(self._place + start, rows[start : start + ROW_BYTES]), at, Kind.BYTES)
        self._place += whole
        self._row = rows[whole:]
