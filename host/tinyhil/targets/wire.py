"""How a device is reached: flashed, found, switched, and talked to over its wire. Parts of a target file (model.py)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(gt=0)]


class Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the firmware gets onto the device, and how the device's port is found: by ``pio run -t upload``.

    Attributes:
        usb: vendor and product id of the ports that it may be behind, each ``vvvv:pppp`` in lower case hexadecimal:
            those of the running board, of its boot loader, or of the serial converter on it.
        port: where ``upload`` leaves the port, a path in the project, for what is no USB device.
        settle: seconds within which the port is back after the upload.
    """

    usb: tuple[Annotated[str, Meta(pattern="^[0-9a-f]{4}:[0-9a-f]{4}$")], ...] = ()
    port: str = ""
    settle: Annotated[float, Meta(gt=0)] = 10.0

    def __post_init__(self) -> None:
        """Refuses a device that could never be found."""
        if bool(self.usb) == bool(self.port):
            raise ValueError("`usb` says how the port is found, or `port` where it is: one of the two")


class Power(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a board's power is switched, such as by a USB hub that can: used when the board does not answer any more.

    Attributes:
        off: a program and its arguments, run without a shell: ``["uhubctl", "-l", "1-1", "-p", "2", "-a", "off"]``.
        on: likewise.
        off_seconds: for which it stays off.
        back_within: seconds within which the board's port is back then.
        cycles: how often at most in one run.
    """

    off: Annotated[tuple[str, ...], Meta(min_length=1)]
    on: Annotated[tuple[str, ...], Meta(min_length=1)]
    off_seconds: Annotated[float, Meta(ge=0)] = 2.0
    back_within: Annotated[float, Meta(gt=0)] = 10.0
    cycles: Annotated[int, Meta(ge=1, le=10)] = 2


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The wire to the device.

    Attributes:
        baud: line rate in bit/s after each start of the device; an emulator ignores it.
        max_baud: highest rate that both sides may agree on after the handshake, such as 921600, or 2000000 where the
            serial converter has it; 0 where the line keeps its first rate, or has none, as native USB.
        max_payload: largest frame payload in bytes that the firmware is built for (docs/protocol.md, WELCOME).
        answer_within: seconds of silence after which a device is given up.
        dtr, rts: how the two control lines of a serial port are set when it is opened. Native USB needs DTR, on other
            boards they may lead to reset and boot.
        max_batch: most vectors in one request. Lower it where a model is so slow that a request of the largest size
            would take longer than ``answer_within``.
    """

    baud: Positive = 115200
    max_baud: Annotated[int, Meta(ge=0)] = 0
    max_payload: Annotated[int, Meta(ge=100, le=4096)] = 1024
    answer_within: Annotated[float, Meta(gt=0)] = 10.0
    dtr: bool = True
    rts: bool = True
    max_batch: Annotated[int, Meta(ge=1, le=65535)] = 65535

    def __post_init__(self) -> None:
        """Refuses a highest rate that is none."""
        if 0 < self.max_baud <= self.baud:
            raise ValueError("`max_baud` is above `baud`, or absent")

    @property
    def flags(self) -> tuple[str, ...]:
        """The macros that tell the port its rates, as a compiler takes them."""
        highest = (f"-DTINYHIL_MAX_BAUD={self.max_baud}",) if self.max_baud else ()
        return f"-DTINYHIL_BAUD={self.baud}", *highest

    @property
    def controls(self) -> tuple[bool, bool]:
        """DTR and RTS."""
        return self.dtr, self.rts
