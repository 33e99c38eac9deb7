"""The C++ server's last answer and the state of a model: what is repeated is not carried out again; RESET."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import counter_model, large_model
from .counter_model import FAILING, VECTOR, infer, result
from .wire import (
    BAD_LENGTH,
    BOOT_ID,
    CLEARED,
    DATA,
    DESCRIBE,
    ERROR,
    HELLO,
    INFER,
    INPUTS_DIFFER,
    INVOKE_FAILED,
    INVOKE_STATUS,
    NOT_READY,
    RAN,
    READ,
    RESET,
    RESULT,
    RUN,
    TENSOR,
    UNKNOWN_TYPE,
    UNSUPPORTED_VERSION,
    WELCOME,
    WRITE,
    WRITTEN,
    Message,
    answers,
    ask,
    chunks,
    error,
    frame,
    ran,
    raw,
    read,
    run,
    write,
)

GREETING = frame(HELLO, 8, b"\1\1")
X, SIZE = counter_model.packed(VECTOR)


def numbered(driver: Path, requests: list[tuple[int, int, bytes]], *, greet: bool = True) -> list[Message]:
    """The answers to requests with numbers (type, number, payload) after a greeting, each under its number."""
    wire = b"".join(frame(*request) for request in requests)
    got = answers(raw(driver, (GREETING if greet else b"") + wire))[1 if greet else 0 :]
    assert [number for _, number, _ in got] == [number for _, number, _ in requests]
    return [(kind, payload) for kind, _, payload in got]


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ((DESCRIBE, b"\1\1"), TENSOR),
        ((INFER, infer([VECTOR] * 3)), RESULT),
        ((RESET, b""), CLEARED),
        (write(0, 0, X), WRITTEN),
        (run(bytes(7)), RAN),
        (read(1, 0, 8), DATA),
        ((RUN, bytes(4)), ERROR),
        ((INFER, b""), ERROR),
        ((0x0F, b"later"), ERROR),
    ],
    ids=lambda value: f"{value[0]:#04x}" if isinstance(value, tuple) else f"{value:#04x}",
)
def test_a_repeated_request_gets_the_same_bytes(counter: Path, request_: Message, kind: int) -> None:
    for number in (0, 9, 0xFFFFFFFF):
        _, *got = chunks(raw(counter, GREETING + frame(request_[0], number, request_[1]) * 4))
        assert len(got) == 4
        assert len(set(got)) == 1
        assert answers(b"\0" + got[0] + b"\0")[0][:2] == (kind, number)


def test_a_repeated_infer_does_not_advance_the_model(counter: Path) -> None:
    two = infer([VECTOR] * 2)
    got = numbered(counter, [(INFER, 9, two), (INFER, 9, two), (INFER, 9, two), (INFER, 10, two), (INFER, 10, two)])
    assert got == [result([VECTOR] * 2)] * 3 + [result([VECTOR] * 2, calls=2)] * 2


def test_a_repeated_run_does_not_advance_the_model(counter: Path) -> None:
    kind, crc = run(bytes(7))
    got = numbered(counter, [(kind, 9, crc), (kind, 9, crc), (INFER, 10, infer([VECTOR]))])
    assert got == [ran(), ran(), result([VECTOR], calls=1)]


def test_a_repeated_run_succeeds_although_the_inputs_are_gone(large: Path) -> None:
    x = large_model.inputs()
    parts = [(*message, number) for number, message in enumerate(large_model.writes(x, 90), 9)]
    kind, crc = run(b"".join(x))
    got = numbered(large, [*((kind, number, data) for kind, data, number in parts), (kind, 7, crc), (kind, 7, crc)])
    assert got == [(WRITTEN, b"")] * len(parts) + [ran()] * 2


def test_a_repeated_write_is_not_carried_out_again(counter: Path) -> None:
    _, early = write(0, 0, X)
    _, late = write(0, 0, b"abc")
    got = numbered(counter, [(WRITE, 9, early), (WRITE, 9, late), (RUN, 10, run(X + bytes(4))[1])])
    assert got == [(WRITTEN, b"")] * 2 + [ran()]


def test_an_error_is_kept_as_well(counter: Path) -> None:
    got = numbered(counter, [(INFER, 9, infer([FAILING])), (INFER, 9, infer([VECTOR])), (INFER, 10, infer([VECTOR]))])
    assert got == [error(INVOKE_FAILED, INVOKE_STATUS)] * 2 + [result([VECTOR])]
    got = numbered(counter, [(RUN, 9, bytes(4)), (RUN, 9, run(bytes(7))[1]), (RUN, 10, run(bytes(7))[1])])
    assert [kind for kind, _ in got] == [ERROR, ERROR, RAN]
    assert got[0] == got[1]
    assert got[0][1][0] == INPUTS_DIFFER


def test_number_and_type_both_count(counter: Path) -> None:
    one = infer([VECTOR])
    got = numbered(counter, [(INFER, 9, one), (INFER, 8, one), (DESCRIBE, 8, b"\2\0"), (READ, 8, read(1, 0, 8)[1])])
    assert got[:2] == [result([VECTOR]), result([VECTOR], calls=1)]
    assert got[2][0] == ERROR
    assert got[3] == (DATA, counter_model.outputs(VECTOR, 1)[1])


@pytest.mark.parametrize("bit", range(32))
def test_every_bit_of_the_number_counts(counter: Path, bit: int) -> None:
    one = infer([VECTOR])
    assert numbered(counter, [(INFER, 0, one), (INFER, 1 << bit, one)])[1] == result([VECTOR], calls=1)


def test_only_the_last_answer_is_kept(counter: Path) -> None:
    one = infer([VECTOR])
    for between in ((INFER, 10, one), (DESCRIBE, 10, b"\0\0"), (0x0F, 10, b""), (0x0F, 9, b"")):
        got = numbered(counter, [(INFER, 9, one), between, (INFER, 9, one)])
        assert got[0] == result([VECTOR])
        assert got[2] == result([VECTOR], calls=2 if between[0] == INFER else 1)


def test_what_gets_no_answer_does_not_take_the_kept_one_away(counter: Path) -> None:
    request = frame(INFER, 9, infer([VECTOR]))
    cut, flipped = request[:7] + b"\0", request[:-3] + bytes([request[-3] ^ 1]) + request[-2:]
    too_long = frame(INFER, 10, bytes(500))
    strays = b"".join(frame(kind, 9, b"\1\1\1\1\1\1\1\1") for kind in (WELCOME, RESULT, WRITTEN, RAN, DATA, ERROR))
    for between in (cut, flipped, too_long, strays, b"text\n\0"):
        _, first, *again = chunks(raw(counter, GREETING + request + between + request))
        assert again == [first]
        assert answers(b"\0" + first + b"\0") == [(RESULT, 9, result([VECTOR])[1])]


@pytest.mark.parametrize(
    ("hello", "answer"),
    [
        (b"\1\1", None),
        (b"\2\3", error(UNSUPPORTED_VERSION, 1)),
        (b"\1", error(BAD_LENGTH, 1)),
    ],
)
@pytest.mark.parametrize("number", [8, 9])
def test_hello_forgets_the_kept_answer(counter: Path, hello: bytes, answer: Message | None, number: int) -> None:
    one = infer([VECTOR])
    got = numbered(counter, [(INFER, 9, one), (HELLO, number, hello), (INFER, 9, one)])
    assert got[1] == answer or (answer is None and got[1][0] == WELCOME)
    assert got[2] == result([VECTOR], calls=1)


def test_hello_is_always_carried_out(counter: Path) -> None:
    got = numbered(counter, [(HELLO, 8, b"\2\3"), (HELLO, 8, b"\1\1"), (HELLO, 8, b"")])
    assert [got[0], got[2]] == [error(UNSUPPORTED_VERSION, 1), error(BAD_LENGTH, 0)]
    assert got[1][0] == WELCOME


def test_hello_does_not_reset_the_model(counter: Path) -> None:
    one = infer([VECTOR])
    got = numbered(counter, [(INFER, 9, one), (HELLO, 10, b"\1\1"), (INFER, 11, one)])
    assert got[2] == result([VECTOR], calls=1)


@pytest.mark.parametrize("kind", [DESCRIBE, INFER, RESET, WRITE, RUN, READ])
def test_after_start_nothing_is_kept(counter: Path, kind: int) -> None:
    assert numbered(counter, [(kind, 0, b"")], greet=False) == [error(NOT_READY, BOOT_ID)]


def test_reset_takes_the_model_back_to_its_start(counter: Path) -> None:
    two = infer([VECTOR] * 2)
    got = numbered(counter, [(INFER, 9, two), (RESET, 10, b""), (INFER, 11, two), (RESET, 12, b""), (INFER, 13, two)])
    assert got == [result([VECTOR] * 2), (CLEARED, b"")] * 2 + [result([VECTOR] * 2)]


def test_a_repeated_reset_is_not_carried_out_again_but_a_later_one_is(counter: Path) -> None:
    one = infer([VECTOR])
    got = numbered(counter, [(RESET, 9, b""), (RESET, 9, b""), (INFER, 10, one), (RESET, 9, b""), (INFER, 11, one)])
    assert got == [(CLEARED, b"")] * 2 + [result([VECTOR]), (CLEARED, b""), result([VECTOR])]


def test_reset_with_a_payload_changes_nothing(counter: Path) -> None:
    one = infer([VECTOR])
    got = numbered(counter, [(INFER, 9, one), (RESET, 10, b"\0"), (INFER, 11, one)])
    assert got[1:] == [error(BAD_LENGTH, 1), result([VECTOR], calls=1)]


def test_reset_of_a_model_without_state(large: Path) -> None:
    assert ask(large, RESET, b"") == (CLEARED, b"")


def test_an_unknown_type_is_kept_under_its_own_type(counter: Path) -> None:
    got = numbered(counter, [(0x0D, 9, b""), (0x0E, 9, b""), (0x0D, 9, b"")])
    assert got == [error(UNKNOWN_TYPE, kind) for kind in (0x0D, 0x0E, 0x0D)]
