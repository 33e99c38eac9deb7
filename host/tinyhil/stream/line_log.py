"""The lines of a stream, appended to a text file as they come."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from tinyhil.artifacts import store
from tinyhil.plain_text import for_log
from tinyhil.stream.appearance import TimeStyle, text_of
from tinyhil.stream.events import Event
from tinyhil.stream.line_store import Kind
from tinyhil.stream.model import Stream

_LEFT_OUT = (Kind.NOTICE, Kind.SENT)


class LineLog:
    """Writes what the device has said, whatever is shown of it, as one of the stream's writers.

    Ownership: whoever opens it closes it.

    Args:
        path: the file; what is in it stays.
        stream: the lines.
        times: what stands in front of a line.
        frames: whether frames of our protocol are written.
        name: in front of each line; empty for none.

    Raises:
        StorageError: here, in ``take`` and in ``close``: the file cannot be written.
    """

    def __init__(
        self, path: Path, stream: Stream, times: TimeStyle = TimeStyle.NONE, *, frames: bool = False, name: str = ""
    ) -> None:
        self._path = path
        self._stream = stream
        self._times = times
        self._left_out = _LEFT_OUT if frames else (*_LEFT_OUT, Kind.FRAME)
        self._name = f"[{name}] " if name else ""
        self._next = stream.lines.end
        self._last_at: float | None = None
        with store.storage(path):
            self._file = path.open("a", encoding="utf-8")

    def take(self, event: Event | None) -> None:
        """See ``model.Writer``."""
        if event is not None:
            return
        rows, lines = [], self._stream.lines
        for line in lines.lines(self._next, lines.end):
            if line.kind in self._left_out:
                continue
            time = self._stream.stamps.of(line.at, self._last_at, self._times)
            head = f"{time}  {self._name}" if time else self._name
            rows.append(f"{head}{for_log(text_of(line))}\n")
            self._last_at = line.at
        self._next = lines.end
        if rows:
            with store.storage(self._path):
                self._file.write("".join(rows))
                self._file.flush()

    def close(self) -> None:
        """Gives the file up."""
        with store.storage(self._path):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
