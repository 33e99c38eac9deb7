"""A device that somebody else started: a board that is plugged in, or an emulator in another terminal."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from tinyhil.deadline import Deadline


class AttachedDevice:
    """A device at a known port. It is neither flashed nor started nor stopped here.

    Args:
        port: as given with ``--port``.
    """

    stays = True

    def __init__(self, port: str) -> None:
        self._port = port

    def start(self, firmware: Path, deadline: Deadline) -> str:
        """The port. Which firmware really runs there is for the handshake to find out."""
        return self._port

    def check(self) -> None:
        """Nothing is known of it but what comes through the port."""

    def stop(self) -> None:
        """Leaves it running: it is not ours."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves it running."""
