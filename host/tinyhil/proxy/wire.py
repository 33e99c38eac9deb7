"""The pace of a serial wire, one direction, as a pure model: a UART with a FIFO that sends 8N1.

A byte takes ten bit times (start, eight data bits, stop) and has arrived when its stop bit has. Times are computed from
the start of a burst and the number of bytes since, never by adding up, so the pace does not drift however long a burst
is and however late somebody looks. A burst ends when the FIFO is empty; the line is then idle, and time that it idles
is not made up for.

The model asks to be looked at when the FIFO will be empty, and once a millisecond before that: the end of a message is
on time to the accuracy of the caller's clock, and a long one costs a thousand looks per second, not one per byte.
"""

from __future__ import annotations

from tinyhil.errors import ConfigError

BITS_PER_BYTE = 10
"""8N1: one start bit, eight data bits, no parity, one stop bit."""

FIFO_BYTES = 4096
"""What a sender can hand over ahead of the wire, the transmit buffer of Linux' serial ports."""

BATCH_SECONDS = 0.001
"""How often a long burst is looked at."""


class Wire:
    """One direction of a wire.

    Args:
        baud: bits per second, at least 1.
        fifo_bytes: bytes that wait or are being sent at most, at least 1. If it is shorter than what the line carries
            between two looks, the line idles between them, as a real one would.

    Raises:
        ConfigError: the baud rate is below 1.
    """

    def __init__(self, baud: int, *, fifo_bytes: int = FIFO_BYTES) -> None:
        if baud < 1:
            raise ConfigError(
                f"a wire at {baud} baud carries nothing", hint="give the rate in bits per second, such as 115200"
            )
        self._baud = baud
        self._size = fifo_bytes
        self._fifo = bytearray()
        self._arrived = bytearray()
        self._start = 0.0
        self._sent = 0

    @property
    def baud(self) -> int:
        """Bits per second."""
        return self._baud

    @property
    def idle(self) -> bool:
        """Whether nothing is being sent, as of the last look."""
        return not self._fifo

    def set_rate(self, baud: int) -> None:
        """Another rate, for an idle line."""
        self._baud = baud

    @property
    def room(self) -> int:
        """Bytes that ``push`` takes now."""
        return self._size - len(self._fifo)

    def push(self, data: bytes, now: float) -> None:
        """Hands bytes over, at most ``room``, at ``now`` seconds; ``now`` never goes back.

        Raises:
            ValueError: there is no room for them.
        """
        if len(data) > self.room:
            raise ValueError(f"{len(data)} bytes for a FIFO with room for {self.room}")
        self._advance(now)
        if not self._fifo:
            self._start, self._sent = now, 0
        self._fifo += data

    def pop(self, now: float) -> bytes:
        """What has arrived by ``now``, each byte once."""
        self._advance(now)
        arrived = bytes(self._arrived)
        self._arrived.clear()
        return arrived

    def next_due(self, now: float) -> float | None:
        """When to look again, or None while the line idles."""
        if self._arrived:
            return now
        if not self._fifo:
            return None
        return min(self._end_of(len(self._fifo)), max(self._end_of(1), now + BATCH_SECONDS))

    def _end_of(self, count: int) -> float:
        """When the next ``count`` bytes will have arrived."""
        return self._start + (self._sent + count) * BITS_PER_BYTE / self._baud

    def _advance(self, now: float) -> None:
        done = min(int((now - self._start) * self._baud / BITS_PER_BYTE) - self._sent, len(self._fifo))
        # The two formulas may differ by a rounding error; a caller who comes at the time that next_due named must
        # not leave empty-handed.
        if done < len(self._fifo) and self._end_of(done + 1) <= now:
            done += 1
        if done > 0:
            self._arrived += self._fifo[:done]
            del self._fifo[:done]
            self._sent += done
