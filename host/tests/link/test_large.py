"""Tensors that are larger than the largest payload: written, run and read in parts, and never mixed up."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest

from tinyhil.affine import DType
from tinyhil.errors import LocalLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.events import ConnectionEvent, DeviceReportedError, Inferred, Restarted
from tinyhil.link.fields import Message, MessageType
from tinyhil.link.frames import Frame, encode_frame
from tinyhil.link.inference import Data, Ran, Read, Run, Write, Written
from tinyhil.link.messages import Error, ErrorCode
from tinyhil.link.states import State

from .by_hand import exchange, failure, frame, ready, requests, step
from .device_role import DeviceRole
from .models import KINDS, Digest, tensors

LARGE = next(kind for kind in KINDS if kind.name == "large")
VECTOR = bytes(index * 7 % 256 for index in range(LARGE.input_bytes))
ANSWER = LARGE.answers([VECTOR])[0]
PAYLOAD = 100
WRITES = sum(-(-spec.nbytes // (PAYLOAD - 5)) for spec in LARGE.tensors[0])


def vector_on_its_way(**options: int) -> tuple[Connection, DeviceRole, int]:
    role = LARGE.device(window=4, max_payload=PAYLOAD)
    connection = ready(role, **options)
    return connection, role, connection.infer(VECTOR, 1, 0.0)


def types(frames: list[Frame]) -> list[int]:
    return [request.type for request in frames]


def deliver(connection: Connection, role: DeviceRole, sent: list[Frame]) -> list[ConnectionEvent]:
    """Carries these requests, and the answers back."""
    answers = [answer for request in sent for answer in role.receive(encode_frame(request))]
    return [event for answer in answers for event in connection.receive(answer, 0.0)]


def until(connection: Connection, role: DeviceRole, kind: MessageType) -> list[Frame]:
    """Goes on until requests of that type are sent, and returns them undelivered."""
    while kind not in types(sent := requests(connection)):
        assert sent, "the vector is stuck"
        deliver(connection, role, sent)
    return sent


def test_an_answer_looks_like_any_other() -> None:
    connection, role, ticket = vector_on_its_way()
    assert exchange(connection, role) == [Inferred(ticket, 1, 10, ANSWER)]
    assert connection.can_send


@pytest.mark.parametrize("output_bytes", [PAYLOAD - 6, PAYLOAD - 5])
@pytest.mark.parametrize("input_bytes", [PAYLOAD - 2, PAYLOAD - 1])
def test_large_is_what_does_not_fit_and_nothing_else(input_bytes: int, output_bytes: int) -> None:
    role = DeviceRole(
        tensors((DType.INT8, input_bytes)),
        tensors((DType.INT8, output_bytes)),
        Digest(output_bytes),
        max_payload=PAYLOAD,
    )
    connection = ready(role)
    large = input_bytes > PAYLOAD - 2 or output_bytes > PAYLOAD - 6
    assert connection.description.large is large
    assert (connection.capacity, connection.window) == (1, 1 if large else 4)
    ticket = connection.infer(bytes(input_bytes), 1, 0.0)
    (first, *_) = sent = requests(connection)
    assert first.type == (MessageType.WRITE if large else MessageType.INFER)
    events = [*deliver(connection, role, sent), *exchange(connection, role)]
    assert events == [Inferred(ticket, 1, 10, Digest(output_bytes)(bytes(input_bytes)))]


def test_parts_fill_the_payload_and_the_window() -> None:
    connection, role, _ = vector_on_its_way()
    sent = requests(connection)
    assert types(sent) == [MessageType.WRITE] * 4
    assert all(len(request.payload) == PAYLOAD for request in sent[:3])
    assert len(sent[3].payload) == 5 + 301 - 3 * 95
    deliver(connection, role, sent)
    reads = until(connection, role, MessageType.READ)
    assert [Read.decode(read.payload) for read in reads] == [
        Read(0, 0, 100),
        Read(0, 100, 54),
        Read(1, 0, 100),
        Read(1, 100, 20),
    ]


def test_run_waits_for_every_write_and_carries_the_crc() -> None:
    connection, role, _ = vector_on_its_way()
    writes: list[Frame] = []
    while sent := requests(connection):
        assert types(sent) == [MessageType.WRITE] * len(sent)
        writes += sent
        # The last answer of all is still missing.
        if sum(len(write.payload) - 5 for write in writes) == len(VECTOR):
            break
        deliver(connection, role, sent)
    *early, last = sent
    deliver(connection, role, early)
    assert requests(connection) == []
    deliver(connection, role, [last])
    (run,) = requests(connection)
    assert Run.decode(run.payload) == Run(zlib.crc32(VECTOR))
    assert len(writes) == WRITES


def test_inputs_that_differ_are_written_again_under_new_numbers() -> None:
    connection, role, ticket = vector_on_its_way()
    (run,) = until(connection, role, MessageType.RUN)
    assert connection.receive(frame(run.sequence, Error(ErrorCode.INPUTS_DIFFER, 5)), 0.0) == []
    again = requests(connection)
    assert types(again) == [MessageType.WRITE] * 4
    assert min(request.sequence for request in again) == run.sequence + 1
    deliver(connection, role, again)
    assert exchange(connection, role) == [Inferred(ticket, 1, 10, ANSWER)]


def test_inputs_that_never_arrive_end_the_session() -> None:
    role = LARGE.device(max_payload=PAYLOAD, forgets=lambda: True)
    connection = ready(role, max_setbacks=3)
    before = connection.counters.frames_sent
    connection.infer(VECTOR, 1, 0.0)
    error = failure(exchange(connection, role))
    assert isinstance(error, DeviceReportedError)
    assert error.code is ErrorCode.INPUTS_DIFFER
    assert connection.counters.frames_sent - before == 3 * (WRITES + 1)
    assert connection.state is State.FAILED


def test_each_vector_has_tries_of_its_own() -> None:
    # Every vector is written twice, because its first part is lost the first time.
    lost = iter(([True] + [False] * (2 * WRITES - 1)) * 20)
    role = LARGE.device(max_payload=PAYLOAD, forgets=lambda: next(lost))
    connection = ready(role, max_setbacks=2)
    for _ in range(20):
        ticket = connection.infer(VECTOR, 1, 0.0)
        assert exchange(connection, role) == [Inferred(ticket, 1, 10, ANSWER)]


def test_a_restart_gives_the_vector_all_its_tries_again() -> None:
    connection, role, ticket = vector_on_its_way(max_tries=2)
    for _ in range(2):
        sent = until(connection, role, MessageType.RUN)
        role.restart()
        deliver(connection, role, sent)
    (run,) = until(connection, role, MessageType.RUN)
    assert connection.receive(frame(run.sequence, Error(ErrorCode.INPUTS_DIFFER, 5)), 0.0) == []
    assert exchange(connection, role) == [Inferred(ticket, 1, 10, ANSWER)]


def test_nothing_old_is_sent_to_a_device_that_has_restarted() -> None:
    connection, role, _ = vector_on_its_way()
    first, second, *_ = requests(connection)
    (written,) = role.receive(encode_frame(first))
    role.restart()
    (refusal,) = role.receive(encode_frame(second))
    assert connection.receive(written + refusal, 0.0) == []
    assert types(requests(connection)) == [MessageType.HELLO]


@pytest.mark.parametrize("kind", [MessageType.WRITE, MessageType.RUN, MessageType.READ])
def test_a_restart_in_in_any_phase_begins_the_vector_again(kind: MessageType) -> None:
    connection, role, ticket = vector_on_its_way()
    lost_requests = until(connection, role, kind)
    role.restart()
    deliver(connection, role, lost_requests)
    events = exchange(connection, role)
    assert [event for event in events if isinstance(event, Restarted)]
    assert [event for event in events if isinstance(event, Inferred)] == [Inferred(ticket, 1, 10, ANSWER)]
    assert role.ran == [VECTOR]


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (MessageType.WRITE, Ran(1)),
        (MessageType.RUN, Written()),
        (MessageType.READ, Data(b"x")),
        (MessageType.READ, Data(bytes(101))),
        (MessageType.WRITE, Error(ErrorCode.INPUTS_DIFFER, 1)),
        (MessageType.READ, Error(ErrorCode.INPUTS_DIFFER, 1)),
        (MessageType.RUN, Error(ErrorCode.INVOKE_FAILED, 1)),
        (MessageType.WRITE, Error(ErrorCode.BAD_ARGUMENT, 1)),
    ],
    ids=repr,
)
def test_an_answer_that_does_not_fit_ends_the_session(kind: MessageType, answer: Message) -> None:
    connection, role, _ = vector_on_its_way()
    request = until(connection, role, kind)[0]
    error = failure(connection.receive(frame(request.sequence, answer), 0.0))
    assert isinstance(error, DeviceReportedError) is isinstance(answer, Error)
    assert connection.state is State.FAILED


def test_one_vector_at_a_time() -> None:
    connection, role, _ = vector_on_its_way()
    assert (connection.capacity, connection.window, connection.in_flight, connection.can_send) == (1, 1, 1, False)
    with pytest.raises(LocalLinkError, match="window"):
        connection.infer(VECTOR, 1, 0.0)
    exchange(connection, role)
    with pytest.raises(LocalLinkError, match="1 to 1"):
        connection.infer(2 * VECTOR, 2, 0.0)
    with pytest.raises(LocalLinkError, match="bytes"):
        connection.infer(VECTOR[1:], 1, 0.0)


def test_a_device_that_claims_huge_outputs_costs_no_memory_that_it_does_not_fill() -> None:
    huge = [replace(LARGE.tensors[1][0], shape=(1, 0x7FFFFFFF))]
    role = DeviceRole(LARGE.tensors[0], huge, Digest(1), max_payload=PAYLOAD)
    connection = ready(role)
    connection.infer(VECTOR, 1, 0.0)
    until(connection, role, MessageType.RUN)
    step(connection, role)
    assert connection.description.output_bytes == 2 * 0x7FFFFFFF
    assert len(connection.data_to_send()) < 1000


def test_a_write_alone_is_repeated_when_it_is_lost() -> None:
    connection, role, ticket = vector_on_its_way(window=1)
    assert Write.decode(requests(connection)[0].payload).offset == 0
    assert connection.on_time(1.0) == []
    assert connection.counters.resends == 1
    assert exchange(connection, role, 1.0) == [Inferred(ticket, 1, 10, ANSWER)]
