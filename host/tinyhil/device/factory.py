"""Which kind of device a target has, from its facts."""

from __future__ import annotations

from tinyhil.device.attached import AttachedDevice
from tinyhil.device.base import Device
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import DeviceError
from tinyhil.targets.model import Target


def open_device(target: Target, port: str | None) -> Device:
    """The device of a target; one that is already running where a port is given.

    Raises:
        DeviceError: the target has no emulator, so a port is needed.
    """
    if port is not None:
        return AttachedDevice(port)
    if target.emulator is not None:
        return EmulatorDevice(target.emulator)
    raise DeviceError(f"{target.name} is a board: where is it plugged in?", hint="give its serial port with --port")
