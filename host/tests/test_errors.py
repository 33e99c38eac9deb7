"""The error tree is the one that its module draws."""

from __future__ import annotations

import inspect
import re

import pytest

from tinyhil import errors, kinds
from tinyhil.errors import ExitCode, TinyhilError

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, TinyhilError)]


def drawn() -> dict[str, str]:
    """Parent by child, as the tree in the docstring shows them: each level is four columns deeper."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        match = re.match(r"( {4}[ │├└─]*)(\w+Error)\b", line)
        if match:
            depth = (len(match[1]) - 4) // 4
            path = [*path[:depth], match[2]]
            if depth:
                parents[match[2]] = path[depth - 1]
    return parents


def test_the_tree_is_as_drawn() -> None:
    bases = {kind.__name__: kind.__base__.__name__ for kind in CLASSES if kind is not TinyhilError and kind.__base__}
    assert len(bases) > 5
    assert drawn() == bases


@pytest.mark.parametrize("kind", CLASSES)
def test_what_the_user_gave_exits_with_2_and_a_blocked_run_with_3(kind: type[TinyhilError]) -> None:
    expected = ExitCode.USAGE if issubclass(kind, errors.InputError) else ExitCode.BLOCKED
    assert kind("cause").exit_code is expected


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_carries_cause_hint_and_detail(kind: type[TinyhilError]) -> None:
    error = kind("cause", hint="next step", detail="evidence")
    assert str(error) == error.message == "cause"
    assert (error.hint, error.detail) == ("next step", "evidence")
    assert (kind("cause").hint, kind("cause").detail) == (kind.kind.steps[0], "")


def test_what_quotes_a_whole_file_is_shortened() -> None:
    error = errors.ConfigError(f"begin {'x' * 10**6} end", hint="y" * 10**6)
    assert error.message.startswith("begin x")
    assert error.message.endswith("x end")
    assert "(998,010 characters left out)" in str(error)
    assert max(len(error.message), len(error.hint)) < 2100
    assert errors.ConfigError("x" * 2000).message == "x" * 2000


def test_a_narrower_kind_is_that_of_one_error_only() -> None:
    assert errors.ConfigError("cause", kind=kinds.SAMPLES).kind is kinds.SAMPLES
    assert errors.ConfigError("cause").kind is kinds.CONFIG


def test_the_exit_codes_are_those_that_users_rely_on() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "PASS": 0,
        "FAIL": 1,
        "USAGE": 2,
        "BLOCKED": 3,
        "FAULT": 4,
        "INTERRUPTED": 128 + 2,  # a shell's word for SIGINT
    }
