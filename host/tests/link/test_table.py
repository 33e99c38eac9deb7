"""What follows from the table of exchanges: states, the page, the firmware's table; and what a further row takes."""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import ClassVar, Self

import pytest

from tinyhil.errors import LocalLinkError
from tinyhil.link import frames, line_rate, messages, resources
from tinyhil.link.connection import Connection
from tinyhil.link.events import Answered, DeviceReportedError, NotKnown
from tinyhil.link.fields import Message, MessageType, exactly, outside
from tinyhil.link.frames import longest_wire
from tinyhil.link.handlers import answered
from tinyhil.link.inference import Infer, Read, Reset, Result, Write
from tinyhil.link.messages import Describe, Direction, Error, ErrorCode, Hello
from tinyhil.link.resources import Arena, Profile, Profiled, Usage
from tinyhil.link.states import EventKind, State
from tinyhil.link.table import EXCHANGES, Needs, Row, Table, longest_answer

from .by_hand import FIRST, STATE_IN, X, Y, device, exchange, failure, frame, model, ready, requests, vectors
from .device_role import ARENA_NEEDED, DeviceRole

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/protocol.md").read_text("utf-8")
HEADER = (ROOT / "firmware/lib/link/messages.h").read_text("utf-8")
SERVER = (ROOT / "firmware/lib/server/server.cpp").read_text("utf-8")


class LaterType(IntEnum):
    """Types that a later version of the page may have."""

    LED = 0x0E
    LIT = 0x8E


@dataclass(frozen=True, slots=True)
class Led(Message):
    """Asks for another brightness of the board's LED, 0 dark to 255 bright."""

    TYPE: ClassVar[LaterType] = LaterType.LED

    brightness: int

    def _problems(self) -> Iterator[str]:
        yield from outside("brightness", self.brightness, 0, 255)

    def _pack(self) -> bytes:
        return struct.pack("<B", self.brightness)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<B", payload))


class Lit(Led):
    """The brightness that the LED has from now on."""

    TYPE: ClassVar[LaterType] = LaterType.LIT


LED_ROW = Row(Led, Lit, needs=Needs.SESSION, alone=True, optional=True, handler=answered)
LATER = Table([*EXCHANGES, LED_ROW])


def led_device() -> DeviceRole:
    return DeviceRole([X, STATE_IN], [Y], model, more={Led.TYPE: lambda payload: Lit.decode(payload)})


def test_a_further_row_is_exchanged() -> None:
    role = led_device()
    connection = ready(role, LATER)
    ticket = connection.ask(Led(200), 0.0)
    assert exchange(connection, role) == [Answered(ticket, Lit(200))]
    connection.infer(vectors(1), 1, 0.0)
    assert len(exchange(connection, role)) == 1


def test_a_further_row_keeps_to_its_columns() -> None:
    role = led_device()
    connection = ready(role, LATER)
    connection.infer(vectors(1), 1, 0.0)
    with pytest.raises(LocalLinkError, match="LED has to wait"):
        connection.ask(Led(96), 0.0)
    exchange(connection, role)
    connection.prepare(ARENA_NEEDED - 1, 0.0)
    exchange(connection, role)
    ticket = connection.ask(Led(96), 0.0)
    assert not connection.can_send
    assert exchange(connection, role) == [Answered(ticket, Lit(96))], "it needs no model"


def test_a_further_row_meets_a_device_that_does_not_know_it() -> None:
    role = device()
    connection = ready(role, LATER)
    ticket = connection.ask(Led(96), 0.0)
    assert exchange(connection, role) == [NotKnown(ticket)]
    connection.infer(vectors(1), 1, 0.0)
    assert len(exchange(connection, role)) == 1


def test_a_further_row_that_is_required_ends_the_session_where_it_is_not_known() -> None:
    required = Table([*EXCHANGES, dataclasses.replace(LED_ROW, optional=False)])
    connection = ready(device(), required)
    ticket = connection.ask(Led(96), 0.0)
    error = failure(connection.receive(frame(ticket, Error(ErrorCode.UNKNOWN_TYPE, Led.TYPE)), 0.0))
    assert isinstance(error, DeviceReportedError)


def test_a_further_row_is_in_diagram_and_list() -> None:
    assert ", LED, LIT, unknown type\n" in LATER.diagram()
    assert "| 0x0E | LED | 0x8E | LIT | a session | yes | yes |\n" in LATER.list_of_messages()


def test_a_request_without_a_row_is_refused() -> None:
    connection = ready(device())
    with pytest.raises(LocalLinkError, match="no row"):
        connection.ask(Led(96), 0.0)


@pytest.mark.parametrize("message", [Infer(1, vectors(1)), Write(0, 0, b"x"), Read(0, 0, 1), Profile(0)], ids=repr)
def test_what_has_a_method_of_its_own_is_not_asked_for_by_itself(message: Message) -> None:
    connection = ready(device())
    with pytest.raises(LocalLinkError, match="is not asked for by itself"):
        connection.ask(message, 0.0)
    assert connection.in_flight == 0


@pytest.mark.parametrize("message", [Hello(), Describe(Direction.INPUT, 0)], ids=repr)
def test_a_handshake_is_not_asked_for(message: Message) -> None:
    with pytest.raises(LocalLinkError, match="not possible while the connection is ready"):
        ready(device()).ask(message, 0.0)


