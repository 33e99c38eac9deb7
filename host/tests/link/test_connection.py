"""The host's state machine, driven by hand along its good ways, and used wrongly."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from tinyhil.errors import LocalLinkError, RemoteLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.events import DeviceText, Greeted, Inferred, Ready
from tinyhil.link.frames import Reason
from tinyhil.link.messages import Describe, Direction
from tinyhil.link.states import State

from .by_hand import (
    FIRST,
    INPUT_BYTES,
    OUTPUT_BYTES,
    STATE_IN,
    X,
    Y,
    device,
    model,
    ready,
    requests,
    vectors,
)
from .device_role import DeviceRole


def test_handshake_greets_describes_and_is_ready() -> None:
    role = device()
    connection = Connection(FIRST)
    connection.hello(0.0)
    (welcome,) = role.receive(connection.data_to_send())
    assert connection.receive(welcome, 0.0) == [Greeted(role.welcome)]
    assert connection.state is State.DESCRIBING
    assert not connection.can_send
    *early, last = role.receive(connection.data_to_send())
    assert [connection.receive(tensor, 0.0) for tensor in early] == [[], []]
    (event,) = connection.receive(last, 0.0)
    assert isinstance(event, Ready)
    assert event.description is connection.description
    assert (event.description.inputs, event.description.outputs) == ((X, STATE_IN), (Y,))
    assert (event.description.input_bytes, event.description.output_bytes) == (INPUT_BYTES, OUTPUT_BYTES)
    assert connection.can_send


def test_inference_brings_outputs_ticks_and_the_ticket() -> None:
    role = device()
    connection = ready(role)
    ticket = connection.infer(vectors(2), 2, 0.0)
    (answer,) = role.receive(connection.data_to_send())
    outputs = model(vectors(2)[:INPUT_BYTES]) + model(vectors(2)[INPUT_BYTES:])
    assert connection.receive(answer, 0.0) == [Inferred(ticket, 2, 20, outputs)]


def test_sequence_numbers_wrap() -> None:
    connection = ready(device())
    assert connection.infer(vectors(1), 1, 0.0) == (FIRST + 4) % 2**32


@pytest.mark.parametrize(
    ("max_payload", "capacity"),
    [(256, (256 - 2) // INPUT_BYTES), (100, (100 - 2) // INPUT_BYTES)],
)
def test_capacity_is_what_fits_into_both_payloads(max_payload: int, capacity: int) -> None:
    role = device(max_payload=max_payload)
    connection = ready(role)
    assert connection.capacity == capacity
    connection.infer(vectors(capacity), capacity, 0.0)
    (answer,) = role.receive(connection.data_to_send())
    (event,) = connection.receive(answer, 0.0)
    assert isinstance(event, Inferred)


def test_capacity_counts_the_output_where_it_is_larger() -> None:
    wide = replace(Y, shape=(1, 20))
    connection = ready(DeviceRole([X], [wide], lambda vector: bytes(40)))
    assert connection.capacity == (256 - 6) // 40


@pytest.mark.parametrize("shape", [(0xFFFFFFFF,) * 6, (0x10000,) * 4, (0x40000001, 2)])
def test_a_tensor_beyond_32_bits_of_offset_names_its_size(shape: tuple[int, ...]) -> None:
    connection = ready(DeviceRole([X], [replace(Y, shape=shape)], lambda vector: b""))
    size = str(2 * math.prod(shape))
    with pytest.raises(RemoteLinkError, match=size):
        _ = connection.capacity
    with pytest.raises(RemoteLinkError, match=size):
        connection.infer(bytes(3), 1, 0.0)


def test_window_is_the_smaller_of_both_sides() -> None:
    assert ready(device(window=3)).window == 3
    assert ready(device(window=3), window=2).window == 2
    assert ready(device(window=3), window=9).window == 3


def test_window_bounds_what_is_in_flight() -> None:
    role = device(window=2)
    connection = ready(role)
    for _ in range(2):
        assert connection.can_send
        connection.infer(vectors(1), 1, 0.0)
    assert (connection.can_send, connection.in_flight) == (False, 2)
    with pytest.raises(LocalLinkError, match="window"):
        connection.infer(vectors(1), 1, 0.0)
    connection.receive(role.receive(connection.data_to_send())[0], 0.0)
    assert connection.can_send


def test_describe_keeps_to_the_window() -> None:
    role = device(window=1)
    connection = Connection(FIRST)
    connection.hello(0.0)
    connection.receive(role.receive(connection.data_to_send())[0], 0.0)
    assert [request.payload for request in requests(connection)] == [Describe(Direction.INPUT, 0).encode()]


@pytest.mark.parametrize(
    "misuse",
    [
        lambda c: c.infer(vectors(1), 0, 0.0),
        lambda c: c.infer(vectors(c.capacity + 1), c.capacity + 1, 0.0),
        lambda c: c.infer(vectors(1)[1:], 1, 0.0),
        lambda c: c.hello(0.0),
    ],
)
def test_wrong_use_is_refused_and_sends_nothing(misuse: Callable[[Connection], object]) -> None:
    connection = ready(device())
    with pytest.raises(LocalLinkError):
        misuse(connection)
    assert connection.data_to_send() == b""
    assert connection.state is State.READY


def test_nothing_is_possible_before_hello() -> None:
    connection = Connection(FIRST)
    with pytest.raises(LocalLinkError, match="idle"):
        connection.infer(b"", 1, 0.0)
    with pytest.raises(LocalLinkError, match="idle"):
        _ = connection.description
    assert connection.next_timeout(0.0) is None


@pytest.mark.parametrize(("first_sequence", "window"), [(-1, None), (2**32, None), (0, 0)])
def test_parameters_that_cannot_be_meant(first_sequence: int, window: int | None) -> None:
    with pytest.raises(LocalLinkError):
        Connection(first_sequence, window=window)


def test_text_passes_through_in_every_state() -> None:
    connection = Connection(FIRST)
    assert connection.receive(b"boot\n", 0.0) == [DeviceText("boot\n")]
    connection = ready(device())
    assert connection.receive("größe\n".encode(), 0.0) == [DeviceText("größe\n")]


def test_counters_count() -> None:
    role = device()
    connection = ready(role)
    before = replace(connection.counters)
    connection.infer(vectors(1), 1, 0.0)
    wire = connection.data_to_send()
    (answer,) = role.receive(wire)
    damaged = bytearray(answer)
    damaged[3] ^= 0x40
    connection.receive(bytes(damaged), 0.0)
    connection.receive(answer, 0.0)
    counters = connection.counters
    assert counters.frames_sent - before.frames_sent == 1
    assert counters.bytes_sent - before.bytes_sent == len(wire)
    assert counters.frames_received - before.frames_received == 1
    assert counters.bytes_received - before.bytes_received == 2 * len(answer)
    assert counters.rejected[Reason.CRC] == 1
    assert "1 crc" in counters.describe()
