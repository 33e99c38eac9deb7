"""Devices at the end of a real pseudo-terminal that are silent, or whose line does something to what passes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from tinyhil.deadline import Deadline
from tinyhil.session.lines import Line, PortLines
from tinyhil.transport import Transport

from ..link.device_role import WELCOME, DeviceRole
from .pty_device import INPUTS, OUTPUTS, PtyDevice, invert

Change = Callable[[bytes], bytes]
"""What a line does to the frame of an answer."""

DOWNLOAD = (
    b"ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\nrst:0x1 (POWERON),boot:0x23 (DOWNLOAD(USB/UART0))\r\n"
    b"waiting for download\r\n"
)
PANIC = (
    b"Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was unhandled.\r\n\r\n"
    b"Core  1 register dump:\r\nPC      : 0x400d1aa3  PS      : 0x00060430  A0      : 0x800d2e5e\r\n\r\n"
    b"Backtrace: 0x400d1aa0:0x3ffb21d0 0x400d2e5b:0x3ffb21f0\r\n\r\nRebooting...\r\n"
    b"ets Jun  8 2016 00:22:57\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nentry 0x400805e4\r\n"
)
FAULT = b"\0fault 03 at 0000089a\n"
NOISE = bytes(Random(3).choices(range(256), k=600))


def text_inside(frame: bytes) -> bytes:
    """An interrupt prints in the middle of the frame."""
    middle = len(frame) // 2
    return frame[:middle] + b"adc: 1023\r\n" + frame[middle:]


def returns_added(frame: bytes) -> bytes:
    """As a terminal's output processing does (ONLCR)."""
    return frame.replace(b"\n", b"\r\n")


def seven_bits(frame: bytes) -> bytes:
    """As with ISTRIP."""
    return bytes(byte & 0x7F for byte in frame)


def flow_control(frame: bytes) -> bytes:
    """As with IXON."""
    return frame.replace(b"\x11", b"").replace(b"\x13", b"")


def flipped(frame: bytes) -> bytes:
    """A bit of the last byte before the delimiter."""
    return frame[:-2] + bytes([frame[-2] ^ 0x40]) + frame[-1:]


def cut(longest: int) -> Change:
    """The end of what is long is lost, with the zero that ends it."""
    return lambda frame: frame[:longest]


class LossyRole(DeviceRole):
    """A device that loses what follows byte ``longest`` of a frame."""

    longest = 0

    def receive(self, data: bytes) -> list[bytes]:
        """See ``DeviceRole.receive``; bytes come one by one."""
        for byte in data:
            self.length = 0 if byte == 0 else getattr(self, "length", 0) + 1
        return [] if self.longest and self.length >= self.longest else super().receive(data)


class BadLine(PtyDevice):
    """A device on a line that changes its answers.

    Attributes:
        change: what the line does to each.
        after: how many answers it leaves alone.
    """

    change: Change | None = None
    after = 0

    def _send(self, answer: bytes) -> None:
        self.after -= 1
        super()._send(answer if self.change is None or self.after >= 0 else self.change(answer))


@contextlib.contextmanager
def bad_line(
    link: Path,
    *,
    change: Change | None = None,
    after: int = 0,
    babble: bytes = b"",
    longest: int = 0,
    harmless: bool = False,
    **options: Any,
) -> Iterator[BadLine]:
    """A device that is plugged in.

    Args:
        link: the symbolic link to its terminal.
        change: what the line does to answers.
        after: how many it leaves alone.
        babble: what the device says instead of answers.
        longest: bytes of a request that arrive.
        harmless: the device's own words have no bytes that such lines are fond of, so that it can be greeted.
        options: of its role.
    """
    role = LossyRole(INPUTS, OUTPUTS, invert, max_payload=1024, window=2, **options)
    role.longest = longest
    # Hashes as real ones are, with bytes in them that lines are fond of.
    noisy = Random(5).randbytes(28) + b"\x0a\x11\x13\x81"
    if harmless:
        noisy = WELCOME.model_sha256
    role.welcome = replace(role.welcome, model_sha256=noisy, project_sha256=WELCOME.project_sha256)
    device = BadLine(link, role)
    device.change, device.after, device.babble, device.silent = change, after, babble, bool(babble)
    with device:
        yield device


class FastLines(PortLines):
    """Lines on which time passes faster, so that what is waited for comes sooner."""

    TIMES = 16.0

    def open(self, deadline: Deadline) -> Line:
        """See ``Lines.open``."""
        line = super().open(deadline)
        return replace(line, transport=_Fast(line.transport, self.TIMES), clock=lambda: self.TIMES * time.monotonic())


class _Fast:
    def __init__(self, inner: Transport, times: float) -> None:
        self._inner, self._times = inner, times
        self.name, self.write, self.close = inner.name, inner.write, inner.close

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        return self._inner.read(max_bytes, timeout_s / self._times)
