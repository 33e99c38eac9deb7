"""A small device and the hand movements of the tests that drive a connection step by step."""

from __future__ import annotations

from tinyhil.affine import DType, TensorSpec
from tinyhil.errors import RemoteLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.events import ConnectionEvent, Failed
from tinyhil.link.fields import Message
from tinyhil.link.frames import Frame, FrameDecoder, encode_frame
from tinyhil.link.states import State
from tinyhil.link.table import EXCHANGES, Table

from .device_role import DeviceRole

X = TensorSpec("x", DType.INT8, (1, 3), 0.5, -1)
STATE_IN = TensorSpec("h", DType.FLOAT32, (1, 2), 0.0, 0)
Y = TensorSpec("y", DType.INT16, (1, 2), 0.25, 0)
INPUT_BYTES, OUTPUT_BYTES = 3 + 8, 4
FIRST = 0xFFFFFFFE
"""Sequence of HELLO; the numbers of the tests run over the end of 32 bits."""


def model(vector: bytes) -> bytes:
    return bytes(reversed(vector))[:OUTPUT_BYTES]


def device(*, window: int = 4, max_payload: int = 256) -> DeviceRole:
    return DeviceRole([X, STATE_IN], [Y], model, window=window, max_payload=max_payload)


def ready(role: DeviceRole, table: Table = EXCHANGES, /, **options: float | int | None) -> Connection:
    connection = Connection(FIRST, table=table, **options)  # type: ignore[arg-type]
    connection.hello(0.0)
    while connection.state is not State.READY:
        sent = connection.data_to_send()
        assert sent, "the handshake hangs"
        for answer in role.receive(sent):
            connection.receive(answer, 0.0)
    return connection


def step(connection: Connection, role: DeviceRole, now: float = 0.0) -> list[ConnectionEvent]:
    """Carries what the host has to send, and the answers back."""
    answers = role.receive(connection.data_to_send())
    return [event for answer in answers for event in connection.receive(answer, now)]


def exchange(connection: Connection, role: DeviceRole, now: float = 0.0) -> list[ConnectionEvent]:
    """Carries everything both ways, until the host has nothing more to say."""
    events: list[ConnectionEvent] = []
    for _ in range(1000):
        sent = connection.data_to_send()
        if not sent:
            return events
        events += [event for answer in role.receive(sent) for event in connection.receive(answer, now)]
    raise AssertionError("it never ends")


def frames(wire: bytes) -> list[Frame]:
    return [event for event in FrameDecoder().feed(wire) if isinstance(event, Frame)]


def requests(connection: Connection) -> list[Frame]:
    return frames(connection.data_to_send())


def frame(sequence: int, message: Message) -> bytes:
    return encode_frame(Frame(message.TYPE, sequence & 0xFFFFFFFF, message.encode()))


def vectors(count: int, first: int = 0) -> bytes:
    return bytes((first + index) % 256 for index in range(count * INPUT_BYTES))


def failure(events: list[ConnectionEvent]) -> RemoteLinkError:
    (failed,) = (event for event in events if isinstance(event, Failed))
    return failed.error
