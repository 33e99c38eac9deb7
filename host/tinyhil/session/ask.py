"""Who is there? A short handshake with whatever is behind a port, without holding it against anything."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from tinyhil.deadline import Deadline
from tinyhil.errors import PortLostError, RemoteLinkError, UnansweredError
from tinyhil.kinds import Kind
from tinyhil.link.diagnosis import last_said
from tinyhil.link.evidence import Evidence
from tinyhil.link.messages import Welcome
from tinyhil.progress import Silent
from tinyhil.session.conversation import Conversation
from tinyhil.session.explained import explain
from tinyhil.session.lines import Line
from tinyhil.transport import RAISED, open_transport

SECONDS = 3.0
"""For an answer: a board that opening its port resets has to start first."""


@dataclass(frozen=True)
class Heard:
    """What a device has answered.

    Attributes:
        welcome: what it says of itself, None if that was nothing, or nothing that makes sense.
        why: why there is none.
        kind: of the error that says so, None where there is a welcome.
        next_step: what to do then.
        said: what the device said instead, as it may be shown.
    """

    welcome: Welcome | None
    why: str = ""
    kind: Kind | None = None
    next_step: str = ""
    said: str = ""


def ask(
    address: str, baud: int, seconds: float = SECONDS, *, controls: tuple[bool, bool] = RAISED, parting: bool = False
) -> Heard:
    """Greets the device behind ``address``.

    Args:
        address: as :func:`tinyhil.transport.open_transport` takes it.
        baud: line rate in bit/s.
        seconds: for the answer.
        controls: of a serial port, DTR and RTS.
        parting: nothing else is to be asked: the device is told goodbye.

    Raises:
        PortBusyError: another process holds the port.
        DeviceError: the port cannot be opened.
    """
    deadline = Deadline.after(seconds)
    transport = open_transport(address, baud=baud, deadline=deadline, controls=controls)
    line = Line(transport, secrets.randbits(32), time.monotonic, stays=parting)
    evidence = Evidence()
    talk = Conversation(line, baud, deadline.remaining, lambda: None, Silent(), evidence)
    heard = Heard(None)
    try:
        heard = Heard(talk.greeting())
    except (UnansweredError, PortLostError, RemoteLinkError) as error:
        explain(error, evidence)
        heard = Heard(None, error.message, error.kind, error.hint, last_said(evidence))
    finally:
        talk.close(parting=heard.welcome is not None)
    return heard
