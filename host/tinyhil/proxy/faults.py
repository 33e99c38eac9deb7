"""What may happen to bytes on their way in one direction, as a pure, seeded pipeline.

Theory of operation. Bytes pass four stages: frames (drop, duplicate, truncate, garbage, and the actions reset and
disconnect), blocks (loss of 64-byte blocks), bits (flips), time (delay, jitter, stalls). A *frame* is a longest run of
bytes other than zero that has ended at a zero; the pipeline knows no more of the protocol than that.

Each kind of fault has a dice of its own, seeded from the seed, the direction and the kind. Which bytes come out is
therefore a function of the seed and of all bytes that went in: it does not matter how they were cut, when they came,
or which other kinds of faults are switched on beside one (as long as these leave its stage the same input). Chance is
drawn as the gap to the next event rather than for each trial, so a rare fault costs nothing between two occurrences.

Bytes are passed on as they come. Only a frame that was chosen to be changed as a whole is held until it ends.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from tinyhil.errors import ConfigError
from tinyhil.proxy.counters import Counters

BLOCK_BYTES = 64
"""What is lost at once: the packet of a full-speed USB serial port."""

HOLD_LIMIT = 1 << 16
"""Longest frame that is changed as a whole; a longer one (text without a zero byte, perhaps) passes as it is."""

_HOUR = 3600.0
_NEVER = 1 << 62


class Action(Enum):
    """What is to be done between two bytes."""

    DISCONNECT = "disconnect"
    RESET = "reset"


def _within(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Faults:
    """How bad one direction is. By default it is perfect.

    Probabilities are independent of each other; a frame that is dropped is not also duplicated or truncated.

    Attributes:
        bit_flip: probability per bit that it is inverted, 0..1.
        drop_frame: probability per frame that it is lost with the zero that ends it, 0..1.
        duplicate_frame: probability per frame that it arrives twice in a row, 0..1.
        truncate_frame: probability per frame that it loses its end, from one byte to all; its zero stays, 0..1.
        insert_garbage: probability per frame that random bytes, zeros among them, follow it, 0..1.
        garbage_bytes: most bytes that follow one frame; the number is drawn evenly from 1, 1..4096.
        lose_block: probability per block of 64 bytes, counted from the first, that it is lost, 0..1.
        delay: seconds that each byte comes later, 0..3600.
        jitter: most seconds that are added to that, drawn evenly per frame; order is kept, 0..3600.
        stall_every: bytes between two stalls, at least 1; 0 is never.
        stall_seconds: how long nothing arrives then, 0..3600.
        disconnect_every: frames after which the host's port vanishes, at least 1; 0 is never.
        disconnect_seconds: when it returns, under another name, 0..3600.
        reset_every: frames after which one is interrupted in its middle by a reset of the device, at least 1;
            0 is never.

    Raises:
        ConfigError: a value is outside its limits.
    """

    bit_flip: float = _within(0.0, 0.0, 1.0)
    drop_frame: float = _within(0.0, 0.0, 1.0)
    duplicate_frame: float = _within(0.0, 0.0, 1.0)
    truncate_frame: float = _within(0.0, 0.0, 1.0)
    insert_garbage: float = _within(0.0, 0.0, 1.0)
    garbage_bytes: int = _within(64, 1, 4096)
    lose_block: float = _within(0.0, 0.0, 1.0)
    delay: float = _within(0.0, 0.0, _HOUR)
    jitter: float = _within(0.0, 0.0, _HOUR)
    stall_every: int = _within(0, 0, _NEVER)
    stall_seconds: float = _within(0.1, 0.0, _HOUR)
    disconnect_every: int = _within(0, 0, _NEVER)
    disconnect_seconds: float = _within(0.5, 0.0, _HOUR)
    reset_every: int = _within(0, 0, _NEVER)

    def __post_init__(self) -> None:
        for item in fields(self):
            value, low, high = getattr(self, item.name), item.metadata["low"], item.metadata["high"]
            whole = isinstance(item.default, int)
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                raise ConfigError(
                    f"{item.name} = {value!r} is not a {'whole ' if whole else ''}number", hint="give a number"
                )
            if not low <= value <= high:
                raise ConfigError(
                    f"{item.name} = {value!r} is outside its limits",
                    hint=f"at least {low:g}" if high == _NEVER else f"from {low:g} to {high:g}",
                )


@dataclass(frozen=True)
class Scheduled:
    """What comes out of a pipeline.

    Attributes:
        at: when, on the clock that the pipeline was told.
        what: bytes, never empty, or an action.
    """

    at: float
    what: bytes | Action


class FaultPipe:
    """One direction.

    Args:
        faults: how bad it is.
        seed: the source of all chance.
        direction: keeps two directions with the same seed apart.
        counters: where it counts what it does.
    """

    def __init__(self, faults: Faults, *, seed: int, direction: str, counters: Counters | None = None) -> None:
        self.counters = counters if counters is not None else Counters()

        def dice(kind: str) -> random.Random:
            return random.Random(f"{seed}/{direction}/{kind}")

        self._frames = _FrameStage(faults, dice, self.counters)
        self._block_gaps = _Gaps(faults.lose_block, dice("lose_block"))
        self._block_left = 0
        self._block_lost = False
        self._flips = _Gaps(faults.bit_flip, dice("bit_flip"))
        self._stall_every = faults.stall_every
        self._stall_seconds = faults.stall_seconds
        self._since_stall = 0
        self._not_before = -math.inf

    def feed(self, data: bytes, now: float) -> list[Scheduled]:
        """Takes bytes as they arrive, cut anywhere, at ``now`` seconds; returns what comes out, in order of time."""
        self.counters.bytes_in += len(data)
        out: list[Scheduled] = []
        for delay, what in self._frames.feed(data):
            self._not_before = max(self._not_before, now + delay)
            if isinstance(what, Action):
                out.append(Scheduled(self._not_before, what))
            else:
                self._time(self._flip(self._lose(what)), out)
        return out

    def _lose(self, data: bytes) -> bytes:
        if self._block_gaps.impossible:
            return data
        kept = bytearray()
        position = 0
        while position < len(data):
            if not self._block_left:
                self._block_left = BLOCK_BYTES
                self._block_lost = self._block_gaps.hit()
                self.counters.lost_blocks += self._block_lost
            piece = data[position : position + self._block_left]
            if not self._block_lost:
                kept += piece
            self._block_left -= len(piece)
            position += len(piece)
        return bytes(kept)

    def _flip(self, data: bytes) -> bytes:
        hits = self._flips.hits(8 * len(data))
        if not hits:
            return data
        flipped = bytearray(data)
        for bit in hits:
            flipped[bit >> 3] ^= 1 << (bit & 7)
        self.counters.bit_flips += len(hits)
        return bytes(flipped)

    def _time(self, data: bytes, out: list[Scheduled]) -> None:
        self.counters.bytes_out += len(data)
        while data:
            size = self._stall_every - self._since_stall if self._stall_every else len(data)
            piece, data = data[:size], data[size:]
            out.append(Scheduled(self._not_before, piece))
            if self._stall_every:
                self._since_stall += len(piece)
                if self._since_stall == self._stall_every:
                    self._since_stall = 0
                    self._not_before += self._stall_seconds
                    self.counters.stalls += 1


class _Gaps:
    """An endless row of trials that each succeed with probability ``p``, walked from success to success."""

    def __init__(self, p: float, dice: random.Random) -> None:
        self._log_miss = math.log1p(-p) if p < 1.0 else -math.inf
        self._dice = dice
        self.impossible = p == 0.0
        self._gap = self._draw()

    def hit(self) -> bool:
        """Whether the next trial succeeds."""
        return bool(self.hits(1))

    def hits(self, trials: int) -> list[int]:
        """Which of the next ``trials`` succeed, from 0."""
        found = []
        while self._gap < trials:
            found.append(self._gap)
            self._gap += 1 + self._draw()
        self._gap -= trials
        return found

    def _draw(self) -> int:
        """Misses before the next success: geometric, by inversion."""
        if self.impossible:
            return _NEVER
        return int(min(math.log(1.0 - self._dice.random()) / self._log_miss, float(_NEVER)))


class _FrameStage:
    """What happens to frames as a whole. Each piece that comes out carries its delay in seconds."""

    def __init__(self, faults: Faults, dice: Callable[[str], random.Random], counters: Counters) -> None:
        self._faults = faults
        self._counters = counters
        self._drop = _Gaps(faults.drop_frame, dice("drop_frame"))
        self._duplicate = _Gaps(faults.duplicate_frame, dice("duplicate_frame"))
        self._truncate = _Gaps(faults.truncate_frame, dice("truncate_frame"))
        self._cut = dice("truncate_frame/length")
        self._garbage = _Gaps(faults.insert_garbage, dice("insert_garbage"))
        self._noise = dice("insert_garbage/bytes")
        self._jitter = dice("jitter")
        self._delay = faults.delay
        self._inside = False
        self._dropping = self._doubling = self._cutting = self._resetting = False
        self._held: bytearray | None = None
        self._out: list[tuple[float, bytes | Action]] = []
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[tuple[float, bytes | Action]]:
        position = 0
        while position < len(data):
            end = data.find(0, position)
            if end == position:
                self._delimiter()
                position += 1
                continue
            if not self._inside:
                self._begin()
            stop = end if end > 0 else len(data)
            self._body(data[position:stop])
            position = stop
        self._flush()
        out, self._out = self._out, []
        return out

    def _begin(self) -> None:
        """Decides the fate of a frame at its first byte."""
        self._inside = True
        self._counters.frames += 1
        if self._faults.jitter:
            self._flush()
            self._delay = self._faults.delay + self._faults.jitter * self._jitter.random()
        every = self._faults.reset_every
        self._resetting = bool(every) and self._counters.frames % every == 0
        self._dropping = self._drop.hit()
        self._doubling = self._duplicate.hit()
        self._cutting = self._truncate.hit()
        self._held = bytearray() if self._doubling or self._cutting or self._resetting else None

    def _body(self, data: bytes) -> None:
        if self._held is not None:
            self._held += data
            if len(self._held) <= HOLD_LIMIT:
                return
            data, self._held = bytes(self._held), None
        if not self._dropping:
            self._pending += data

    def _delimiter(self) -> None:
        if not self._inside:
            self._pending.append(0)
            return
        self._inside = False
        self._counters.dropped_frames += self._dropping
        if self._held is not None:
            self._release(bytes(self._held))
        elif not self._dropping:
            self._pending.append(0)
        if self._garbage.hit():
            self._insert_garbage()
        every = self._faults.disconnect_every
        if every and self._counters.frames % every == 0:
            self._counters.disconnects += 1
            self._act(Action.DISCONNECT)

    def _release(self, frame: bytes) -> None:
        """Lets a held frame go as its fate wants it."""
        if self._cutting and not self._dropping:
            frame = frame[: int(self._cut.random() * len(frame))]
            self._counters.truncated_frames += 1
        frame = b"" if self._dropping else frame + b"\0"
        if self._resetting:
            self._pending += frame[: len(frame) // 2]
            self._counters.resets += 1
            self._act(Action.RESET)
            self._pending += frame[len(frame) // 2 :]
        else:
            self._pending += frame
        if self._doubling and not self._dropping:
            self._pending += frame
            self._counters.duplicated_frames += 1

    def _insert_garbage(self) -> None:
        # Only random() is promised to give the same numbers in every version of Python.
        size = 1 + int(self._noise.random() * self._faults.garbage_bytes)
        self._pending += bytes(int(self._noise.random() * 256) for _ in range(size))
        self._counters.garbage_bytes += size

    def _act(self, action: Action) -> None:
        self._flush()
        self._out.append((self._delay, action))

    def _flush(self) -> None:
        """Ends a piece: what follows has another delay, or an action stands between."""
        if self._pending:
            self._out.append((self._delay, bytes(self._pending)))
            self._pending.clear()
