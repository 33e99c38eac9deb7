"""What the device of a monitor can be told to do, by the names that are typed at its prompt.

``verify``, ``bisect``, ``profile`` and ``flash`` are the commands of these names, each in a process of its own: it asks
for the port as from another terminal, and the monitor steps aside. What such a process prints is told line by line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from tinyhil import process
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.options import Options, flags_of
from tinyhil.pipeline.answers import RunningDevice
from tinyhil.stream.source import PortSource

Command = Callable[[], Iterator[str]]

_SAID = ("target", "engine", "scheme", "samples", "data", "force", "build_dir")
"""Options that a process of ours is given."""


def commands_of(model: str, options: Options, device: RunningDevice, source: PortSource) -> dict[str, Command]:
    """The commands of a device that was started, or found, for a monitor.

    Args:
        model: whose firmware it runs.
        options: of the run.
        device: likewise.
        source: of its port.
    """
    flags = flags_of(options, _SAID)

    def reset() -> Iterator[str]:
        if not device.can_restart:
            yield from reset_of(source)()
            return
        with source.aside():
            source.move(device.restart())
        yield f"the device was started again, on {source.address}"

    def demo() -> Iterator[str]:
        with source.aside(), device.session(parting=True):
            pass
        yield "the device is back at its demo"

    def flash() -> Iterator[str]:
        if device.can_restart:
            raise ConfigError(
                f"{device.target.name} was started here, and has nothing to be flashed",
                hint="leave the monitor and start it again: it builds what has changed",
            )
        yield from _printed("flash", model, *flags, "--port", device.port)

    def verify() -> Iterator[str]:
        yield from _printed("verify", model, *flags, "--port", device.port)

    def on_its_own(word: str) -> Command:
        # Other firmware is built for it: an emulator of its own runs that, a board has to be lent.
        port = () if device.can_restart else ("--port", device.port)
        return lambda: _printed(word, model, *flags, *port)

    return {
        "reset": reset,
        "demo": demo,
        "flash": flash,
        "verify": verify,
        "bisect": on_its_own("bisect"),
        "profile": on_its_own("profile"),
    }


def reset_of(source: PortSource) -> Command:
    """Resets whatever is at a port by its control lines; the port itself tells what became of it."""

    def reset() -> Iterator[str]:
        source.reset()
        return iter(())

    return reset


def _printed(*words: str) -> Iterator[str]:
    """What a command of ours prints.

    Raises:
        DeviceError: it has failed.
    """
    child = process.spawn([sys.executable, "-m", "tinyhil", *words], env={"NO_COLOR": "1", "COLUMNS": "100"})
    try:
        for line in process.lines(child):
            yield line.rstrip("\n")
        code = child.wait()
    finally:
        process.end(child)
    if code:
        raise DeviceError(f"tinyhil {words[0]} has ended with {code}", hint="the lines above say why")
