"""A device that is an emulator: a child process of ours, watched while it runs and always ended.

The emulator may be the firmware itself, built for the host.

Its serial line is a terminal that it names in what it prints, or a TCP port that it is told to listen at. Where the
firmware can take a faster line by semihosting, that is a terminal of ours, which the emulator is told and the firmware
opens; that the emulator has started is still seen by the serial port that it names.

A thread reads everything the emulator prints, so that it can never block on a full pipe; the thread finds the serial
port in it and keeps the last lines for errors. The process itself is spawned by the thread that calls
:meth:`EmulatorDevice.start`, because the kernel ends it together with that thread.

The serial port is held open from the moment it is known, without reading from it. QEMU looks only once a second
whether somebody has opened its pseudo-terminal, and drops what the firmware sends until then; it does not have to
look again when one session follows another.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tinyhil import process
from tinyhil.deadline import Deadline
from tinyhil.device import listener
from tinyhil.device.surroundings import Surroundings
from tinyhil.errors import ConfigError, DeviceError, MissingToolError, ToolError
from tinyhil.targets.model import FIRMWARE, PYTHON, SEMIHOSTING, UART, Emulator, Semihosting
from tinyhil.terminal import Terminal

KEPT_LINES = 200
"""How much of the emulator's output an error shows."""

_LONGEST_LINE = 4096
"""Characters after which a line is taken as ended: output without newlines must not fill our memory."""

_OURSELVES = Path("/proc/self/exe")
"""The program that runs us, so one for this computer."""

_LAST_WORDS_SECONDS = 1.0
"""How long the rest of the output of an emulator that has ended is waited for."""


def require(emulator: Emulator) -> None:
    """Returns where the emulator is installed, or is the firmware itself.

    Raises:
        ConfigError: what the target expects of it is no regular expression.
        MissingToolError: it is not installed, or another program of its name is; the hint says how to get it.
    """
    program, ability = emulator.on_path, emulator.ability
    if program is None:
        return
    process.require(program.name, debian=program.debian, install=program.install, purpose="run the firmware")
    if ability is None:
        return
    _pattern("ability.expects", ability.expects)
    if not process.answers(program.name, ability.arguments, ability.expects):
        raise MissingToolError(f"{program.name} is installed, but lacks {ability.lacking}", hint=program.hint)


def semihosting(emulator: Emulator, line: str | None) -> Semihosting | None:
    """What the line by semihosting takes; None where ``line``, or for None the emulator's facts, mean the UART.

    Raises:
        ConfigError: the emulator has no such line.
    """
    if line not in (None, UART, SEMIHOSTING):
        raise ConfigError(f"there is no line {line!r}", hint=f"lines are {UART} and {SEMIHOSTING}")
    if (line or emulator.line) != SEMIHOSTING:
        return None
    if emulator.semihosting is None:
        raise ConfigError(
            f"{emulator.program} has no line by semihosting here", hint="leave --line out: it has one only"
        )
    return emulator.semihosting


