"""GOODBYE to the server over a fake engine: it ends the session, and needs neither one nor an engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from .counter_model import VECTOR, infer, result
from .wire import (
    BAD_LENGTH,
    BOOT_ID,
    DESCRIBE,
    GOODBYE,
    INFER,
    NOT_READY,
    PARTED,
    PAYLOAD,
    SESSION,
    WELCOME,
    Message,
    answers,
    error,
    frame,
    raw,
    talk,
)

LEAVE: Message = (GOODBYE, b"")
LEFT: Message = (PARTED, b"")


def test_it_ends_the_session_until_the_next_greeting(counter: Path) -> None:
    got = talk(counter, [SESSION, LEAVE, (DESCRIBE, b"\0\0"), SESSION, (INFER, infer([VECTOR]))])
    assert got[1:3] == [LEFT, error(NOT_READY, BOOT_ID)]
    assert got[3][0] == WELCOME
    assert got[4] == result([VECTOR])


def test_it_needs_no_session(counter: Path) -> None:
    assert talk(counter, [LEAVE, LEAVE, (DESCRIBE, b"\0\0")]) == [LEFT, LEFT, error(NOT_READY, BOOT_ID)]


def test_it_needs_no_engine(counter: Path) -> None:
    assert talk(counter, [SESSION, LEAVE], PAYLOAD, 5)[1] == LEFT


def test_one_that_comes_again_is_answered_again(counter: Path) -> None:
    """Its answer was lost."""
    wire = frame(SESSION[0], 1, SESSION[1]) + 2 * frame(GOODBYE, 2)
    assert [(kind, number) for kind, number, _ in answers(raw(counter, wire))[1:]] == [(PARTED, 2), (PARTED, 2)]


@pytest.mark.parametrize("size", [1, 4, PAYLOAD])
def test_one_with_a_payload_ends_nothing(counter: Path, size: int) -> None:
    got = talk(counter, [SESSION, (GOODBYE, bytes(size)), (INFER, infer([VECTOR]))])
    assert got[1:] == [error(BAD_LENGTH, size), result([VECTOR])]
