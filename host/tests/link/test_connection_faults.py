"""The host's state machine, driven by hand: silence, losses, and every fault of the device."""

from __future__ import annotations

import pytest

from tinyhil.errors import RemoteLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.events import DeviceReportedError, DeviceText, Failed, Inferred
from tinyhil.link.fields import Message
from tinyhil.link.frames import Frame, encode_frame
from tinyhil.link.inference import Result
from tinyhil.link.messages import Direction, Error, ErrorCode, Tensor
from tinyhil.link.outstanding import HELLO_EVERY
from tinyhil.link.states import State

from .by_hand import (
    FIRST,
    OUTPUT_BYTES,
    X,
    Y,
    device,
    failure,
    frame,
    ready,
    requests,
    vectors,
)
from .device_role import WELCOME


def test_hello_is_repeated_without_end_and_without_change() -> None:
    connection = Connection(FIRST)
    connection.hello(100.0)
    first = connection.data_to_send()
    now = 100.0
    for _ in range(100):
        pause = connection.next_timeout(now)
        assert pause == pytest.approx(HELLO_EVERY)
        assert connection.on_time(now + HELLO_EVERY / 2) == []
        assert connection.data_to_send() == b""
        now += pause or 0.0
        assert connection.on_time(now) == []
        assert connection.data_to_send() == first
    assert (connection.counters.hello_resends, connection.counters.resends) == (100, 0)


def test_an_answer_counts_once() -> None:
    role = device()
    connection = ready(role)
    connection.infer(vectors(1), 1, 0.0)
    (answer,) = role.receive(connection.data_to_send())
    assert len(connection.receive(answer, 0.0)) == 1
    assert connection.receive(answer, 0.0) == []
    assert connection.counters.unexpected_answers == 1


def test_an_answer_to_an_earlier_session_is_dropped() -> None:
    connection = ready(device())
    assert connection.receive(frame(FIRST - 77, Result(9, 9, bytes(9))), 0.0) == []
    assert connection.receive(frame(FIRST - 77, Error(ErrorCode.NOT_READY, 1)), 0.0) == []
    assert connection.counters.unexpected_answers == 2
    assert connection.state is State.READY


def test_silence_repeats_the_same_bytes_with_doubling_waits_and_then_fails() -> None:
    connection = ready(device(), resend_after=1.0, max_tries=3)
    ticket = connection.infer(vectors(1), 1, 10.0)
    first = connection.data_to_send()
    now = 10.0
    for wait in (1.0, 2.0):
        assert connection.next_timeout(now) == pytest.approx(wait)
        assert connection.on_time(now + wait - 0.01) == []
        assert connection.data_to_send() == b""
        now += wait
        assert connection.on_time(now) == []
        assert connection.data_to_send() == first
    assert connection.next_timeout(now) == pytest.approx(4.0)
    error = failure(connection.on_time(now + 4.0))
    assert f"INFER number {ticket}" in error.message
    assert "3 times" in error.message
    assert "2 repeated" in error.detail
    assert connection.state is State.FAILED
    assert connection.next_timeout(now) is None
    assert connection.data_to_send() == b""


def test_describe_fails_by_silence_too() -> None:
    role = device()
    connection = Connection(FIRST, max_tries=1)
    connection.hello(0.0)
    connection.receive(role.receive(connection.data_to_send())[0], 0.0)
    assert "DESCRIBE" in failure(connection.on_time(1.0)).message


def test_an_answer_starts_the_wait_of_the_others_again() -> None:
    role = device()
    connection = ready(role, resend_after=1.0)
    for _ in range(2):
        connection.infer(vectors(1), 1, 0.0)
    first, second = role.receive(connection.data_to_send())
    connection.receive(first, 0.9)
    assert connection.next_timeout(0.9) == pytest.approx(1.8), "two round trips"
    assert connection.on_time(1.8) == []
    assert len(connection.receive(second, 1.85)) == 1
    assert connection.counters.resends == 0


def test_an_overtaken_request_is_repeated_at_once_and_alone() -> None:
    role = device()
    connection = ready(role)
    tickets = [connection.infer(vectors(1, first), 1, 0.0) for first in range(4)]
    answers = role.receive(connection.data_to_send())
    (event,) = connection.receive(answers[1], 0.0)
    assert isinstance(event, Inferred)
    assert event.ticket == tickets[1]
    (repeated,) = requests(connection)
    assert (repeated.sequence, repeated.payload[2:]) == (tickets[0], vectors(1, 0))
    for answer in answers[2:]:
        connection.receive(answer, 0.0)
    assert requests(connection) == []
    (event,) = connection.receive(role.receive(encode_frame(repeated))[0], 0.0)
    assert isinstance(event, Inferred)
    assert event.ticket == tickets[0]
    assert connection.counters.resends == 1


