"""A device that is a board: found, flashed where it has to be, and found again.

A board's port is found by the vendor and product ids of the target's file, and where several ports have them, by asking
each of them. To flash takes the port away: the board restarts as its boot loader and again as itself, each time perhaps
under another name, and a USB port of the old life may still be listed when the new one has begun. So what is waited for
is not a port but the answer of the firmware that was flashed.

The port is held from the moment it is known until the device is stopped, over the upload and what follows it. How a
port is listed, asked, held and flashed is other packages' knowledge, handed in as :class:`Ports`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tinyhil import kinds
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, PortBusyError, StaleFirmwareError
from tinyhil.targets.wire import Upload

_PAUSE_S = 0.1
"""Between two looks for a port that is to come back."""


class Port(Protocol):
    """What the system knows of a serial port (pyserial's ``ListPortInfo``)."""

    device: str
    serial_number: str | None
    vid: int | None
    pid: int | None


class Ports(Protocol):
    """What can be done with ports."""

    def present(self) -> Iterable[Port]:
        """The serial ports of this machine."""

    def locate(self, port: str) -> str:
        """The device path behind what ``--port`` was given.

        Raises:
            DeviceError: there is none now.
        """

    def ask(self, port: str) -> str | None:
        """The sha256 of the project whose firmware answers there; None if none does.

        Raises:
            PortBusyError: another process holds the port.
            DeviceError: it cannot be opened.
        """

    def hold(self, port: str) -> contextlib.AbstractContextManager[None]:
        """Keeps other processes off the port.

        Raises:
            PortBusyError: another process holds it.
        """

    def upload(self, port: str | None) -> None:
        """Flashes the device behind a port, or the one that has none yet.

        Raises:
            DeviceError: it failed.
        """


class Flash(Enum):
    """When a board is flashed."""

    NEVER = "never"
    IF_STALE = "if it runs anything else"
    ALWAYS = "always"


def usb_id(port: Port) -> str:
    """Vendor and product id as target files write them; empty for what is no USB port."""
    return f"{port.vid:04x}:{port.pid:04x}" if port.vid is not None and port.pid is not None else ""


class BoardDevice:
    """A board that is plugged in, or what takes the place of one.

    Args:
        name: of the target, for messages.
        upload: the target's facts.
        ports: what to do it with.
        project: sha256 of the project that it is to run.
        folder: the project, in which ``upload.port`` is looked for.
        flash: when to flash it.
        port: as given with ``--port``; None to find it.
    """

    stays = True

    def __init__(
        self,
        name: str,
        upload: Upload,
        ports: Ports,
        *,
        project: str,
        folder: Path,
        flash: Flash,
        port: str | None = None,
    ) -> None:
        self._name = name
        self._upload = upload
        self._ports = ports
        self._project = project
        self._folder = folder
        self._flash = flash
        self._port = port
        self._held = contextlib.ExitStack()

    def start(self, firmware: Path, deadline: Deadline) -> str:
        """The port of the board, which runs the project then if it was to be flashed.

        The deadline does not count: an upload takes as long as it takes, and the target says how long the way back may.

        Raises:
            PortBusyError: another process holds the port.
            DeviceError: there is no such board or more than one, the upload failed, or it did not come back.
        """
        self.stop()
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Nothing is known of a board but what comes through its port."""

    def stop(self) -> None:
        """Lets go of the port. The board runs on."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets go of the port."""
        self.stop()

    def _start(self) -> str:
        if self._upload.port and self._port is None:
            return self._start_by_upload()
        port, runs = self._find()
        self._hold(port)
        if self._flash is Flash.NEVER:
            return port
        # It is asked also where it is flashed in any case: a port that is busy or missing says so here.
        runs = runs or self._ports.ask(port)
        if self._flash is Flash.IF_STALE and runs == self._project:
            return port
        if "://" in port or port.startswith("unix:"):
            raise DeviceError(
                f"{self._name} cannot be flashed through {port}",
                hint="flash it on the machine that it is plugged into; then verify it from here with --port",
                kind=kinds.NO_BOARD,
            )
        before = {listed.device: listed for listed in self._ports.present()}
        self._ports.upload(port)
        return self._back(port, before)

    def _start_by_upload(self) -> str:
        port = str(self._folder / self._upload.port)
        if self._flash is not Flash.NEVER:
            self._ports.upload(None)
        self._hold(port)
        return port

    def _hold(self, port: str) -> None:
        self._held.enter_context(self._ports.hold(port))

    def _find(self) -> tuple[str, str | None]:
        """The port, and the project that answers there, where it had to be asked."""
        if self._port is not None:
            return self._ports.locate(self._port), None
        ports = sorted(port.device for port in self._ports.present() if usb_id(port) in self._upload.usb)
        if not ports:
            raise DeviceError(
                f"no {self._name} is plugged in: no serial port has the USB id {' or '.join(self._upload.usb)}",
                hint="plug it in, with a cable that carries data; `tinyhil ports` shows what is there, "
                "and --port takes any port",
                kind=kinds.NO_BOARD,
            )
        if len(ports) == 1:
            return ports[0], None
        return self._choose(ports)

    def _choose(self, ports: list[str]) -> tuple[str, str | None]:
        """The one of several ports that answers."""
        answers: dict[str, str] = {}
        others: list[str] = []
        for port in ports:
            try:
                answer = self._ports.ask(port)
            except PortBusyError:
                others.append(f"{port} (busy)")
                continue
            except DeviceError as error:
                others.append(f"{port} ({error.message})")
                continue
            if answer is None:
                others.append(f"{port} (silent)")
            else:
                answers[port] = answer
        if len(answers) == 1:
            return next(iter(answers.items()))
        if answers:
            raise DeviceError(
                f"{len(answers)} ports may be the {self._name} that is meant, and answer: {', '.join(answers)}",
                hint="give one of them with --port",
                kind=kinds.NO_BOARD,
            )
        raise DeviceError(
            f"{len(ports)} ports may be the {self._name} that is meant, and none answers: {', '.join(others)}",
            hint="give one of them with --port",
            kind=kinds.NO_BOARD,
        )

    def _back(self, port: str, before: dict[str, Port]) -> str:
        """Waits until the firmware that was flashed answers, under whatever name."""
        until = Deadline.after(self._upload.settle)
        last = "no port came back"
        stale = ""
        while True:
            for candidate in self._candidates(port, before):
                try:
                    found = self._ports.ask(candidate)
                except DeviceError as error:
                    last = error.message
                    continue
                if found == self._project:
                    self._hold(candidate)
                    return candidate
                if found:
                    stale = f"{candidate} answers for another build: it says {found}, expected {self._project}"
                last = f"{candidate} does not answer"
            if until.expired and stale:
                raise StaleFirmwareError(
                    f"{self._name} was flashed through {port}, but {stale}",
                    hint="is it the board behind this port that was flashed?",
                    what="build",
                )
            if until.expired:
                raise DeviceError(
                    f"{self._name} was flashed through {port}, but did not come back within {until.seconds:g} s: "
                    f"{last}",
                    hint="press its reset button, or plug it in again; then verify it with --port",
                )
            time.sleep(until.within(_PAUSE_S))

    def _candidates(self, port: str, before: dict[str, Port]) -> list[str]:
        """Where the board may be now, the likeliest first.

        It has the same serial number, if it had one, and else the same name, or else is a port of the right kind that
        was not there before.
        """
        listed = list(self._ports.present())
        number = before[port].serial_number if port in before else None
        same = [other.device for other in listed if number and other.serial_number == number]
        # A path that is no listed port (a symbolic link, a pseudo-terminal) is tried as it is.
        if not number or port not in before:
            same.append(port)
        fresh = [other.device for other in listed if other.device not in before and usb_id(other) in self._upload.usb]
        return list(dict.fromkeys([*same, *fresh]))
