"""Boards that no run may use: known by their USB serial numbers, each with a reason, in one file.

The file belongs to the user (``$XDG_STATE_HOME/tinyhil/quarantine.json``); where ``TINYHIL_QUARANTINE`` names one, it
is that, so that all runners of a computer share it. It is written whole or not at all, by one process at a time, and
read whenever a port is opened. A file that cannot be read keeps every port shut: it may have named any of them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from tinyhil import kinds
from tinyhil.artifacts import foreign, lock, store
from tinyhil.errors import ConfigError, DeviceError, StorageError
from tinyhil.resources import user_state
from tinyhil.transport import finder
from tinyhil.transport.finder import PortInfo

VARIABLE = "TINYHIL_QUARANTINE"
"""Of the environment: the file, where it is not the user's own."""
SCHEMA = 1

_admitted: ContextVar[bool] = ContextVar("quarantined boards are admitted", default=False)


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One quarantined board.

    Attributes:
        serial_number: of its USB device, as ``tinyhil ports`` shows it.
        reason: why it is not to be used.
        since: the day on which it was quarantined, UTC.
        until: the last day of the quarantine, UTC; None where somebody has to release it.
    """

    serial_number: str
    reason: str
    since: date
    until: date | None = None

    @property
    def said(self) -> str:
        """Number, reason and dates, for messages."""
        end = f" until {self.until}" if self.until is not None else ""
        return f"the board with the USB serial number {self.serial_number} is quarantined since {self.since}{end}: " + (
            self.reason
        )

    @property
    def release(self) -> str:
        """What to do to use it again."""
        return f"use another board, or release it: tinyhil quarantine --release {self.serial_number}"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    schema: int
    boards: tuple[Entry, ...]


def path() -> Path:
    """The file with the quarantined boards; it may not exist yet."""
    given = os.environ.get(VARIABLE, "")
    return Path(given) if given else user_state() / "quarantine.json"


def entries(today: date | None = None) -> tuple[Entry, ...]:
    """The boards that are quarantined on a day, by default today, in the order of their serial numbers.

    Raises:
        DeviceError: the file is damaged, or may not be read.
    """
    file = path()
    try:
        with foreign.reading(file, "a list of quarantined boards", _damaged):
            try:
                content = file.read_bytes()
            except FileNotFoundError:
                return ()
            read = msgspec.json.decode(content, type=_File)
        if read.schema != SCHEMA:
            raise _damaged(f"{file} is of another version of tinyhil: schema {read.schema}, known is {SCHEMA}")
    except ConfigError as error:
        raise DeviceError(error.message, hint=error.hint, kind=kinds.QUARANTINE_FILE) from error
    day = today or _today()
    return tuple(entry for entry in read.boards if entry.until is None or day <= entry.until)


def add(serial_number: str, reason: str, until: date | None = None) -> Entry:
    """Quarantines a board, from today on; what was said of it before is replaced.

    Args:
        serial_number: of its USB device.
        reason: for whoever wants to use it.
        until: the last day; None for until it is released.

    Raises:
        ConfigError: no serial number or no reason is given, or the last day is over.
        DeviceError: the file is damaged.
        StorageError: it cannot be written.
    """
    if not serial_number.strip() or not reason.strip():
        raise ConfigError("--reason TEXT and a USB serial number are needed", hint="tinyhil ports shows serial numbers")
    if until is not None and until < _today():
        raise ConfigError(f"--until {until} is over already", hint="name a day that is still to come")
    entry = Entry(serial_number=serial_number, reason=reason, since=_today(), until=until)
    _write(lambda known: [*(each for each in known if each.serial_number != serial_number), entry])
    return entry


def release(serial_number: str) -> Entry:
    """Ends a board's quarantine, and returns what it was.

    Raises:
        ConfigError: it is not quarantined.
        DeviceError: the file is damaged.
        StorageError: it cannot be written.
    """
    released: list[Entry] = []

    def without(known: tuple[Entry, ...]) -> list[Entry]:
        released.extend(each for each in known if each.serial_number == serial_number)
        if not released:
            raise ConfigError(
                f"--release {serial_number}: no board with this USB serial number is quarantined",
                hint="tinyhil quarantine --list shows those that are",
                kind=kinds.UNKNOWN_NAME,
            )
        return [each for each in known if each not in released]

    _write(without)
    return released[0]


def of_port(address: str, ports: Callable[[], Iterable[PortInfo]] | None = None) -> Entry | None:
    """The quarantine of the board behind an address; None where there is none.

    Args:
        address: as ``PortFinder`` takes it.
        ports: lists the serial ports; by default those of this machine.

    Raises:
        DeviceError: the file is damaged.
    """
    known = {entry.serial_number: entry for entry in entries()}
    return known.get(finder.serial_number(address, ports)) if known else None


def refuse(address: str, ports: Callable[[], Iterable[PortInfo]] | None = None) -> None:
    """Returns where the board behind an address may be used.

    Raises:
        DeviceError: it is quarantined, or nobody can tell: the file is damaged.
    """
    entry = None if _admitted.get() else of_port(address, ports)
    if entry is not None:
        raise DeviceError(f"{address}: {entry.said}", hint=entry.release, kind=kinds.QUARANTINED)


@contextlib.contextmanager
def admitted() -> Iterator[None]:
    """Quarantined boards may be opened in it: for a check of the board itself."""
    token = _admitted.set(True)
    try:
        yield
    finally:
        _admitted.reset(token)


def _today() -> date:
    return datetime.now(UTC).date()


def _damaged(message: str) -> ConfigError:
    return ConfigError(
        message, hint=f"mend or remove {path()}; then quarantine the boards again: tinyhil quarantine SERIAL"
    )


def _write(changed: Callable[[tuple[Entry, ...]], list[Entry]]) -> None:
    file = path()
    try:
        with lock.exclusive(file.parent, lambda _: None):
            boards = sorted(changed(entries()), key=lambda entry: entry.serial_number)
            store.write_json(file, _File(schema=SCHEMA, boards=tuple(boards)))
    except StorageError as error:
        error.hint = f"look at the rights of its folder, or name another file with {VARIABLE}"
        raise