def test_an_answer_to_a_repeated_request_overtakes_nothing_sent_between() -> None:
    role = device()
    connection = ready(role, resend_after=1.0)
    connection.infer(vectors(1), 1, 0.0)
    late = role.receive(connection.data_to_send())
    connection.infer(vectors(1), 1, 0.5)
    connection.on_time(1.0)
    assert connection.counters.resends == 1
    connection.receive(late[0], 1.1)
    assert connection.counters.resends == 1


@pytest.mark.parametrize(
    "answer",
    [
        Result(1, 0, bytes(OUTPUT_BYTES)),
        Result(1, 0, bytes(2 * OUTPUT_BYTES)),
        Result(2, 0, bytes(OUTPUT_BYTES)),
        Result(2, 0, bytes(2 * OUTPUT_BYTES + 2)),
        Tensor(Direction.INPUT, 0, X),
        WELCOME,
    ],
    ids=lambda message: message.TYPE.name,
)
def test_an_answer_that_does_not_fit_its_request_is_broken_protocol(answer: Message) -> None:
    connection = ready(device())
    ticket = connection.infer(vectors(2), 2, 0.0)
    error = failure(connection.receive(frame(ticket, answer), 0.0))
    assert not isinstance(error, DeviceReportedError)
    assert connection.state is State.FAILED
    assert connection.data_to_send() == b""
    with pytest.raises(RemoteLinkError) as caught:
        connection.infer(vectors(1), 1, 0.0)
    assert caught.value is error


@pytest.mark.parametrize("payload", [b"", bytes(85), WELCOME.encode()[:84]])
def test_a_welcome_outside_its_limits_is_broken_protocol(payload: bytes) -> None:
    connection = Connection(FIRST)
    connection.hello(0.0)
    assert "WELCOME" in failure(connection.receive(encode_frame(Frame(0x81, FIRST, payload)), 0.0)).message


def test_a_tensor_that_was_not_asked_for_is_broken_protocol() -> None:
    role = device(window=1)
    connection = Connection(FIRST)
    connection.hello(0.0)
    connection.receive(role.receive(connection.data_to_send())[0], 0.0)
    error = failure(connection.receive(frame(FIRST + 1, Tensor(Direction.OUTPUT, 0, Y)), 0.0))
    assert "asked for input 0" in error.message
    assert "output 0" in error.message


def test_an_echo_is_broken_protocol_and_says_so() -> None:
    connection = Connection(FIRST)
    connection.hello(0.0)
    error = failure(connection.receive(connection.data_to_send(), 0.0))
    assert "echo" in error.hint
    assert connection.counters.requests_received == 1


@pytest.mark.parametrize("code", [code for code in ErrorCode if code is not ErrorCode.NOT_READY])
def test_an_error_of_the_device_keeps_its_code(code: ErrorCode) -> None:
    connection = ready(device())
    ticket = connection.infer(vectors(1), 1, 0.0)
    error = failure(connection.receive(frame(ticket, Error(code, 4711)), 0.0))
    assert isinstance(error, DeviceReportedError)
    assert (error.code, error.device_detail) == (code, 4711)
    assert "INFER" in error.message
    assert "4711" in error.message
    assert error.hint


def test_an_error_that_is_none_of_the_page_s_is_broken_protocol() -> None:
    connection = ready(device())
    ticket = connection.infer(vectors(1), 1, 0.0)
    error = failure(connection.receive(encode_frame(Frame(0xFF, ticket, b"\x09\0\0\0\0")), 0.0))
    assert not isinstance(error, DeviceReportedError)


def test_events_before_a_failure_are_kept_and_only_text_follows_it() -> None:
    role = device()
    connection = ready(role)
    connection.infer(vectors(1), 1, 0.0)
    broken = connection.infer(vectors(1), 1, 0.0)
    connection.infer(vectors(1), 1, 0.0)
    good, _, late = role.receive(connection.data_to_send())
    stream = good + frame(broken, Error(ErrorCode.INVOKE_FAILED, 1)) + late + b"panic\n"
    kinds = [type(event) for event in connection.receive(stream, 0.0)]
    assert kinds == [Inferred, Failed, DeviceText]
