"""Memory, arena and operators: what a connection asks, alone, and what a restart does to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tinyhil.errors import LocalLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.events import (
    Answered,
    DeviceReportedError,
    Inferred,
    NotKnown,
    OperatorsTimed,
    Restarted,
)
from tinyhil.link.fields import MessageType
from tinyhil.link.messages import Error, ErrorCode
from tinyhil.link.resources import OperatorTicks, Prepared, Profiled, Used
from tinyhil.link.states import State

from .by_hand import FIRST, STATE_IN, X, Y, device, exchange, failure, frame, model, ready, requests, step, vectors
from .device_role import ARENA_NEEDED, OPERATORS, STACK, WELCOME, DeviceRole
from .models import KINDS

WHOLE = Used(WELCOME.arena_bytes, WELCOME.arena_bytes, ARENA_NEEDED, 0, *STACK)
Ask = Callable[[Connection], int]
each_question = pytest.mark.parametrize(
    "ask",
    [lambda c: c.usage(0.0), lambda c: c.prepare(ARENA_NEEDED, 0.0), lambda c: c.profile(0.0)],
    ids=["usage", "prepare", "profile"],
)


def older() -> DeviceRole:
    return DeviceRole([X, STATE_IN], [Y], model, knows_resources=False)


def test_usage() -> None:
    role = device()
    connection = ready(role)
    ticket = connection.usage(0.0)
    assert exchange(connection, role) == [Answered(ticket, WHOLE)]
    assert connection.in_flight == 0


def test_prepare_and_infer_in_the_new_arena() -> None:
    role = device()
    connection = ready(role)
    ticket = connection.prepare(ARENA_NEEDED, 0.0)
    assert exchange(connection, role) == [Answered(ticket, Prepared(0, ARENA_NEEDED))]
    assert role.arena == ARENA_NEEDED
    ticket = connection.infer(vectors(1), 1, 0.0)
    assert exchange(connection, role) == [Inferred(ticket, 1, 10, model(vectors(1)))]


def test_nothing_is_inferred_in_an_arena_that_is_too_small() -> None:
    role = device()
    connection = ready(role)
    ticket = connection.prepare(ARENA_NEEDED - 1, 0.0)
    assert exchange(connection, role) == [Answered(ticket, Prepared(9, 0))]
    with pytest.raises(LocalLinkError, match="too small"):
        connection.infer(vectors(1), 1, 0.0)
    with pytest.raises(LocalLinkError, match="too small"):
        connection.profile(0.0)
    connection.usage(0.0)
    (event,) = exchange(connection, role)
    assert isinstance(event, Answered)
    assert isinstance(event.answer, Used)
    assert event.answer.arena_bytes == ARENA_NEEDED - 1
    connection.prepare(ARENA_NEEDED, 0.0)
    exchange(connection, role)
    connection.infer(vectors(1), 1, 0.0)
    assert isinstance(exchange(connection, role)[0], Inferred)


def test_an_arena_that_there_is_not_ends_the_session() -> None:
    role = device()
    connection = ready(role)
    connection.prepare(WELCOME.arena_bytes + 1, 0.0)
    error = failure(exchange(connection, role))
    assert isinstance(error, DeviceReportedError)
    assert error.code is ErrorCode.BAD_ARGUMENT


@pytest.mark.parametrize("count", [0, 1, len(OPERATORS), 300])
def test_a_profile_of_any_length(count: int) -> None:
    operators = tuple(OperatorTicks(f"op {n}", 3 * n) for n in range(count))
    role = DeviceRole([X, STATE_IN], [Y], model, max_payload=100, operators=operators)
    connection = ready(role)
    ticket = connection.profile(0.0)
    assert exchange(connection, role) == [OperatorsTimed(ticket, operators)]
    assert role.inferences == 1, "however many pages"
    assert connection.in_flight == 0


@pytest.mark.parametrize(
    "page",
    [
        Profiled(4, 0, (OperatorTicks("a", 1),)),
        Profiled(4, 2, (OperatorTicks("a", 1),)),
        Profiled(3, 1, (OperatorTicks("a", 1),)),
    ],
)
def test_a_page_that_does_not_go_on_is_broken_protocol(page: Profiled) -> None:
    connection = ready(device())
    connection.profile(0.0)
    (request,) = requests(connection)
    connection.receive(frame(request.sequence, Profiled(4, 0, (OperatorTicks("a", 1),))), 0.0)
    (request,) = requests(connection)
    assert request.payload == b"\1\0"
    error = failure(connection.receive(frame(request.sequence, page), 0.0))
    assert "asked for operator 1 and on of 4" in error.message


@each_question
def test_it_waits_for_everything_else_and_everything_else_for_it(ask: Ask) -> None:
    role = device()
    connection = ready(role)
    connection.infer(vectors(1), 1, 0.0)
    with pytest.raises(LocalLinkError, match="has to wait"):
        ask(connection)
    exchange(connection, role)
    ask(connection)
    assert not connection.can_send
    with pytest.raises(LocalLinkError, match="unanswered"):
        connection.infer(vectors(1), 1, 0.0)
    with pytest.raises(LocalLinkError):
        ask(connection)
    exchange(connection, role)
    assert connection.can_send


@each_question
def test_a_device_that_is_older_says_so_and_goes_on(ask: Ask) -> None:
    role = older()
    connection = ready(role)
    ticket = ask(connection)
    assert exchange(connection, role) == [NotKnown(ticket)]
    assert connection.state is State.READY
    ticket = connection.infer(vectors(1), 1, 0.0)
    assert exchange(connection, role) == [Inferred(ticket, 1, 10, model(vectors(1)))]


def test_unknown_type_for_another_request_still_ends_the_session() -> None:
    connection = ready(device())
    ticket = connection.infer(vectors(1), 1, 0.0)
    error = failure(connection.receive(frame(ticket, Error(ErrorCode.UNKNOWN_TYPE, MessageType.INFER)), 0.0))
    assert isinstance(error, DeviceReportedError)


@each_question
def test_another_answer_is_broken_protocol(ask: Ask) -> None:
    connection = ready(device())
    ticket = ask(connection)
    assert "with type 0x81" in failure(connection.receive(frame(ticket, WELCOME), 0.0)).message


@each_question
def test_silence_repeats_it(ask: Ask) -> None:
    role = device()
    connection = ready(role, resend_after=1.0)
    ask(connection)
    first = connection.data_to_send()
    assert connection.on_time(2.0) == []
    assert connection.data_to_send() == first


def test_a_restart_takes_the_arena_away_and_says_so() -> None:
    role = device()
    connection = ready(role)
    connection.prepare(ARENA_NEEDED, 0.0)
    exchange(connection, role)
    tickets = [connection.infer(vectors(1, n), 1, 0.0) for n in range(3)]
    role.restart()
    events = exchange(connection, role)
    assert events[-1] == Restarted(WELCOME.boot_id, WELCOME.boot_id + 1, arena_lost=True)
    assert not any(isinstance(event, Inferred) for event in events), "what was meant for the arena is not asked again"
    assert tickets
    assert connection.in_flight == 0
    assert role.arena == WELCOME.arena_bytes
    # From here on it is a device like any other.
    connection.infer(vectors(1), 1, 0.0)
    role.restart()
    *_, restarted, inferred = exchange(connection, role)
    assert restarted == Restarted(WELCOME.boot_id + 1, WELCOME.boot_id + 2, arena_lost=False)
    assert isinstance(inferred, Inferred)


@pytest.mark.parametrize("size", [1, ARENA_NEEDED])
def test_a_restart_while_the_arena_is_prepared(size: int) -> None:
    """What crashes a device once is not asked again by itself."""
    role = device()
    connection = ready(role)
    connection.prepare(size, 0.0)
    role.restart()
    events = exchange(connection, role)
    assert events[-1] == Restarted(WELCOME.boot_id, WELCOME.boot_id + 1, arena_lost=True)
    assert (connection.in_flight, role.arena) == (0, WELCOME.arena_bytes)
    connection.infer(vectors(1), 1, 0.0)
    assert isinstance(exchange(connection, role)[-1], Inferred)


def test_a_restart_after_a_refused_arena_makes_inferences_possible() -> None:
    role = device()
    connection = ready(role)
    connection.prepare(1, 0.0)
    exchange(connection, role)
    connection.usage(0.0)
    role.restart()
    exchange(connection, role)
    connection.infer(vectors(1), 1, 0.0)
    assert isinstance(exchange(connection, role)[-1], Inferred)


def test_an_arena_that_was_not_known_is_not_lost() -> None:
    role = older()
    connection = ready(role)
    connection.prepare(16, 0.0)
    exchange(connection, role)
    connection.infer(vectors(1), 1, 0.0)
    role.restart()
    *_, restarted, inferred = exchange(connection, role)
    assert isinstance(restarted, Restarted)
    assert not restarted.arena_lost
    assert isinstance(inferred, Inferred)


@pytest.mark.parametrize("pages", [0, 1])
def test_a_restart_begins_the_profile_again(pages: int) -> None:
    role = DeviceRole([X, STATE_IN], [Y], model, max_payload=100)
    connection = ready(role)
    ticket = connection.profile(0.0)
    for _ in range(pages):
        step(connection, role)
    role.restart()
    events = exchange(connection, role)
    assert events[-1] == OperatorsTimed(ticket, OPERATORS)
    assert any(isinstance(event, Restarted) and not event.arena_lost for event in events)


def test_a_model_with_state_has_to_be_reset_after_prepare() -> None:
    kind = next(kind for kind in KINDS if kind.name == "small-with-state")
    role = kind.device(max_payload=256)
    connection = ready(role)
    connection.reset(0.0)
    exchange(connection, role)
    connection.prepare(ARENA_NEEDED, 0.0)
    exchange(connection, role)
    with pytest.raises(LocalLinkError, match="before a reset"):
        connection.infer(bytes(kind.input_bytes), 1, 0.0)


def test_a_late_answer_to_an_arena_counts_for_nothing() -> None:
    role = device()
    connection = ready(role)
    ticket = connection.prepare(ARENA_NEEDED, 0.0)
    exchange(connection, role)
    assert connection.receive(frame(ticket, Prepared(9, 0)), 0.0) == []
    assert connection.counters.unexpected_answers == 1
    connection.infer(vectors(1), 1, 0.0)


def test_numbers_go_on_in_a_connection_that_follows() -> None:
    connection = ready(device())
    assert connection.next_sequence == connection.usage(0.0)
    assert connection.next_sequence == (FIRST + 5) % 2**32
