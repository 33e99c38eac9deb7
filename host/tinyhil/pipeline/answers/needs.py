"""What a run needs of this computer, looked for before anything is trained or built: seconds, not minutes, are lost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import msgspec

from tinyhil import kinds
from tinyhil.device import factory
from tinyhil.device.board import Port, usb_id
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.render import PROJECT
from tinyhil.targets.model import Target
from tinyhil.toolchain import core_dir, libraries, platformio
from tinyhil.transport import quarantine
from tinyhil.transport.finder import PortFinder, present


def of_device(target: Target, port: str | None) -> None:
    """Returns where the device can be had, as far as that can be told without opening anything.

    Args:
        port: where it is, as given with ``--port``.

    Raises:
        MissingToolError: the target's emulator is not installed.
        DeviceError: the port is not there, no board is plugged in, or all that are have been quarantined.
    """
    if port is not None:
        quarantine.refuse(port)
        found = PortFinder(port).locate()
        if found.startswith("/") and not Path(found).exists():
            raise DeviceError(
                f"there is no port {port}",
                hint="plug the board in; `tinyhil ports` shows the ports that there are",
                kind=kinds.NO_BOARD,
            )
        return
    factory.require(target, port)
    if target.emulator is None and target.upload is not None and target.upload.usb:
        wanted = target.upload.usb
        boards = [listed for listed in cast(Iterable[Port], present()) if usb_id(listed) in wanted]
        if not boards:
            raise DeviceError(
                f"no {target.name} is plugged in: no serial port has the USB id {' or '.join(wanted)}",
                hint="plug it in, with a cable that carries data; `tinyhil ports` shows what is there, "
                "and --port takes any port",
                kind=kinds.NO_BOARD,
            )
        if all(quarantine.of_port(board.device, present) for board in boards):
            quarantine.refuse(boards[0].device, present)


def of_form(target: Target, form: str) -> None:
    """Returns where tinyhil builds the firmware itself.

    Args:
        form: what the model is rendered as; one of ``render.FORMS``.

    Raises:
        ConfigError: it is a library, which only the user's own project builds.
    """
    if form != PROJECT:
        raise ConfigError(
            f"a {form} for {target.name} is built by your own project around it",
            hint="build that, and name its ELF file with --firmware; to write the library: tinyhil render",
            kind=kinds.CONTRADICTION,
        )


def of_build(target: Target, engine: str, project: Path) -> None:
    """Returns where the firmware can be built, as far as that can be told before there is a project.

    Args:
        engine: name of the engine.
        project: the folder in which the project will be.

    Raises:
        MissingToolError: a compiler, PlatformIO, its SCons or the engine's library is not there.
    """
    if target.build is None:
        return
    facts = target.engines[engine]
    needs = msgspec.structs.replace(target.build, programs=(*target.build.programs, *facts.programs))
    platformio.require(needs)
    core_dir.prepare(needs)
    lacking = facts.library and libraries.find(project, target.name, facts.library) is None
    if lacking and not libraries.registry_answers():
        raise libraries.missing(project, target.name, facts.library, "PlatformIO's registry cannot be reached")
