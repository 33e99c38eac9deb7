"""The silent reporter can stand wherever a reporter is wanted."""

from __future__ import annotations

import inspect

import pytest

from tinyhil.progress import Reporter, Silent


def test_silent_takes_what_a_reporter_takes(capsys: pytest.CaptureFixture[str]) -> None:
    reporter: Reporter = Silent()  # mypy sees that it fits; this sees that it does nothing
    reporter.progress(1, 2, "note")
    reporter.command(["a", "b"])
    reporter.text("line")
    assert capsys.readouterr() == ("", "")


def test_both_say_the_same_methods() -> None:
    public = {name for name, value in vars(Reporter).items() if inspect.isfunction(value) and not name.startswith("_")}
    assert len(public) == 3
    for name in public:
        assert inspect.signature(vars(Silent)[name]) == inspect.signature(vars(Reporter)[name])