class EmulatorDevice:
    """Runs firmware in an emulator.

    Ownership: one object runs at most one process at a time, and ends it in :meth:`stop`. Not for use by two threads.

    Args:
        emulator: the target's facts about its emulator.
        project: the rendered project, where the emulator takes something from it.
        line: what carries the bytes; None for what the emulator's facts say.

    Raises:
        ConfigError: the emulator has no such line.
    """

    stays = False

    def __init__(self, emulator: Emulator, project: Path | None = None, line: str | None = UART) -> None:
        self._emulator = emulator
        self._project = project
        self._semihosting = semihosting(emulator, line)
        self._run: _Run | None = None

    def start(self, firmware: Path, deadline: Deadline) -> str:
        """Starts the emulator and returns its serial port: the path of a terminal, or an address.

        Raises:
            ConfigError: the target's ``serial_port`` is not a regular expression with a group, its ``last_words`` no
                regular expression, its ``address`` none, or the parts of its flash image do not fit.
            MissingToolError: the emulator is not installed.
            DeviceError: it cannot be run, ended at once, or offered no serial port before the deadline.
            StorageError: there is no room for its temporary files.
        """
        self.stop()
        emulator = self._emulator
        require(emulator)
        if emulator.program == FIRMWARE:
            _require_program(firmware)
        serial_port = _pattern("serial_port", emulator.serial_port, groups=1) if emulator.serial_port else None
        _pattern("last_words", emulator.last_words)
        terminal = Terminal() if self._semihosting else None
        surroundings = Surroundings(emulator, firmware, self._project, terminal)
        try:
            address = surroundings.fill(emulator.address)
            listener.split(address)
            more = self._semihosting.arguments if self._semihosting else ()
            argv = [surroundings.fill(argument) for argument in (emulator.program, *emulator.arguments, *more)]
            environment = {name: surroundings.fill(value) for name, value in emulator.environment.items()}
            child = process.spawn(argv, env=environment, stdin=emulator.console)
        except ToolError as error:
            surroundings.remove()
            raise DeviceError(error.message) from error
        except BaseException:
            surroundings.remove()
            raise
        self._run = run = _Run(child, serial_port, address, surroundings)
        try:
            if not run.wait_for_port(deadline, lambda: self._said(run.output()) is not None):
                self.check()
                said = f"did not listen at {address}" if address else "named no serial port"
                output = run.output()
                cause = f": {self._cause(output)}" if self._said(output) else f" within {deadline.seconds:g} s"
                raise DeviceError(f"{self._name} {said}{cause}", detail=output)
        except BaseException:
            self.stop()
            raise
        return terminal.address if terminal else run.port

    def check(self) -> None:
        """Returns while the emulator runs.

        Raises:
            DeviceError: it was not started or has ended; ``detail`` is what it printed last.
        """
        if self._run is None:
            raise DeviceError(f"{self._name} is not running")
        code = self._run.exit_code()
        if code is not None:
            output = self._run.output()
            cause = self._cause(output)
            ending = f"{self._name} ended with {process.describe_exit(code)}"
            raise DeviceError(f"{ending}: {cause}" if cause else ending, detail=output)

    @property
    def pid(self) -> int:
        """The number of its process.

        Raises:
            DeviceError: it was not started.
        """
        if self._run is None:
            raise DeviceError(f"{self._name} is not running")
        return self._run.pid

    def stop(self) -> None:
        """Ends the emulator; no process is left when this returns."""
        run, self._run = self._run, None
        if run is not None:
            run.end()

    @property
    def _name(self) -> str:
        """What messages call the program."""
        return {FIRMWARE: "the firmware", PYTHON: "the device's program"}.get(
            self._emulator.program, self._emulator.program
        )

    def _cause(self, output: str) -> str:
        """The line of the output that says why the program ended."""
        said = self._said(output)
        return said if said is not None else output.rstrip().rpartition("\n")[2]

    def _said(self, output: str) -> str | None:
        """The cause in the output, where the target file says how it is told from the rest."""
        pattern = self._emulator.last_words
        found = re.search(f"^.*(?:{pattern}).*$", output, re.MULTILINE) if pattern else None
        return None if found is None else next((group for group in found.groups() if group), found[0]).strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the emulator."""
        self.stop()


class _Run:
    """One run of the program, with the thread that reads its output."""

    def __init__(
        self,
        child: process.Child,
        serial_port: re.Pattern[str] | None,
        address: str,
        surroundings: Surroundings,
    ) -> None:
        self.port = ""
        self.pid = child.pid
        self._child = child
        self._serial_port = serial_port
        self._address = address
        self._surroundings = surroundings
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._held: int | None = None
        self._changed = threading.Condition()
        self._silent = False
        self._reader = threading.Thread(target=self._drain, name="emulator output", daemon=True)
        self._reader.start()

    def wait_for_port(self, deadline: Deadline, failed: Callable[[], bool]) -> bool:
        """Whether the port was named, or listened at, before the program ended or failed and before the deadline."""
        if self._address:
            if listener.wait(self._address, lambda: process.poll(self._child) is None and not failed(), deadline):
                self.port = self._address
            return bool(self.port)
        with self._changed:
            self._changed.wait_for(lambda: self.port or self._silent, deadline.remaining)
        if not self.port and self._silent:
            # The output has ended, so the process is about to; its exit code says more than a missing port.
            process.poll(self._child, deadline.within(_LAST_WORDS_SECONDS))
        return bool(self.port)

    def exit_code(self) -> int | None:
        """How it ended, None while it runs; all it printed has been read then.

        A port that has hung up tells that the program is about to end: its files are closed first.
        """
        code = process.poll(self._child, _LAST_WORDS_SECONDS if self._hung_up() else 0.0)
        if code is not None:
            self._reader.join(_LAST_WORDS_SECONDS)
        return code

    def output(self) -> str:
        """The last lines it printed."""
        with self._changed:
            return "".join(self._lines)

    def end(self) -> None:
        try:
            # An emulator whose firmware waits for a byte by semihosting does nothing else, and notices no SIGTERM.
            process.end(self._child, gently=not self._surroundings.terminal)
        finally:
            self._reader.join(_LAST_WORDS_SECONDS)
            with self._changed:
                held, self._held = self._held, None
            if held is not None:
                os.close(held)
            self._surroundings.remove()

    def _hung_up(self) -> bool:
        if self._held is None:
            return False
        port = select.poll()
        port.register(self._held, 0)  # a hang-up is reported whether asked for or not
        return any(event & select.POLLHUP for _, event in port.poll(0))

    def _drain(self) -> None:
        assert self._child.stdout is not None
        # ValueError: end() closed the pipe while somebody outside the process group still held its other end.
        with contextlib.suppress(ValueError, OSError):
            while line := self._child.stdout.readline(_LONGEST_LINE):
                self._take(line)
        with self._changed:
            self._silent = True
            self._changed.notify_all()

    def _take(self, line: str) -> None:
        named = self._serial_port.search(line) if self._serial_port is not None and not self.port else None
        with self._changed:
            self._lines.append(line)
            if named:
                self.port = named[1]
                self._held = _hold(self.port)
                self._changed.notify_all()


def _pattern(key: str, text: str, groups: int = 0) -> re.Pattern[str]:
    """The regular expression under a key of the target file."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ConfigError(
            f"{key} = {text!r} is not a regular expression: {error}", hint="correct it in the target's file"
        ) from error
    if pattern.groups < groups:
        raise ConfigError(f"{key} = {text!r} has no group for the path of the port", hint="put the path in parentheses")
    return pattern


def _require_program(firmware: Path) -> None:
    """Refuses what the kernel would not run: the C library would then take it for a shell script."""
    if _machine(firmware) != _machine(_OURSELVES):
        raise DeviceError(f"{firmware} is not a program for this computer", hint="build it for this target")
    if not os.access(firmware, os.X_OK):
        raise DeviceError(f"{firmware} may not be run", hint=f"chmod +x {firmware}")


def _machine(program: Path) -> bytes:
    """What an ELF header says of the machine: magic number, word size and byte order, and its number."""
    try:
        with program.open("rb") as stream:
            header = stream.read(20)
    except OSError as error:
        raise DeviceError(f"cannot read {program}: {error.strerror}") from error
    return header[:6] + header[18:]


def _hold(port: str) -> int | None:
    """Opens a terminal by its path; None for a port that is not one."""
    try:
        return os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None
