"""What is plugged in, and what answers: a look at the serial ports, whatever recipe they may serve.

Only a port that may be a known board is asked, or one that was named: what is behind the others may take a greeting
badly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tinyhil import kinds
from tinyhil.device.board import Port, usb_id
from tinyhil.errors import DeviceError, PortBusyError
from tinyhil.session.ask import ask
from tinyhil.targets.model import Target
from tinyhil.targets.wire import Link
from tinyhil.transport import finder, owner, quarantine
from tinyhil.transport.finder import PortInfo

NOT_ASKED = "not asked"
ANSWERS = "answers"
SILENT = "silent"
BUSY = "busy"
CLOSED = "cannot be opened"
QUARANTINED = "quarantined"


@dataclass(frozen=True)
class Found:
    """One port.

    Attributes:
        device: its path, as ``--port`` takes it.
        usb: vendor and product id; empty for what is no USB port.
        serial_number: of the USB device; empty if it has none.
        description: what the system calls it.
        targets: names of the targets that it may be.
        state: ``answers``, ``silent``, ``busy``, ``cannot be opened``, ``quarantined`` or ``not asked``.
        why: more about it, if there is more to say.
        id: of the kind of error that keeps it from answering, see docs/errors.md; empty if it answers or was not asked.
        next_step: what to do then.
        said: what it said instead of an answer.
        engine: of the firmware that answers, as the next three; empty if none does.
        model_sha256: of its model.
        project_sha256: of its project.
        boot_id: changes whenever it starts.
    """

    device: str
    usb: str
    serial_number: str
    description: str
    targets: tuple[str, ...]
    state: str
    why: str = ""
    id: str = ""
    next_step: str = ""
    said: str = ""
    engine: str = ""
    model_sha256: str = ""
    project_sha256: str = ""
    boot_id: str = ""


def survey(
    targets: Sequence[Target],
    named: Sequence[str] = (),
    *,
    asking: bool = True,
    present: Callable[[], Iterable[PortInfo]] = finder.present,
) -> list[Found]:
    """Every port of this machine, and every named one.

    Args:
        targets: the targets that a port may be.
        named: ports that are asked whatever they are.
        asking: whether to ask at all.
        present: lists the serial ports.

    Raises:
        DeviceError: the list of quarantined boards is damaged.
    """
    listed = {port.device: port for port in cast(Iterable[Port], present())}
    found = []
    for device in sorted({*listed, *named}):
        port = listed.get(device)
        usb = usb_id(port) if port is not None else ""
        may_be = [target for target in targets if target.upload is not None and usb in target.upload.usb]
        what: dict[str, Any] = {"state": NOT_ASKED}
        if (entry := quarantine.of_port(device, present)) is not None:
            said = {"why": entry.said, "id": kinds.QUARANTINED.id, "next_step": entry.release}
            what = {"state": QUARANTINED, **said}
        elif asking and (may_be or device in named):
            what = _answer_of(device, may_be[0].link if may_be else Link())
        found.append(
            Found(
                device=device,
                usb=usb,
                serial_number=(port.serial_number or "") if port is not None else "",
                description=str(getattr(port, "description", "") or ""),
                targets=tuple(target.name for target in may_be),
                **what,
            )
        )
    return found


def _answer_of(device: str, link: Link) -> dict[str, Any]:
    try:
        with owner.unasked():
            heard = ask(device, link.baud, controls=link.controls, parting=True)
    except PortBusyError as error:
        return {"state": BUSY, **_why(error)}
    except DeviceError as error:
        return {"state": CLOSED, **_why(error)}
    welcome = heard.welcome
    if welcome is None:
        kind = "" if heard.kind is None else heard.kind.id
        return {"state": SILENT, "why": heard.why, "id": kind, "next_step": heard.next_step, "said": heard.said}
    return {
        "state": ANSWERS,
        "engine": welcome.engine,
        "model_sha256": welcome.model_sha256.hex(),
        "project_sha256": welcome.project_sha256.hex(),
        "boot_id": f"{welcome.boot_id:08x}",
    }


def _why(error: DeviceError) -> dict[str, str]:
    return {"why": error.message, "id": error.kind.id, "next_step": error.hint}
