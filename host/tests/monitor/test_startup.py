"""Textual takes a third of a second to import: only the full screen does. What keeps it from being shown."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from tinyhil.cli import monitor
from tinyhil.errors import MissingToolError

PROGRAM = """
import contextlib, io, json, sys
from tinyhil.cli.app import application
ended = []
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            application(arguments)(arguments)
        except SystemExit as end:
            ended.append(end.code)
print(json.dumps([ended, sorted({"textual", "textual_plot", "textual_serve", "aiohttp"} & set(sys.modules))]))
"""
COMMANDS: tuple[tuple[list[str], int], ...] = (
    (["--help"], 0),
    (["monitor", "--help"], 0),
    (["ask", "--help"], 0),
    (["explain", "TH-210"], 0),
    (["monitor", "--plain"], 2),
    (["monitor", "sine", "--web", "--plain"], 2),
    (["monitor", "sine", "--web", "--until", "x"], 2),
    (["monitor", "sine", "--web-port", "8000"], 2),
    (["monitor", "--plain", "--port", "/dev/none"], 3),
)


def test_only_the_screen_imports_what_draws_it(child_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([command for command, _ in COMMANDS])],
        env=child_environment,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    codes, imported = json.loads(done.stdout)
    assert codes == [code for _, code in COMMANDS], done.stderr
    assert imported == []


def test_what_is_missing_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    present = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if "_serve" in name else present(name))
    monitor._require("the full screen", "textual", "textual-plot")
    with pytest.raises(MissingToolError, match="needs the package textual-serve") as raised:
        monitor._require("the page", "textual", "textual-serve")
    assert "pip install 'tinyhil[monitor]'" in raised.value.hint
