"""What every device can do: be started, be asked whether it still runs, be stopped.

A device is the lifecycle only. ``start`` names a port, and whoever wants to talk opens it with a transport.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tinyhil.deadline import Deadline


class Device(Protocol):
    """Something that runs the firmware.

    Used as a context manager it is stopped at the end, however that comes.
    """

    @property
    def stays(self) -> bool:
        """Whether it goes on running when it was stopped here, so that a session says goodbye to it."""

    def start(self, firmware: Path, deadline: Deadline) -> str:
        """Runs a firmware image and returns the name of its serial port, as a transport opens it.

        Raises:
            MissingToolError: a program that it takes is not installed.
            DeviceError: it did not start, or not in time.
        """

    def check(self) -> None:
        """Returns while the device runs.

        Raises:
            DeviceError: it has ended; ``detail`` is what it printed last.
        """

    def stop(self) -> None:
        """Ends what :meth:`start` began; nothing of it is left when this returns. May be called at any time."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
