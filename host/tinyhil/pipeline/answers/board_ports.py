"""The serial ports that boards are plugged into: listed, asked, held and flashed through."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

from tinyhil.artifacts import lock
from tinyhil.artifacts.retries import Retries, Tally
from tinyhil.device.board import Port, usb_id
from tinyhil.progress import Reporter
from tinyhil.session.ask import ask
from tinyhil.targets.model import Target
from tinyhil.toolchain import platformio
from tinyhil.transport import finder, owner, quarantine
from tinyhil.transport.finder import PortFinder, PortInfo


class BoardPorts:
    """:class:`tinyhil.device.board.Ports` for one target.

    Args:
        target: the target's facts.
        folder: the project that is flashed.
        locked: the folder that belongs to one process at a time while something is made in it.
        reporter: told what is asked and what PlatformIO prints.
        ports: lists the serial ports.
        tally: takes the count of uploads.
    """

    def __init__(
        self,
        target: Target,
        folder: Path,
        locked: Path,
        reporter: Reporter,
        ports: Callable[[], Iterable[PortInfo]] = finder.present,
        tally: Tally | None = None,
    ) -> None:
        self._target = target
        self._folder = folder
        self._locked = locked
        self._reporter = reporter
        self._tally = Tally() if tally is None else tally
        self._ports = ports

    def present(self) -> Iterable[Port]:
        """See ``Ports.present``. A quarantined board is left out where another one may take its part."""
        listed = list(cast(Iterable[Port], self._ports()))
        held = {entry.serial_number for entry in quarantine.entries()}
        free = [port for port in listed if port.serial_number not in held]
        wanted = self._target.upload.usb if self._target.upload is not None else ()
        return free if any(usb_id(port) in wanted for port in free) else listed

    def locate(self, port: str) -> str:
        """See ``Ports.locate``."""
        return PortFinder(port, self._ports).locate()

    def ask(self, port: str) -> str | None:
        """See ``Ports.ask``."""
        link = self._target.link
        heard = ask(port, link.baud, controls=link.controls)
        welcome = heard.welcome
        self._reporter.text(f"{port}: {f'engine {welcome.engine}' if welcome else heard.why}")
        return welcome.project_sha256.hex() if welcome is not None else None

    def hold(self, port: str) -> contextlib.AbstractContextManager[None]:
        """See ``Ports.hold``."""
        quarantine.refuse(port, self._ports)
        return owner.owned(port)

    def upload(self, port: str | None) -> None:
        """See ``Ports.upload``."""
        self._tally.add(Retries(flash_attempts=1))
        with lock.exclusive(self._locked, self._reporter.text):
            platformio.upload(self._folder, self._target.name, self._target.compiles, port, self._reporter)
