"""The host's state machine, driven by hand: every way through its table, every fault of the device, every timeout."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.errors import LocalLinkError, RemoteLinkError
from tinyhil.link.connection import HELLO_EVERY, Connection
from tinyhil.link.events import ConnectionEvent, DeviceReportedError, DeviceText, Failed, Greeted, Inferred, Ready
from tinyhil.link.fields import Message
from tinyhil.link.frames import Frame, FrameDecoder, Reason, encode_frame
from tinyhil.link.messages import Describe, Direction, Error, ErrorCode, Result, Tensor
from tinyhil.link.states import TRANSITIONS, EventKind, State

from .device_role import WELCOME, DeviceRole

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


def ready(role: DeviceRole, **options: float | int | None) -> Connection:
    connection = Connection(FIRST, **options)  # type: ignore[arg-type]
    connection.hello(0.0)
    while connection.state is not State.READY:
        sent = connection.data_to_send()
        assert sent, "the handshake hangs"
        for answer in role.receive(sent):
            connection.receive(answer, 0.0)
    return connection


def requests(connection: Connection) -> list[Frame]:
    return [event for event in FrameDecoder().feed(connection.data_to_send()) if isinstance(event, Frame)]


def frame(sequence: int, message: Message) -> bytes:
    return encode_frame(Frame(message.TYPE, sequence & 0xFFFFFFFF, message.encode()))


def vectors(count: int, first: int = 0) -> bytes:
    return bytes((first + index) % 256 for index in range(count * INPUT_BYTES))


def failure(events: list[ConnectionEvent]) -> RemoteLinkError:
    (failed,) = (event for event in events if isinstance(event, Failed))
    return failed.error


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
    [(256, (256 - 2) // INPUT_BYTES), (64, (64 - 2) // INPUT_BYTES)],
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


@pytest.mark.parametrize("shape", [(1, 127), (0xFFFFFFFF,) * 6, (0x10000,) * 4])
def test_a_vector_that_does_not_fit_names_the_sizes(shape: tuple[int, ...]) -> None:
    connection = ready(DeviceRole([X], [replace(Y, shape=shape)], lambda vector: b""))
    with pytest.raises(RemoteLinkError, match=r"up to 256 bytes.* 5 in INFER .* in RESULT") as caught:
        _ = connection.capacity
    assert "max_payload" in caught.value.hint
    with pytest.raises(RemoteLinkError):
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


@pytest.mark.parametrize(
    "options", [{"first_sequence": -1}, {"first_sequence": 2**32}, {"first_sequence": 0, "window": 0}]
)
def test_parameters_that_cannot_be_meant(options: dict[str, int]) -> None:
    with pytest.raises(LocalLinkError):
        Connection(**options)


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
    assert connection.next_timeout(0.9) == pytest.approx(1.0)
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


@pytest.mark.parametrize("code", ErrorCode)
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


def test_a_restart_of_the_device_shows_as_not_ready() -> None:
    role = device()
    connection = ready(role)
    connection.infer(vectors(1), 1, 0.0)
    role.restart()
    error = failure(connection.receive(role.receive(connection.data_to_send())[0], 0.0))
    assert isinstance(error, DeviceReportedError)
    assert error.code is ErrorCode.NOT_READY
    assert error.device_detail == role.welcome.boot_id


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


def test_the_table_is_the_page_s_diagram() -> None:
    page = (Path(__file__).parents[3] / "docs/protocol.md").read_text("utf-8")
    way, faults = re.findall(r"^    ([A-Z].*--.*)$", page.split("## The host's states")[1], re.M)
    *states, last = re.split(r" --[^>]*--> ", way)
    assert [State(name.lower()) for name in [*states, last]] == [
        State.IDLE,
        TRANSITIONS[State.IDLE, EventKind.HELLO],
        TRANSITIONS[State.GREETING, EventKind.WELCOME],
        TRANSITIONS[State.DESCRIBING, EventKind.LAST_TENSOR],
    ]
    sources, target = re.split(r" --[^>]*--> ", faults)
    for name in sources.split(", "):
        for kind in (EventKind.BROKEN_PROTOCOL, EventKind.ERROR):
            assert TRANSITIONS[State(name.lower()), kind] is State(target.lower())
    assert not any(state is State.FAILED for state, _ in TRANSITIONS)
