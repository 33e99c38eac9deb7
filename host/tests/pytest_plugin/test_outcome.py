"""What becomes of a test whose soft checks have found something, however it ends itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tinyhil.errors import DeviceError
from tinyhil.pytest_plugin.dut import Dut
from tinyhil.pytest_plugin.outcome import SOFT, blocked_is_told, pytest_runtest_call
from tinyhil.pytest_plugin.soft import Soft


def ended(soft: Soft | None, how: BaseException | None) -> Any:
    """Runs the hook around a test that ends with an exception, or with the result 7."""
    stash = pytest.Stash()
    if soft is not None:
        stash[SOFT] = soft
    item: Any = SimpleNamespace(stash=stash)
    hook = pytest_runtest_call(item)
    next(hook)
    try:
        if how is None:
            hook.send(7)
        else:
            hook.throw(how)
    except StopIteration as done:
        return done.value


def outcome(kind: Any, text: str) -> BaseException:
    """What ``pytest.fail`` or ``pytest.skip`` raises."""
    with pytest.raises(kind.Exception) as raised:
        kind(text)
    error: BaseException = raised.value
    return error


@pytest.fixture
def soft() -> Soft:
    """Checks of which two have failed."""
    checks = Soft(None)  # type: ignore[arg-type]  # no answers are compared here
    assert not checks.that(0, "one is wrong")
    assert checks.that(1, "this is right")
    assert not checks.that([], "two is wrong")
    return checks


def test_without_findings_nothing_changes() -> None:
    for checks in (None, Soft(None)):  # type: ignore[arg-type]
        assert ended(checks, None) == 7
        for how in (outcome(pytest.fail, "no"), outcome(pytest.skip, "no"), ValueError("no"), KeyboardInterrupt()):
            with pytest.raises(type(how)) as raised:
                ended(checks, how)
            assert raised.value is how
            assert not getattr(how, "__notes__", [])


@pytest.mark.parametrize("kind", [None, pytest.fail, pytest.skip])
def test_findings_fail_a_test_that_passed_failed_or_was_skipped(soft: Soft, kind: Any) -> None:
    with pytest.raises((pytest.fail.Exception, pytest.skip.Exception)) as raised:
        ended(soft, None if kind is None else outcome(kind, "its own words"))
    assert raised.type is pytest.fail.Exception
    assert raised.value.msg == "one is wrong\n\ntwo is wrong" + ("" if kind is None else "\n\nits own words")


RAW = "a\x1b[2J\n::error::b ##[error]c\x9b\u202e"


def _commands(text: str | None) -> list[str]:
    lines = (text or "").splitlines()
    assert len(lines) > 1
    assert text is not None
    assert not set(text) & set("\x1b\x9b\u202e")
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def test_nothing_that_a_terminal_or_a_ci_system_obeys_is_in_a_message() -> None:
    checks = Soft(None)  # type: ignore[arg-type]
    checks.that(0, RAW)
    with pytest.raises(pytest.fail.Exception) as raised:
        ended(checks, None)
    assert _commands(raised.value.msg) == []
    for skips, kind in ((True, pytest.skip), (False, pytest.fail)):
        config: Any = SimpleNamespace(option=SimpleNamespace(blocked_is_skip=skips))
        with pytest.raises(kind.Exception) as blocked, blocked_is_told(config):
            raise DeviceError(RAW, hint=RAW, detail=RAW)
        assert _commands(blocked.value.msg) == []
    run: Any = SimpleNamespace(fidelity=SimpleNamespace(max_lsb=0))
    dut: Any = SimpleNamespace(
        report=SimpleNamespace(verdict="fail", summary=RAW), answers=(), run=run, diff=lambda *_: RAW
    )
    with pytest.raises(pytest.fail.Exception) as raised:
        Dut.check(dut)
    assert _commands(raised.value.msg) == []


def test_findings_are_added_to_an_assertion_that_failed(soft: Soft) -> None:
    error = AssertionError("its own")
    with pytest.raises(AssertionError) as raised:
        ended(soft, error)
    assert raised.value is error
    assert error.__notes__ == ["before that:\none is wrong\n\ntwo is wrong"]


def test_an_interrupt_stays_one(soft: Soft) -> None:
    with pytest.raises(KeyboardInterrupt):
        ended(soft, KeyboardInterrupt())
