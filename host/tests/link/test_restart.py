"""A device that starts again in the middle: noticed, greeted anew, and describes once more for what it still owes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tinyhil.errors import LocalLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.events import DeviceReportedError, Greeted, Inferred, Ready, Restarted
from tinyhil.link.fields import MessageType
from tinyhil.link.inference import Result
from tinyhil.link.messages import Direction, Error, ErrorCode
from tinyhil.link.states import State

from .by_hand import (
    FIRST,
    OUTPUT_BYTES,
    X,
    Y,
    device,
    exchange,
    failure,
    frame,
    frames,
    model,
    ready,
    requests,
    step,
    vectors,
)
from .device_role import WELCOME, DeviceRole


def restarted(outstanding: int) -> tuple[Connection, DeviceRole, list[int], list[bytes]]:
    """A connection with so many requests that a device which has restarted answers by ``not ready``."""
    role = device()
    connection = ready(role)
    tickets = [connection.infer(vectors(1, first), 1, 0.0) for first in range(outstanding)]
    role.restart()
    return connection, role, tickets, role.receive(connection.data_to_send())


def test_a_restart_is_greeted_once_however_many_requests_find_it() -> None:
    connection, _, _, refusals = restarted(4)
    assert len(refusals) == 4
    assert [connection.receive(refusal, 0.0) for refusal in refusals] == [[], [], [], []]
    assert connection.state is State.GREETING
    assert [request.type for request in requests(connection)] == [MessageType.HELLO]
    assert connection.counters.restarts == 1
    assert connection.counters.unexpected_answers == 3
    assert not connection.can_send


def test_what_was_unanswered_is_asked_again_under_new_numbers_and_old_tickets() -> None:
    connection, role, tickets, refusals = restarted(4)
    connection.receive(refusals[0], 0.0)
    old = WELCOME.boot_id
    greeted, came_back, *answers = exchange(connection, role)
    assert greeted == Greeted(role.welcome)
    assert came_back == Restarted(old, old + 1)
    assert answers == [Inferred(ticket, 1, 10, model(vectors(1, first))) for first, ticket in enumerate(tickets)]
    assert connection.description.welcome.boot_id == old + 1
    assert connection.counters.resends == 0
    assert (connection.state, connection.in_flight) == (State.READY, 0)
    # The session goes on, and a second restart is like the first.
    role.restart()
    ticket = connection.infer(vectors(1), 1, 0.0)
    events = exchange(connection, role)
    assert Restarted(old + 1, old + 2) in events
    assert [event.ticket for event in events if isinstance(event, Inferred)] == [ticket]
    assert not any(isinstance(event, Ready) for event in events)


def test_requests_are_asked_again_under_numbers_that_were_never_used() -> None:
    connection, role, tickets, refusals = restarted(3)
    connection.receive(refusals[0], 0.0)
    used = {*tickets, *(number % 2**32 for number in range(FIRST, FIRST + 4))}
    sent: list[int] = []
    while wire := connection.data_to_send():
        sent += [request.sequence for request in frames(wire)]
        for answer in role.receive(wire):
            connection.receive(answer, 0.0)
    assert connection.in_flight == 0
    assert len(sent) == len(set(sent)) == 1 + 3 + 3
    assert not used & set(sent)


@pytest.mark.parametrize("steps", range(3))
def test_answers_from_before_the_restart_come_too_late(steps: int) -> None:
    connection, role, tickets, refusals = restarted(2)
    connection.receive(refusals[0], 0.0)
    for _ in range(steps):
        step(connection, role)
    before = connection.counters.unexpected_answers
    wrong = Result(1, 1, bytes(OUTPUT_BYTES))
    for ticket in tickets:
        assert connection.receive(frame(ticket, wrong), 0.0) == []
    assert connection.receive(frame(FIRST, WELCOME), 0.0) == []
    assert connection.counters.unexpected_answers == before + 3
    assert all(event.outputs != wrong.outputs for event in exchange(connection, role) if isinstance(event, Inferred))
    assert connection.in_flight == 0


def test_a_restart_during_the_first_handshake_is_greeted_too() -> None:
    role = device()
    connection = Connection(FIRST)
    connection.hello(0.0)
    step(connection, role)
    describes = connection.data_to_send()
    first, *_ = role.receive(describes)
    connection.receive(first, 0.0)
    role.restart()
    for refusal in role.receive(describes):
        connection.receive(refusal, 0.0)
    assert connection.state is State.GREETING
    events = exchange(connection, role)
    assert [type(event) for event in events] == [Greeted, Ready]
    assert connection.description.welcome == role.welcome
    assert connection.counters.restarts == 1


def test_a_restart_during_the_handshake_after_a_restart_is_greeted_too() -> None:
    connection, role, tickets, refusals = restarted(2)
    connection.receive(refusals[0], 0.0)
    step(connection, role)
    assert connection.state is State.DESCRIBING
    role.restart()
    events = exchange(connection, role)
    assert [event for event in events if isinstance(event, Restarted)] == [
        Restarted(WELCOME.boot_id, WELCOME.boot_id + 2)
    ]
    assert [event.ticket for event in events if isinstance(event, Inferred)] == tickets
    assert connection.counters.restarts == 2


def test_not_ready_in_answer_to_hello_makes_no_sense_and_fails() -> None:
    connection = Connection(FIRST)
    connection.hello(0.0)
    error = failure(connection.receive(frame(FIRST, Error(ErrorCode.NOT_READY, 1)), 0.0))
    assert isinstance(error, DeviceReportedError)


def test_nothing_can_be_asked_during_the_new_handshake() -> None:
    connection, _, _, refusals = restarted(1)
    connection.receive(refusals[0], 0.0)
    with pytest.raises(LocalLinkError, match="greeting"):
        connection.infer(vectors(1), 1, 0.0)
    with pytest.raises(LocalLinkError, match="greeting"):
        connection.reset(0.0)


def test_hello_waits_for_the_device_to_boot() -> None:
    connection, role, tickets, refusals = restarted(1)
    connection.receive(refusals[0], 0.0)
    now = 0.0
    for _ in range(40):
        connection.data_to_send()
        now += connection.next_timeout(now) or 0.0
        assert connection.on_time(now) == []
    assert [event.ticket for event in exchange(connection, role, now) if isinstance(event, Inferred)] == tickets


def with_tensor(direction: Direction, **changes: object) -> Callable[[DeviceRole], None]:
    def change(role: DeviceRole) -> None:
        role.tensors[direction][-1] = replace(role.tensors[direction][-1], **changes)  # type: ignore[arg-type]

    return change


def with_welcome(**changes: object) -> Callable[[DeviceRole], None]:
    def change(role: DeviceRole) -> None:
        role.welcome = replace(role.welcome, **changes)  # type: ignore[arg-type]

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (with_welcome(model_sha256=b"x" * 32), "itself.* model sha256 " + "78" * 32 + " instead of " + "6d" * 32),
        (with_welcome(project_sha256=b"x" * 32), "itself.* project sha256"),
        (with_welcome(window=3), "itself.* window 3 instead of 4"),
        (with_welcome(stateful=True), "itself.* stateful True instead of False"),
        (with_welcome(inputs=1), "itself.* inputs 1 instead of 2"),
        (with_tensor(Direction.INPUT, shape=(2, 1)), r"input 1 .*shape \(2, 1\) instead of \(1, 2\)"),
        (with_tensor(Direction.INPUT, name="z"), "input 1 .*name z instead of h"),
        (with_tensor(Direction.OUTPUT, scale=0.5), r"output 0 .*scale 0\.5 instead of 0\.25"),
    ],
)
def test_a_device_that_came_back_as_another_one_fails_and_is_told_apart(
    change: Callable[[DeviceRole], None], named: str
) -> None:
    connection, role, _, refusals = restarted(2)
    change(role)
    connection.receive(refusals[0], 0.0)
    error = failure(exchange(connection, role))
    assert not isinstance(error, DeviceReportedError)
    assert re.search(named, error.message), error.message
    assert "flashed" in error.hint
    assert connection.state is State.FAILED
    assert connection.in_flight == 0


def test_a_device_that_changes_between_two_broken_handshakes_fails_too() -> None:
    role = device(window=1)
    connection = Connection(FIRST)
    connection.hello(0.0)
    step(connection, role)
    step(connection, role)  # input 0 is described
    for _ in range(2):
        role.restart()
        assert step(connection, role) == []
        assert step(connection, role) == [Greeted(role.welcome)]
    role.tensors[Direction.INPUT][0] = replace(X, zero_point=5)
    error = failure(exchange(connection, role))
    assert "input 0 differently than before: zero point 5 instead of -1" in error.message


def test_a_device_that_restarts_at_every_request_is_given_up() -> None:
    role = DeviceRole([X], [Y], model, restarts=lambda kind: kind == MessageType.INFER)
    connection = ready(role, max_setbacks=3)
    connection.infer(bytes(3), 1, 0.0)
    error = failure(exchange(connection, role))
    assert role.boots == 4
    assert "restarted 4 times" in error.message
    assert "crash" in error.hint
    assert "4 restarts" in error.detail


def test_restarts_with_work_done_in_between_are_borne_for_ever() -> None:
    role = device()
    connection = ready(role, max_setbacks=1)
    for _ in range(20):
        connection.infer(vectors(1), 1, 0.0)
        role.restart()
        assert sum(isinstance(event, Inferred) for event in exchange(connection, role)) == 1
    assert connection.counters.restarts == 20
