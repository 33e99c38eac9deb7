"""Textual takes a third of a second to import: only the full screen does."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import contextlib, io, json, sys
from tinyhil.cli.app import application
for arguments in json.loads(sys.argv[1]):
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        application(arguments)(arguments)
print(json.dumps(sorted({"textual", "textual_plot", "textual_serve", "aiohttp"} & set(sys.modules))))
"""
COMMANDS = (
    ["--help"],
    ["monitor", "--help"],
    ["monitor", "--plain"],
    ["monitor", "--port", "/dev/none"],
    ["ask", "--help"],
    ["explain", "TH-210"],
)


def test_only_the_screen_imports_what_draws_it(child_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(COMMANDS)],
        env=child_environment,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert json.loads(done.stdout) == [], done.stderr
    assert "no port is named" in done.stderr or "neither a port nor a model" in done.stderr
