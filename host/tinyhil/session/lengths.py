"""How long requests and answers may be on a line that loses the end of long ones.

What is lost is what a buffer on the way does not hold: the packet of a USB port has 64 bytes, the receive queue of an
ESP32 256. So these two lengths are tried, the longer one first.
"""

from __future__ import annotations

from tinyhil.link.frames import longest_wire

REGREET_SECONDS = 3.0
"""For a device that may only have lost long requests to answer a short one."""

_FRAMES = (256, 64)
"""Bytes on the wire."""


def shorter(frame_bytes: int) -> int | None:
    """Bytes of the longest payload to try, where frames of so many bytes were lost; None where none is shorter."""
    frame = next((each for each in _FRAMES if each < frame_bytes), None)
    return None if frame is None else max(size for size in range(frame) if longest_wire(size) <= frame)
