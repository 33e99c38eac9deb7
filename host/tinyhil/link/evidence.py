"""What a line has brought, kept in case it ends badly: the last bytes, the last lines, and how much there was.

A device that answers costs nothing but the copying of its last bytes. What the kept things mean is for diagnosis.py.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence

from tinyhil.link.events import ConnectionEvent, DeviceText

KEPT_BYTES = 1 << 14
"""Of what arrived last: several of the longest frames."""

KEPT_LINES = 64
"""A crash dump of an ESP32 has about 30."""

LONGEST_SHOWN = 200
"""Characters of a line that are shown."""


class Evidence:
    """What one line has brought.

    Attributes:
        total: bytes since the line was first used.
        since_answer: bytes since the last answer that belonged to a request, or since the wait for one began.
        answers: answers that belonged to a request.
    """

    def __init__(self) -> None:
        self.total = self.since_answer = self.answers = 0
        self._bytes = bytearray()
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._lines_since = 0

    def received(self, data: bytes, events: Sequence[ConnectionEvent], answers: int) -> None:
        """Takes what was read.

        Args:
            data: the bytes.
            events: what they meant.
            answers: how many answers were in them that belong to a request.
        """
        self.total += len(data)
        self._bytes += data
        if len(self._bytes) > 2 * KEPT_BYTES:
            del self._bytes[:-KEPT_BYTES]
        texts = [event.text for event in events if isinstance(event, DeviceText)]
        self._lines.extend(text.rstrip("\r\n") for text in texts)
        if not answers:
            self.since_answer += len(data)
            self._lines_since += len(texts)
            return
        self.answers += answers
        # What a program says when it crashes may arrive together with its last answer.
        behind = list(itertools.takewhile(lambda event: isinstance(event, DeviceText), reversed(events)))
        self._lines_since = len(behind)
        self.since_answer = sum(len(event.text.encode()) for event in behind if isinstance(event, DeviceText))

    def waits(self) -> None:
        """A wait begins: what arrived before it is no part of its silence."""
        self.since_answer = self._lines_since = 0

    @property
    def recent(self) -> bytes:
        """The bytes since the last answer, as far as they are kept."""
        kept = min(self.since_answer, KEPT_BYTES)
        return bytes(self._bytes[-kept:]) if kept else b""

    @property
    def recent_lines(self) -> list[str]:
        """The lines since the last answer, and the one that has no end yet."""
        found = list(self._lines)[-self._lines_since :] if self._lines_since else []
        return found + _unfinished(self.recent)

    @property
    def lines(self) -> list[str]:
        """The last lines, whenever they came, and the one that has no end yet."""
        return list(self._lines) + _unfinished(self.recent)


def _unfinished(data: bytes) -> list[str]:
    """What stands after the last end of a line or of a chunk, if that is text."""
    rest = data[max(data.rfind(b"\n"), data.rfind(b"\0")) + 1 :]
    text = rest.decode("utf-8", "replace")
    shown = text.translate(dict.fromkeys(map(ord, "\t\r\x1b"), " "))
    return [text] if text.strip() and shown.isprintable() and "\ufffd" not in text else []
