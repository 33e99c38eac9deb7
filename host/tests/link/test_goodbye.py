"""GOODBYE: the last question of a session, which is asked when nothing else is on its way, and needs nothing."""

from __future__ import annotations

import pytest

from tinyhil.errors import LocalLinkError
from tinyhil.link.events import Answered, NotKnown, Restarted
from tinyhil.link.fields import MessageType
from tinyhil.link.messages import Goodbye, Parted

from .by_hand import STATE_IN, X, Y, device, exchange, failure, model, ready, requests, vectors
from .device_role import ARENA_NEEDED, DeviceRole


def test_it_is_answered_and_ends_the_session() -> None:
    role = device()
    connection = ready(role)
    ticket = connection.ask(Goodbye(), 0.0)
    assert exchange(connection, role) == [Answered(ticket, Parted())]
    assert role.goodbyes == 1
    connection.infer(vectors(1), 1, 0.0)
    assert isinstance(exchange(connection, role)[1], Restarted), "who goes on all the same has to greet again"


def test_it_waits_until_everything_is_answered() -> None:
    role = device()
    connection = ready(role)
    connection.infer(vectors(1), 1, 0.0)
    with pytest.raises(LocalLinkError, match="GOODBYE has to wait"):
        connection.ask(Goodbye(), 0.0)
    exchange(connection, role)
    connection.ask(Goodbye(), 0.0)
    assert not connection.can_send


def test_it_needs_no_engine() -> None:
    role = device()
    connection = ready(role)
    connection.prepare(ARENA_NEEDED - 1, 0.0)
    exchange(connection, role)
    ticket = connection.ask(Goodbye(), 0.0)
    assert exchange(connection, role) == [Answered(ticket, Parted())]


def test_a_device_that_does_not_know_it_goes_on() -> None:
    role = DeviceRole([X, STATE_IN], [Y], model, knows_resources=False)
    connection = ready(role)
    ticket = connection.ask(Goodbye(), 0.0)
    assert exchange(connection, role) == [NotKnown(ticket)]
    connection.infer(vectors(1), 1, 0.0)
    assert len(exchange(connection, role)) == 1


def test_it_is_repeated_like_any_other_and_not_without_end() -> None:
    """As a greeting is, which needs nothing either."""
    connection = ready(device())
    connection.ask(Goodbye(), 0.0)
    sent, now = 0, 0.0
    while True:
        sent += sum(request.type == MessageType.GOODBYE for request in requests(connection))
        timeout = connection.next_timeout(now)
        assert timeout is not None
        assert sent < 100
        now += timeout
        if events := connection.on_time(now):
            break
    assert sent > 1
    assert f"sent {sent} times" in str(failure(events))
