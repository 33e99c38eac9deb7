"""Nothing that comes from a device, a name or a file reaches a terminal as a command."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.cli import console
from tinyhil.cli.plain_console import PlainConsole
from tinyhil.errors import DeviceError
from tinyhil.plain_text import aligned, for_log, plain

RAW = "a\x1b[2Jb\x9b31mc\x07d\u202ee\x7ff\x1b]0;title\x07\n::error::g\r\n ::warning::h ##[add-mask]i\udcff"
COMMANDS = "\x00\x07\x08\x1b\x7f\x85\x9b\x9d\u202e\u2066\u2028\u061c\ud83d\udcff"


@given(st.text(st.characters() | st.sampled_from(COMMANDS)))
def test_what_is_left_of_a_text(text: str) -> None:
    shown = plain(text)
    assert not set(shown) & set(COMMANDS)
    assert plain(shown) == shown
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("a\n \t::add-mask::x", "a\n \t\\x3a:add-mask::x"),
        ("a\r\n\u3000::error file=b::c", "a\n\u3000\\x3a:error file=b::c"),
        ("a ##[error]b", r"a \x23#[error]b"),
        ("##vso[task.complete]", r"\x23#vso[task.complete]"),
        ("###teamcity[x", r"#\x23#teamcity[x"),
        ("what is styled otherwise: ##", r"what is styled otherwise: \x23#"),
        ("std::vector, a::b and ## [c]", "std::vector, a::b and ## [c]"),
    ],
)
def test_what_a_ci_system_would_obey_is_written_out(text: str, shown: str) -> None:
    assert for_log(text) == shown
    assert for_log(shown) == shown


@pytest.mark.parametrize("terminal", [True, False])
def test_a_console_shows_none_of_it(terminal: bool) -> None:
    stream = io.StringIO()
    shown = PlainConsole(file=stream, force_terminal=terminal, color_system="standard" if terminal else None, width=200)
    observer = console.ConsoleObserver(shown, verbose=True)
    console.show_error(shown, DeviceError(RAW, hint=RAW, detail=f"{RAW}\n{RAW}"), verbose=True)
    console.show_rows(shown, [(RAW, RAW)])
    observer.warning(RAW)
    with observer.stage("session") as reporter:
        reporter.text(RAW)
        reporter.command([RAW])
        reporter.progress(1, 2, RAW)
        observer.result(RAW, found=False)
    written = stream.getvalue()
    assert r"\x1b[2J" in written
    for command in ("\x1b[2J", "\x9b", "\x07", "\u202e", "\x7f", "\x1b]0"):
        assert command not in written
    lines = re.sub("\x1b.*?m", "", written).splitlines()
    assert not [line for line in lines if line.lstrip().startswith("::")]
    assert "##[" not in written
    assert r"\x3a:error::g" in written
    written.encode()
    assert ("\x1b[" in written) == terminal  # our own styles stay


def test_columns_stand_below_each_other() -> None:
    rows = [("name", "bytes", ""), ("a", "7", "x"), ("long one", "1,024", "")]
    assert list(aligned(rows, (1,))) == ["name      bytes", "a             7  x", "long one  1,024"]
    assert list(aligned([])) == []
