"""A deadline only ever comes nearer, and never goes below zero."""

from __future__ import annotations

import time

from tinyhil.deadline import Deadline

LONG = 1e6
"""Seconds: longer than any test run."""


def test_a_deadline_ahead() -> None:
    before = time.monotonic()
    deadline = Deadline.after(LONG)
    assert before + LONG <= deadline.at <= time.monotonic() + LONG
    assert deadline.seconds == LONG
    assert 0 < deadline.remaining <= LONG
    assert not deadline.expired


def test_a_deadline_behind() -> None:
    deadline = Deadline(at=time.monotonic() - 1.0, seconds=5.0)
    assert deadline.remaining == 0.0
    assert deadline.expired
    assert deadline.within(3.0) == 0.0
    assert Deadline.after(0.0).expired


def test_a_step_of_a_wait_is_the_shorter_of_both() -> None:
    assert Deadline.after(LONG).within(3.0) == 3.0
    assert Deadline.after(LONG).within(2 * LONG) <= LONG


def test_it_can_be_put_off_as_far_as_was_said() -> None:
    fixed = Deadline(at=time.monotonic() - 1.0, seconds=5.0)
    fixed.renew()
    assert fixed.expired
    assert not fixed.renewed
    assert fixed.remaining_with(LONG) == 0.0

    deadline = Deadline(at=time.monotonic() - 1.0, seconds=5.0, most=8.0)
    assert 1.9 < deadline.remaining_with(LONG) <= 2.0
    deadline.renew()
    assert deadline.renewed
    assert deadline.seconds == 5.0
    assert 1.9 < deadline.remaining <= 2.0
    assert deadline.waited >= 6.0
