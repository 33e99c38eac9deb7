"""The server and the rate of its line: when it goes over, and when it goes back by itself.

Only of the firmware: the target ``sim`` has no line. The driver writes each change as a line of text, and lets 400 ms
pass for each letter ``T`` between frames.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from tinyhil.link.line_rate import RATE_QUIET_MS, RATE_TRIAL_MS

from .counter_model import VECTOR, infer, result
from .wire import (
    BAUD,
    DESCRIBE,
    GOODBYE,
    HELLO,
    INFER,
    NOT_READY,
    PARTED,
    SESSION,
    SWITCHED,
    TENSOR,
    USAGE,
    WELCOME,
    answers,
    error,
    frame,
    raw,
)

FAST = 921_600
TURN_MS = 400
TRIAL, QUIET = RATE_TRIAL_MS // TURN_MS + 1, RATE_QUIET_MS // TURN_MS
"""Turns after which the device is back."""


def baud(rate: int) -> tuple[int, bytes]:
    return BAUD, struct.pack("<I", rate)


def said(counter_firmware: Path, *steps: tuple[int, bytes] | int, status: int = 0, most: int = FAST) -> list[str | int]:
    """What the device does: the types of its answers and the rates that it sets, in order; a number is turns."""
    wire = frame(*(SESSION[0], 1), SESSION[1])
    for number, step in enumerate(steps, 2):
        wire += b"T" * step if isinstance(step, int) else frame(step[0], number, step[1])
    found: list[str | int] = []
    for text, chunk in re.findall(
        rb"rate (\d+)\n|(\0[^\0]+\0)", raw(counter_firmware, wire, 128, status, 1_000_000, most)
    ):
        if chunk:
            found.append(answers(chunk)[0][0])
        else:
            found.append(f"rate {text.decode()}")
    return found[1:]


def test_it_goes_over_when_the_answer_has_left(counter_firmware: Path) -> None:
    assert said(counter_firmware, baud(FAST), (USAGE, b"")) == [SWITCHED, f"rate {FAST}", 0x88]


@pytest.mark.parametrize(("rate", "told"), [(FAST, FAST), (FAST + 1, 0), (0, 0), (0xFFFFFFFF, 0), (2, 2)])
def test_it_says_what_it_goes_over_to(counter_firmware: Path, rate: int, told: int) -> None:
    written = raw(
        counter_firmware, frame(*(HELLO, 1), b"\1\1") + frame(BAUD, 2, baud(rate)[1]), 128, 0, 1_000_000, FAST
    )
    _, (kind, _, payload) = answers(re.sub(rb"rate \d+\n", b"", written))
    assert (kind, payload) == (SWITCHED, struct.pack("<I", told))
    assert (b"rate " in written) == bool(told)


def test_a_port_that_does_not_go_over_after_all_is_left_as_it_is(counter_firmware: Path) -> None:
    assert said(counter_firmware, baud(1), 2 * QUIET) == [SWITCHED, "rate 1"], "the driver's port refuses 1 bit/s"


def test_before_the_first_frame_it_is_back_soon(counter_firmware: Path) -> None:
    assert said(counter_firmware, baud(FAST), TRIAL - 1) == [SWITCHED, f"rate {FAST}"]
    assert said(counter_firmware, baud(FAST), 2 * QUIET) == [SWITCHED, f"rate {FAST}", "rate 0"]


def test_once_a_frame_has_come_it_is_back_later(counter_firmware: Path) -> None:
    proven = [SWITCHED, f"rate {FAST}", 0x88]
    assert said(counter_firmware, baud(FAST), (USAGE, b""), QUIET - 1) == proven
    assert said(counter_firmware, baud(FAST), (USAGE, b""), QUIET) == [*proven, "rate 0"]
    assert said(counter_firmware, baud(FAST), (USAGE, b""), QUIET - 1, (USAGE, b""), QUIET - 1) == [*proven, 0x88]


def test_noise_is_no_frame(counter_firmware: Path) -> None:
    wire = frame(*(HELLO, 1), b"\1\1") + frame(BAUD, 2, baud(FAST)[1]) + frame(USAGE, 3)
    noise = b"".join(bytes([1, 2, 3, 0]) + b"T" for _ in range(QUIET))
    written = raw(counter_firmware, wire + noise, 128, 0, 1_000_000, FAST)
    assert written.endswith(b"rate 0\n")


def test_the_session_and_its_last_answer_outlive_the_return(counter_firmware: Path) -> None:
    after = said(counter_firmware, baud(FAST), (DESCRIBE, b"\0\0"), QUIET, (DESCRIBE, b"\0\1"))
    assert after == [SWITCHED, f"rate {FAST}", TENSOR, "rate 0", TENSOR]


def test_what_was_carried_out_is_not_carried_out_again(counter_firmware: Path) -> None:
    again = frame(INFER, 9, infer([VECTOR]))
    wire = frame(*(HELLO, 1), b"\1\1") + frame(BAUD, 2, baud(FAST)[1]) + again + b"T" * QUIET + again
    written = raw(counter_firmware, wire, 128, 0, 1_000_000, FAST)
    *_, before, after = answers(re.sub(rb"rate \d+\n", b"", written))
    assert before == after
    assert before[0] == result([VECTOR])[0]


def test_a_question_that_came_to_nothing_is_carried_out_again(counter_firmware: Path) -> None:
    """SWITCHED was lost: the host repeats BAUD under its number when the device is back."""
    question = frame(BAUD, 9, baud(FAST)[1])
    wire = frame(*(HELLO, 1), b"\1\1") + question + b"T" * TRIAL + question + question
    written = raw(counter_firmware, wire, 128, 0, 1_000_000, FAST)
    assert written.count(f"rate {FAST}\n".encode()) == 2, "the third one has its answer kept"


def test_the_first_rate_can_be_asked_for(counter_firmware: Path) -> None:
    assert said(counter_firmware, baud(FAST), baud(0), 2 * QUIET) == [SWITCHED, f"rate {FAST}", SWITCHED, "rate 0"]


def test_a_goodbye_is_answered_at_the_rate_and_brings_the_first_one(counter_firmware: Path) -> None:
    """Whoever opens the port next is at the first rate; and where PARTED was lost, so is the host soon."""
    leaves = said(counter_firmware, baud(FAST), (USAGE, b""), (GOODBYE, b""), 2 * QUIET, (GOODBYE, b""))
    assert leaves == [SWITCHED, f"rate {FAST}", 0x88, PARTED, "rate 0", PARTED]
    assert said(counter_firmware, baud(FAST), (GOODBYE, b"")) == [SWITCHED, f"rate {FAST}", PARTED, "rate 0"]
    assert said(counter_firmware, (GOODBYE, b""), 2 * QUIET) == [PARTED], "it is at its first rate"


def test_a_greeting_keeps_the_rate(counter_firmware: Path) -> None:
    assert said(counter_firmware, baud(FAST), SESSION, QUIET - 1) == [SWITCHED, f"rate {FAST}", WELCOME]


def test_it_needs_a_session_and_no_model(counter_firmware: Path) -> None:
    assert said(counter_firmware, baud(FAST), (DESCRIBE, b"\0\0"), status=7) == [SWITCHED, f"rate {FAST}", 0xFF]
    written = raw(counter_firmware, frame(BAUD, 1, baud(FAST)[1]), 128, 0, 1_000_000, FAST)
    assert answers(written) == [(0xFF, 1, error(NOT_READY, 0xB007B007)[1])]
