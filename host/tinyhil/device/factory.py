"""Which kind of device a target has, from its facts."""

from __future__ import annotations

from pathlib import Path

from tinyhil.device import emulator
from tinyhil.device.attached import AttachedDevice
from tinyhil.device.base import Device
from tinyhil.device.board import BoardDevice, Flash, Ports
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


def open_device(
    target: Target, port: str | None, *, ports: Ports, project: str, folder: Path, flash: Flash = Flash.NEVER
) -> Device:
    """The device of a target.

    Args:
        target: its facts.
        port: where a device is that is already running, or a board that is plugged in.
        ports: how boards are reached.
        project: sha256 of the project that a board is to run.
        folder: the project's folder.
        flash: when a board is to be flashed. What has an emulator is, unless it is always to be flashed, run there.

    Raises:
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
        return EmulatorDevice(target.emulator, folder)
    raise DeviceError(f"{target.name} is a board: where is it plugged in?", hint="give its serial port with --port")
