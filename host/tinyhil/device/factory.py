"""Which kind of device a target has, from its facts."""

from __future__ import annotations

from pathlib import Path

from tinyhil.device import emulator
from tinyhil.device.attached import AttachedDevice
from tinyhil.device.base import Device
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import DeviceError
from tinyhil.targets.model import Target


def require(target: Target, port: str | None) -> None:
    """Returns where the device of a target can be had, as far as that can be told before there is firmware for it.

    Raises:
        MissingToolError: the target's emulator is not installed.
    """
    if port is None and target.emulator is not None:
        emulator.require(target.emulator)


def open_device(target: Target, port: str | None, project: Path | None = None) -> Device:
    """The device of a target; one that is already running where a port is given.

    Args:
        target: its facts.
        port: of a device that is already running.
        project: the rendered project, from which an emulator may take files.

    Raises:
        DeviceError: the target has no emulator, so a port is needed.
    """
    if port is not None:
        return AttachedDevice(port)
    if target.emulator is not None:
        return EmulatorDevice(target.emulator, project)
    raise DeviceError(f"{target.name} is a board: where is it plugged in?", hint="give its serial port with --port")
