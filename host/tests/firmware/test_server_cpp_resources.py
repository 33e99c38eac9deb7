"""The C++ server's USAGE, ARENA and PROFILE over a fake engine whose arena and operators are known."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from .counter_model import CAPACITY, FAILING, NEEDED, OPERATORS, SAFE, VECTOR, infer, profiled, result
from .wire import (
    ARENA,
    BAD_ARGUMENT,
    BAD_LENGTH,
    BOOT_ID,
    HELLO,
    INFER,
    INIT_FAILED,
    INVOKE_FAILED,
    INVOKE_STATUS,
    NOT_READY,
    PAYLOAD,
    PREPARE_STATUS,
    PREPARED,
    PROFILE,
    PROFILED,
    READ,
    SESSION,
    STACK,
    USAGE,
    USED,
    WELCOME,
    Message,
    answers,
    ask,
    error,
    frame,
    raw,
    read,
    run,
    talk,
    write,
)

ONE = infer([VECTOR])


def used(arena: int, said: int, overrun: int = 0) -> Message:
    return USED, struct.pack("<6I", CAPACITY, arena, said, overrun, *STACK)


def arena(size: int) -> Message:
    return ARENA, struct.pack("<I", size)


def prepared(status: int, said: int) -> Message:
    return PREPARED, struct.pack("<II", status, said)


def profile(first: int) -> Message:
    return PROFILE, struct.pack("<H", first)


READY = prepared(0, NEEDED)
REFUSED = prepared(PREPARE_STATUS, 0)


def test_usage_tells_all_memory(counter: Path, large: Path) -> None:
    assert ask(counter, USAGE, b"") == used(CAPACITY, NEEDED)
    assert ask(large, USAGE, b"") == (USED, struct.pack("<6I", 0, 0, 0, 0, *STACK))


@pytest.mark.parametrize("size", [NEEDED, NEEDED + 1, CAPACITY])
def test_an_arena_that_is_enough(counter: Path, size: int) -> None:
    got = talk(counter, [SESSION, (INFER, ONE), arena(size), (USAGE, b""), (INFER, ONE)])
    assert got[2:] == [READY, used(size, NEEDED), result([VECTOR])], "and the model is as after its start"


@pytest.mark.parametrize("size", [1, NEEDED - 1])
def test_an_arena_that_is_too_small(counter: Path, size: int) -> None:
    after = [(INFER, ONE), (READ, read(0, 0, 1)[1]), profile(0), (USAGE, b""), arena(NEEDED), (INFER, ONE)]
    got = talk(counter, [SESSION, arena(size), *after])
    failed = error(INIT_FAILED, PREPARE_STATUS)
    assert got[1:] == [REFUSED, failed, failed, failed, used(size, 0), READY, result([VECTOR])]


@pytest.mark.parametrize("size", [0, CAPACITY + 1, 0xFFFFFFFF])
def test_an_arena_that_there_is_not(counter: Path, large: Path, size: int) -> None:
    got = talk(counter, [SESSION, arena(NEEDED), arena(size), (USAGE, b"")])
    assert got[2:] == [error(BAD_ARGUMENT, size), used(NEEDED, NEEDED)]
    assert ask(large, *arena(size)) == error(BAD_ARGUMENT, size)


def test_memory_that_is_fixed_takes_no_size(large: Path) -> None:
    assert ask(large, *arena(1)) == error(BAD_ARGUMENT, 1)


def test_what_is_written_behind_the_arena_is_told(counter: Path) -> None:
    asked = [
        SESSION,
        arena(SAFE - 1),
        (INFER, ONE),
        (INFER, ONE),
        (USAGE, b""),
        arena(SAFE),
        (INFER, ONE),
        (USAGE, b""),
    ]
    got = talk(counter, asked)
    assert (got[4], got[7]) == (used(SAFE - 1, NEEDED, 2), used(SAFE, NEEDED))


def test_an_engine_that_did_not_accept_the_model_can_be_asked_and_mended(counter: Path) -> None:
    got = talk(counter, [SESSION, (USAGE, b""), (INFER, ONE), arena(CAPACITY), (INFER, ONE)], PAYLOAD, 5)
    assert got[1:] == [used(CAPACITY, NEEDED), error(INIT_FAILED, 5), READY, result([VECTOR])]


@pytest.mark.parametrize("size", [NEEDED - 1, NEEDED])
def test_a_session_begins_in_the_whole_arena(counter: Path, size: int) -> None:
    got = talk(counter, [SESSION, (INFER, ONE), arena(size), (HELLO, b"\2\3"), (USAGE, b""), SESSION, (INFER, ONE)])
    assert got[4] == used(size, NEEDED if size == NEEDED else 0), "a HELLO that is refused leaves it as it is"
    assert got[5] == talk(counter, [SESSION])[0]
    assert got[6] == result([VECTOR])


def test_a_session_without_arena_leaves_the_state_alone(counter: Path) -> None:
    assert talk(counter, [SESSION, (INFER, ONE), SESSION, (INFER, ONE)])[3] == result([VECTOR], calls=1)


def test_a_repeated_arena_is_not_carried_out_again(counter: Path) -> None:
    number, wanted = 9, arena(NEEDED)[1]
    wire = frame(*SESSION[:1], 8, SESSION[1]) + frame(ARENA, number, wanted) * 2
    assert [answer[::2] for answer in answers(raw(counter, wire))][1:] == [READY, READY]
    wire += frame(INFER, 10, ONE) + frame(ARENA, 9, wanted)
    assert answers(raw(counter, wire))[-1][::2] == READY


@pytest.mark.parametrize("payload", [100, 128, 300, 4096])
def test_a_profile_in_pages(counter: Path, payload: int) -> None:
    pages, first = [], 0
    got: list[tuple[int, bytes]] = []
    while not got or first < len(OPERATORS):
        pages.append(profile(first))
        got = talk(counter, [SESSION, *pages], payload)[1:]
        assert got[-1] == profiled(first, payload)
        at, found = 4, 0
        while at < len(got[-1][1]):
            at += 5 + got[-1][1][at + 4]
            found += 1
        assert found > 0
        first += found
    assert first == len(OPERATORS)
    assert (len(got) == 1) is (payload == 4096)


def test_a_profile_is_one_inference_on_the_inputs_as_they_stand(counter: Path) -> None:
    asked = [SESSION, (INFER, ONE), profile(0), profile(7), (READ, read(1, 0, 8)[1]), (INFER, ONE)]
    got = talk(counter, asked)
    assert got[2][0] == got[3][0] == PROFILED
    assert got[4][1] == struct.pack("<2i", -300_000 + 1, 300_000 + 1)
    assert got[5] == result([VECTOR], calls=2), "pages are no inferences"


def test_pages_are_of_the_last_result(counter: Path) -> None:
    beyond = error(BAD_ARGUMENT, 1)
    assert ask(counter, *profile(1)) == beyond
    assert talk(counter, [SESSION, profile(0), profile(40), profile(39)])[2:] == [
        error(BAD_ARGUMENT, 40),
        profiled(39, PAYLOAD),
    ]
    assert talk(counter, [SESSION, profile(0), SESSION, profile(1)])[3] == beyond
    assert talk(counter, [SESSION, profile(0), arena(CAPACITY), profile(1)])[3] == beyond
    failing = [write(0, 0, b"\x7f"), profile(0), profile(1)]
    assert talk(counter, [SESSION, profile(0), *failing])[3:] == [error(INVOKE_FAILED, INVOKE_STATUS), beyond]


def test_an_engine_that_times_nothing(large: Path) -> None:
    assert talk(large, [SESSION, profile(0), profile(1)])[1:] == [(PROFILED, bytes(4)), error(BAD_ARGUMENT, 1)]


def test_a_device_without_a_clock_has_a_profile(counter: Path) -> None:
    assert ask(counter, *profile(0), PAYLOAD, 0, 0)[0] == PROFILED


@pytest.mark.parametrize(("kind", "lengths"), [(USAGE, (1, 4)), (ARENA, (0, 3, 5)), (PROFILE, (0, 1, 3))])
def test_payloads_of_another_length(counter: Path, kind: int, lengths: tuple[int, ...]) -> None:
    for length in lengths:
        assert ask(counter, kind, bytes(length)) == error(BAD_LENGTH, length)
        assert ask(counter, kind, bytes(length), PAYLOAD, 5) == error(
            *((BAD_LENGTH, length) if kind != PROFILE else (INIT_FAILED, 5))
        )


def test_before_hello_nothing_is_told(counter: Path) -> None:
    got = talk(counter, [(USAGE, b""), arena(NEEDED), profile(0), SESSION, (USAGE, b"")])
    assert got[:3] == [error(NOT_READY, BOOT_ID)] * 3
    assert got[3][0] == WELCOME
    assert got[4] == used(CAPACITY, NEEDED)


def test_an_inference_that_fails_in_a_profile(counter: Path) -> None:
    got = talk(counter, [SESSION, (INFER, infer([FAILING])), profile(0), run(b"")])
    assert got[2] == error(INVOKE_FAILED, INVOKE_STATUS)
