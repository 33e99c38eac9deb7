"""How many lines a second the monitor's model takes, in each format, and what they take of memory.

Everything that happens to a line is in it but drawing: taking the bytes apart, keeping the line, finding its numbers,
adding them to their series. Run it by ``python benchmarks/stream.py``. Nothing is asserted: machines differ. A port at
115,200 baud carries 576 lines of 20 bytes a second, USB a few ten thousand.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from tinyhil.link.frames import Frame, encode_frame
from tinyhil.stream.line_store import LineStore
from tinyhil.stream.model import Stream
from tinyhil.stream.query import Query, search

LINES = 100_000
CHUNK = 4096
"""Bytes that come at a time."""

FORMATS: dict[str, Callable[[int, float], bytes]] = {
    "name:value (the demo)": lambda index, y: b"x:%.4f y:%.4f\n" % (index / 100, y),
    "columns": lambda index, y: b"%d,%.4f,%.3f\n" % (index, y, y / 2),
    "one number": lambda index, y: b"%.4f\n" % y,
    "Teleplot": lambda index, y: b">y:%d:%.4f\n" % (index, y),
    "JSON": lambda index, y: b'{"x":%d,"y":%.4f}\n' % (index, y),
    "words": lambda index, y: b"[%d] nothing to be drawn is in here\n" % index,
    "frames": lambda index, y: encode_frame(Frame(0x83, index, b"\x01\0\0\0\0\0" + b"%.4f" % y)),
}


def chunks(line: Callable[[int, float], bytes], count: int) -> Iterator[bytes]:
    """So many lines, in pieces as they come."""
    data = b"".join(line(index, math.sin(index / 100)) for index in range(count))
    for at in range(0, len(data), CHUNK):
        yield data[at : at + CHUNK]


def seconds(line: Callable[[int, float], bytes]) -> tuple[float, Stream]:
    """Seconds of the processor that ``LINES`` lines take, and what became of them."""
    pieces = list(chunks(line, LINES))
    stream = Stream(joined=False)
    began = time.process_time()
    for piece in pieces:
        stream.feed(piece, time.monotonic())
    return time.process_time() - began, stream


def main() -> None:
    """Prints the table."""
    print(f"{'format':<24} {'lines/s':>10} {'us/line':>8} {'bytes/line':>11}")
    for name, line in FORMATS.items():
        took, stream = seconds(line)
        held = stream.lines.held_bytes / len(stream.lines)
        print(f"{name:<24} {LINES / took:>10,.0f} {took / LINES * 1e6:>8.2f} {held:>11.1f}")
    store = LineStore()
    for index in range(1_000_000):
        store.append(b"x:1.2345 y:-0.%04d" % (index % 10_000), 0.0)
    print(f"a million lines of 18 bytes: {store.held_bytes / 1e6:.1f} MB")
    for query in (Query("Error"), Query("error"), Query(r"y:-0\.1234$", regex=True)):
        began = time.process_time()
        found = sum(1 for _ in search(store, query, 0))
        print(f"search for {query.text!r}: {found} found in {time.process_time() - began:.2f} s")


if __name__ == "__main__":
    main()
