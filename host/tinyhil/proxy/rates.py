"""The rate that a terminal is set to: on a pseudo-terminal it means nothing to the kernel, and here that of an end."""

from __future__ import annotations

import random
import termios

_KNOWN = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 921600, 1000000, 1500000, 2000000, 3000000)
_BITS_PER_SECOND = {getattr(termios, f"B{rate}"): rate for rate in _KNOWN}

_SPEED = 5
"""Where ``tcgetattr`` has the rate of what is sent."""


def rate_of(descriptor: int) -> int:
    """In bit/s; 0 for one that has no name, and for what is no terminal."""
    try:
        return _BITS_PER_SECOND.get(termios.tcgetattr(descriptor)[_SPEED], 0)
    except termios.error:
        return 0


def as_noise(data: bytes, sent_at: int, received_at: int, dice: random.Random) -> bytes:
    """What a receiver at another rate makes of bytes: others, and more or fewer of them."""
    size = max(1, round(len(data) * received_at / sent_at)) if data and sent_at else 0
    return bytes(int(dice.random() * 256) for _ in range(size))
