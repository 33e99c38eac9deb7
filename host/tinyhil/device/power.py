"""Switches a board's power off and on, by the commands of its target file."""

from __future__ import annotations

import time

from tinyhil import kinds, process
from tinyhil.errors import DeviceError, MissingToolError, ToolError
from tinyhil.progress import Reporter
from tinyhil.targets.wire import Power

_WITHIN_S = 60.0
"""What a command may take: far more than a hub does, and less than anybody would wait for one that hangs."""


def cycle(power: Power, reporter: Reporter) -> None:
    """Switches off, waits, and switches on.

    Args:
        power: the target's facts.
        reporter: told the commands and what they print.

    Raises:
        DeviceError: a command is not there, failed, or does not end; ``detail`` is its output.
    """
    _switch("off", power.off, reporter)
    time.sleep(power.off_seconds)
    _switch("on", power.on, reporter)


def _switch(way: str, command: tuple[str, ...], reporter: Reporter) -> None:
    reporter.text(f"$ {' '.join(command)}")
    try:
        process.run(command, what=f"switch the board's power {way}", on_line=reporter.text, within=_WITHIN_S)
    except (ToolError, MissingToolError) as error:
        raise DeviceError(
            error.message,
            hint=f"run it by hand: {' '.join(command)}; it is power.{way} of the target file",
            detail=error.detail,
            kind=kinds.POWER,
        ) from error
