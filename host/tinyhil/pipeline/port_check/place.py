"""What the system knows of a port, before it is opened: permissions, the group that owns it, USB ids, control lines."""

from __future__ import annotations

import grp
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

from tinyhil.device.board import Port, usb_id
from tinyhil.pipeline.port_check.findings import Checked, State
from tinyhil.targets.model import Target
from tinyhil.targets.wire import Power
from tinyhil.transport.finder import PortInfo, is_path, listed

RULES = "/etc/udev/rules.d/60-tinyhil.rules"


def udev_rules(usb: Iterable[str]) -> list[str]:
    """Lines of a file for udev that lets whoever sits at the computer use boards with these USB ids.

    Modem managers take a new serial port for a modem, and talk to it; the rule keeps them off.
    """
    ids = [each.split(":") for each in usb]
    return [
        f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}", GROUP="dialout", '
        'MODE="0660", TAG+="uaccess", ENV{ID_MM_DEVICE_IGNORE}="1"'
        for vendor, product in ids
    ]


def permissions(path: str, target: Target) -> Iterator[Checked]:
    """Whether this user may open the port.

    Args:
        path: of the device; what is no path has no permissions.
    """
    name = "permissions"
    if not is_path(path):
        yield Checked(name, State.SKIPPED, f"{path} is no file of this computer")
        return
    if not Path(path).exists():
        step = "plug the board in; tinyhil ports shows the ports that there are"
        yield Checked(name, State.FAILED, f"there is no {path}", step)
        return
    group = _group(path)
    if os.access(path, os.R_OK | os.W_OK):
        yield Checked(name, State.OK, f"{path} may be read and written; it belongs to the group {group}")
        return
    step = f"sudo usermod -aG {group} $USER, and log in again"
    if target.upload is not None and target.upload.usb:
        rules = "\n".join(udev_rules(target.upload.usb))
        step += f"; or put these lines into {RULES} and plug the board in again:\n{rules}"
    yield Checked(name, State.FAILED, f"{path} may not be opened by this user; it belongs to the group {group}", step)


def ids(path: str, target: Target, present: Callable[[], Iterable[PortInfo]]) -> Checked:
    """Whether the port has the USB id of the target."""
    name = "ids"
    port = listed(path, cast(Iterable[Port], present()))
    found = usb_id(port) if port is not None else ""
    wanted = target.upload.usb if target.upload is not None else ()
    if not found:
        return Checked(name, State.SKIPPED, f"{path} is no USB port, so nothing says what is behind it")
    if found in wanted or not wanted:
        return Checked(name, State.OK, f"USB id {found}")
    step = f"name another port, or another target than {target.name}"
    return Checked(name, State.WARNING, f"USB id {found}, where {target.name} has {' or '.join(wanted)}", step)


def power(facts: Power) -> Checked:
    """Whether the programs are there that switch the board's power; nothing is switched."""
    name = "power"
    missing = sorted({command[0] for command in (facts.off, facts.on) if shutil.which(command[0]) is None})
    if not missing:
        return Checked(name, State.OK, f"it can be switched by {facts.off[0]}; that was not tried")
    step = "install it (uhubctl: sudo apt-get install uhubctl), or correct [power] in the target file"
    return Checked(name, State.WARNING, f"{' and '.join(missing)} is not installed, by which it is switched", step)


def _group(path: str) -> str:
    number = Path(path).stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
