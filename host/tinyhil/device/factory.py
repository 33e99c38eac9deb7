"""Which kind of device a target has, from its facts."""

from __future__ import annotations

from pathlib import Path

from tinyhil import kinds
from tinyhil.device import emulator
from tinyhil.device.attached import AttachedDevice
from tinyhil.device.base import Device
from tinyhil.device.board import BoardDevice, Flash, Ports
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.targets.model import SEMIHOSTING, UART, LineName, Target


def require(target: Target, port: str | None) -> None:
    """Returns where the device of a target can be had, as far as that can be told before there is firmware for it.

    Raises:
        MissingToolError: the target's emulator is not installed.
    """
    if port is None and target.emulator is not None:
        emulator.require(target.emulator)


def line(target: Target, port: str | None, wanted: str | None) -> LineName | None:
    """What carries the bytes of a target whose emulator is started; None where none is, or it has no chip with lines.

    Args:
        target: its facts.
        port: where a device is that is already running; then none is started.
        wanted: what the user wants it to be; None for what the target's facts say.

    Raises:
        ConfigError: no emulator is started, or it has no such line.
    """
    chip = None if port is not None else target.emulator
    if chip is not None and chip.on_path is not None:
        return SEMIHOSTING if emulator.semihosting(chip, wanted) else UART
    if wanted is not None:
        raise ConfigError("--line is for an emulated chip that is started here, and none is", hint="leave --line out")
    return None


def open_device(
    target: Target,
    port: str | None,
    *,
    ports: Ports,
    project: str,
    folder: Path,
    flash: Flash = Flash.NEVER,
    line: str | None = None,
) -> Device:
    """The device of a target.

    Args:
        target: its facts.
        port: where a device is that is already running, or a board that is plugged in.
        ports: how boards are reached.
        project: sha256 of the project that a board is to run.
        folder: the project's folder.
        flash: when a board is to be flashed. What has an emulator is, unless it is always to be flashed, run there.
        line: what carries the bytes of an emulator; None for what its facts say.

    Raises:
        ConfigError: the emulator has no such line.
        DeviceError: the target has neither an emulator nor a way to be flashed, so a port is needed.
    """
    upload = target.upload
    # What leaves its port in the project is started by its upload; a given port is another one, already running.
    elsewhere = upload is not None and upload.port and port is not None
    if upload is not None and not elsewhere and (flash is Flash.ALWAYS or target.emulator is None):
        return BoardDevice(target.name, upload, ports, project=project, folder=folder, flash=flash, port=port)
    if port is not None:
        return AttachedDevice(port)
    if target.emulator is not None:
        return EmulatorDevice(target.emulator, folder, line)
    raise DeviceError(
        f"{target.name} is a board: where is it plugged in?",
        hint="give its serial port with --port",
        kind=kinds.NO_BOARD,
    )
