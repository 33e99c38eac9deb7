"""A model that keeps state: reset first, strictly in order, and begun again by the caller after a restart."""

from __future__ import annotations

import pytest

from tinyhil.errors import LocalLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.events import Answered, Inferred, Restarted
from tinyhil.link.fields import MessageType
from tinyhil.link.inference import Cleared
from tinyhil.link.states import State

from .by_hand import device, exchange, ready, requests, step
from .device_role import DeviceRole
from .models import KINDS

SMALL = next(kind for kind in KINDS if kind.name == "small-with-state")
VECTORS = [bytes([index]) * SMALL.input_bytes for index in range(6)]


def reset_connection() -> tuple[Connection, DeviceRole]:
    role = SMALL.device()
    connection = ready(role)
    ticket = connection.reset(0.0)
    assert exchange(connection, role) == [Answered(ticket, Cleared())]
    return connection, role


def test_nothing_is_inferred_before_a_reset() -> None:
    connection = ready(SMALL.device())
    with pytest.raises(LocalLinkError, match="reset"):
        connection.infer(VECTORS[0], 1, 0.0)
    assert connection.data_to_send() == b""


def test_a_device_that_ran_before_is_put_back() -> None:
    connection, role = reset_connection()
    connection.infer(VECTORS[3], 1, 0.0)
    exchange(connection, role)
    connection.reset(0.0)
    exchange(connection, role)
    connection.infer(VECTORS[0], 1, 0.0)
    (event,) = exchange(connection, role)
    assert isinstance(event, Inferred)
    assert event.outputs == SMALL.answers(VECTORS[:1])[0]


def test_one_request_at_a_time_but_many_vectors_in_it() -> None:
    connection, role = reset_connection()
    assert role.welcome.window == 4
    assert connection.window == 1
    assert connection.capacity > 1
    connection.infer(b"".join(VECTORS), len(VECTORS), 0.0)
    assert not connection.can_send
    with pytest.raises(LocalLinkError, match="window"):
        connection.infer(VECTORS[0], 1, 0.0)
    (event,) = exchange(connection, role)
    assert isinstance(event, Inferred)
    assert event.outputs == b"".join(SMALL.answers(VECTORS))


def test_a_lost_answer_is_given_again_and_the_state_stays() -> None:
    connection, role = reset_connection()
    connection.infer(VECTORS[0], 1, 0.0)
    assert role.receive(connection.data_to_send())
    assert connection.on_time(1.0) == []
    (event,) = exchange(connection, role)
    assert isinstance(event, Inferred)
    assert role.ran == VECTORS[:1]


def test_a_restart_voids_the_tickets_and_wants_a_reset() -> None:
    connection, role = reset_connection()
    connection.infer(VECTORS[0], 1, 0.0)
    exchange(connection, role)
    connection.infer(VECTORS[1], 1, 0.0)
    role.restart()
    *_, event = exchange(connection, role)
    assert isinstance(event, Restarted)
    assert (connection.state, connection.in_flight, connection.can_send) == (State.READY, 0, True)
    assert role.ran == []
    with pytest.raises(LocalLinkError, match="reset"):
        connection.infer(VECTORS[1], 1, 0.0)
    connection.reset(0.0)
    exchange(connection, role)
    connection.infer(VECTORS[0], 1, 0.0)
    (event,) = exchange(connection, role)
    assert isinstance(event, Inferred)
    assert event.outputs == SMALL.answers(VECTORS[:1])[0]


def test_a_reset_that_meets_a_restart_is_void_too() -> None:
    role = SMALL.device()
    connection = ready(role)
    connection.reset(0.0)
    role.restart()
    events = exchange(connection, role)
    assert isinstance(events[-1], Restarted)
    assert not any(isinstance(event, Answered) for event in events)


def test_reset_of_a_model_without_state_is_asked_again_like_everything() -> None:
    role = device()
    connection = ready(role)
    ticket = connection.reset(0.0)
    assert [request.type for request in requests(connection)] == [MessageType.RESET]
    role.restart()
    connection.on_time(1.0)
    events = exchange(connection, role, 1.0)
    assert events[-1] == Answered(ticket, Cleared())


def test_a_reset_takes_its_place_in_the_window() -> None:
    role = SMALL.device()
    connection = ready(role)
    connection.reset(0.0)
    assert not connection.can_send
    with pytest.raises(LocalLinkError, match="window"):
        connection.infer(VECTORS[0], 1, 0.0)
    step(connection, role)
    assert connection.can_send