def test_a_refused_request_leaves_nothing_behind() -> None:
    role = device()
    connection = ready(role)
    with pytest.raises(LocalLinkError, match="ARENA cannot be sent"):
        connection.prepare(0, 0.0)
    assert (connection.in_flight, connection.data_to_send()) == (0, b"")
    role.restart()
    connection.infer(vectors(1), 1, 0.0)
    *_, restarted, _ = exchange(connection, role)
    assert not getattr(restarted, "arena_lost", True)


def test_what_needs_the_model_is_refused_while_there_is_none() -> None:
    role = device()
    connection = ready(role)
    connection.prepare(1, 0.0)
    exchange(connection, role)
    for ask in (connection.profile, connection.reset):
        with pytest.raises(LocalLinkError, match="too small"):
            ask(0.0)
    assert connection.state is State.READY


def test_the_greeting_alone_is_endless_and_never_restarted() -> None:
    assert [row.request for row in EXCHANGES if row.endless] == [Hello]
    for kind in (EventKind.SILENCE, EventKind.RESTART):
        assert (State.GREETING, kind) not in EXCHANGES.transitions
        assert (State.DESCRIBING, kind) in EXCHANGES.transitions
        assert (State.READY, kind) in EXCHANGES.transitions


def test_answers_sizes() -> None:
    description = ready(device(max_payload=256)).description
    sizes = {
        request: longest_answer(EXCHANGES.of(type(request)), request, description)
        for request in (Infer(3, vectors(3)), Read(0, 0, 77), Profile(0), Usage(), Arena(1), Reset())
    }
    assert list(sizes.values()) == [6 + 3 * 4, 77, 256, 100, 100, 100]


def test_a_longer_answer_is_waited_for_longer() -> None:
    role = device(max_payload=256)
    connection = ready(role, line_rate=10.0, resend_after=1.0)
    connection.infer(vectors(3), 3, 0.0)
    wire = len(connection.data_to_send())
    assert connection.next_timeout(0.0) == pytest.approx(1.0 + (wire + longest_wire(6 + 3 * 4)) / 10.0)


def test_the_page_s_diagram_is_made_from_the_table() -> None:
    (drawn,) = re.findall(r"^```mermaid\n(.*?)^```$", PAGE, re.M | re.S)
    assert drawn == EXCHANGES.diagram(), "write it anew: make diagram"


def test_the_page_s_list_of_messages_is_made_from_the_table() -> None:
    (listed,) = re.findall(r"^\| type \| request \|.*?\n(?=\n)", PAGE, re.M | re.S)
    assert listed == EXCHANGES.list_of_messages(), "write it anew: make diagram"


def test_the_firmware_has_the_same_table() -> None:
    rows = re.findall(r"\{link::k(\w+), link::k(\w+)Length, link::k(\w+), k(\w+), call<&Server::(\w+)>\}", SERVER)
    needs = {Needs.NOTHING: "Nothing", Needs.SESSION: "Session", Needs.MODEL: "Model"}
    names = [(row.request.__name__, row.answer.__name__, needs[row.needs]) for row in EXCHANGES]
    assert [(request, answer, need) for request, _, answer, need, _ in rows] == names
    assert all(request == length and request.lower() == handler for request, length, _, _, handler in rows)


def fields_in_firmware(name: str) -> list[str]:
    """The fields of a message's struct, without what only says how long the one before is."""
    (body,) = re.findall(rf"^struct {name} {{\n(.*?)^}};", HEADER, re.M | re.S)
    names = re.findall(r"(\w+);", re.sub(r"//.*", "", body))
    return [field for field, before in zip(names, [None, *names], strict=False) if (field, before) not in POINTED_TO]


POINTED_TO = {("length", "vectors"), ("length", "data")}


@pytest.mark.parametrize("name", re.findall(r"^struct (\w+) {", HEADER, re.M))
def test_fields_are_named_as_in_the_firmware(name: str) -> None:
    (kind,) = {each for row in EXCHANGES for each in (row.request, row.answer) if each.__name__ == name}
    names = [field.name for field in dataclasses.fields(kind) if field.name != "version"]
    if name == "Tensor":  # whose shape has a struct of its own in Python
        names = [*names[:2], "type", "rank", "dimensions", "scale", "zero_point", "name"]
    if name == "Preprocessed":
        names = [*names[:2], "type", "rank", "dimensions"]
    assert fields_in_firmware(name) == names


def test_constants_are_those_of_the_firmware() -> None:
    text = "".join(path.read_text("utf-8") for path in (ROOT / "firmware/lib/link").glob("*.h"))
    numbers = re.findall(r"^constexpr (?:size_t|uint8_t) k(\w+) = (\w+);", text, re.M)
    firmware = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper(): int(value, 0) for name, value in numbers}
    host = {name: value for module in (frames, line_rate, messages, resources) for name, value in vars(module).items()}
    host |= {"RESULT_HEADER": Result.HEADER_BYTES, "PROFILED_HEADER": Profiled.HEADER_BYTES}
    host |= {kind.name: kind.value for kind in MessageType}
    # The lengths of requests are held to frames.json.
    shared = {name for name in firmware if not name.endswith("_LENGTH")} - {"EVENTS", "OR_MORE"}
    assert len(shared) > 25
    assert {name: host[name] for name in shared} == {name: firmware[name] for name in shared}


def test_a_table_may_be_cut_as_well() -> None:
    """A connection knows no exchange but those of its table."""
    connection = ready(device(), Table(row for row in EXCHANGES if row.request is not Profile))
    with pytest.raises(LocalLinkError, match="no row"):
        connection.profile(0.0)
    assert isinstance(Connection(FIRST).state, State)
    assert requests(connection) == []
