"""Whatever tinyhil does not foresee ends with exit code 4, and never with 1, which is a verdict."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from .cli import Cli
from .planted import package_with

FAULTS = {
    "in a command": ("cli/listings.py", "from tinyhil.config import recipe as known", "1 / 0"),
    "where a command is imported": ("cli/listings.py", "from __future__ import annotations", "import no_such_module"),
    "in a callback": ("cli/app.py", "    if wanted:\n", "    int('seven')\n    if wanted:\n"),
    "a library that exits": ("cli/listings.py", "from tinyhil.config import recipe as known", "raise SystemExit(1)"),
    "a library that wants input": ("cli/listings.py", "from tinyhil.config import recipe as known", "input()"),
    "memory": ("cli/listings.py", "from tinyhil.config import recipe as known", "raise MemoryError"),
    "not even an Exception": (
        "cli/listings.py",
        "from tinyhil.config import recipe as known",
        "import asyncio; raise asyncio.CancelledError('gone')",
    ),
}
RAW = "raise RuntimeError('a' + chr(27) + '[2J' + chr(0xdcff))"
CAUSES = {
    "in a command": "ZeroDivisionError: division by zero (listings.py:",
    "where a command is imported": "ModuleNotFoundError: No module named 'no_such_module' (listings.py:",
    "in a callback": "ValueError: invalid literal for int() with base 10: 'seven' (app.py:",
    "a library that exits": "SystemExit: 1 (listings.py:",
    "a library that wants input": "EOFError: EOF when reading a line (listings.py:",
    "memory": "MemoryError (listings.py:",
    "not even an Exception": "CancelledError: gone (listings.py:",
}


@pytest.fixture(autouse=True)
def _cache(tinyhil: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Crash reports lie beside the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tinyhil.cwd / "cache"))


@pytest.mark.parametrize("place", FAULTS)
def test_what_is_not_foreseen(tinyhil: Cli, place: str) -> None:
    planted = replace(tinyhil, python_path=(package_with(tinyhil.cwd, *FAULTS[place]),))
    done = planted("recipes")
    assert done.code == 4, done.out + done.err
    first, second, third = done.err.splitlines()
    assert first.startswith(f"error TH-900: a fault of tinyhil: {CAUSES[place]}")
    assert third.startswith("next:  Please report it with the crash report")
    report = Path(second.removeprefix("crash report: "))
    assert report.parent == tinyhil.cwd / "cache/tinyhil/crashes"
    written = report.read_text()
    assert "command  tinyhil recipes\n" in written or place == "in a callback"
    assert f"package  tinyhil {version('tinyhil')}" in written
    assert "Traceback (most recent call last):" in written
    assert CAUSES[place].partition(" (")[0].partition(":")[0] in written


def test_a_crash_report_says_nothing_raw_and_is_kept_somewhere(tinyhil: Cli) -> None:
    planted = package_with(tinyhil.cwd, "cli/listings.py", "from tinyhil.config import recipe as known", RAW)
    (tinyhil.cwd / "cache").write_text("no folder")
    done = replace(tinyhil, python_path=(planted,))("recipes")
    assert done.code == 4
    assert "\x1b" not in done.err
    assert r"\x1b[2J\udcff" in done.err
    report = Path(done.err.splitlines()[1].removeprefix("crash report: "))
    assert "\x1b" not in report.read_text()
    report.unlink()


def test_a_fault_stays_one_where_nothing_can_be_said_of_it(tinyhil: Cli) -> None:
    planted = package_with(tinyhil.cwd, *FAULTS["in a command"])
    told = planted / "tinyhil/cli/crash.py"
    told.unlink()
    told.write_text("1 / 0\n")
    assert replace(tinyhil, python_path=(planted,))("recipes").code == 4


def test_the_traceback_is_shown_when_it_is_wanted(tinyhil: Cli) -> None:
    planted = package_with(
        tinyhil.cwd, "api/runs.py", "    named, chosen = memory", "    1 / 0\n    named, chosen = memory"
    )
    done = replace(tinyhil, python_path=(planted,))("run", "sine", "--verbose")
    assert done.code == 4
    assert "Traceback (most recent call last):" in done.err
    assert "error TH-900" in done.err.splitlines()[-3]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            "cli/listings.py",
            "from __future__ import annotations",
            "from __future__ import annotations\nraise KeyboardInterrupt",
        ),
        ("cli/app.py", "    if wanted:\n", "    raise KeyboardInterrupt\n    if wanted:\n"),
    ],
)
def test_an_interrupt_is_130_wherever_it_comes(tinyhil: Cli, file: str, old: str, new: str) -> None:
    planted = package_with(tinyhil.cwd, file, old, new)
    assert replace(tinyhil, python_path=(planted,))("recipes").code == 130


def closed_early(cli: Cli, *arguments: str) -> int:
    """The exit code of a command whose output nobody reads."""
    reads, writes = os.pipe()
    os.close(reads)
    child = subprocess.Popen(
        [sys.executable, "-m", "tinyhil", *arguments], cwd=cli.cwd, env=cli.environment(), stdout=writes, stderr=writes
    )
    os.close(writes)
    return child.wait(timeout=300)


@pytest.mark.long
def test_the_verdict_s_code_is_kept_where_nobody_reads_the_output(tinyhil: Cli, tiny_model: bytes) -> None:
    (tinyhil.cwd / "tiny.tflite").write_bytes(tiny_model)
    assert closed_early(tinyhil, "run", "tiny.tflite", "--target", "sim", "--json", "out.json") == 0
    np.savez(tinyhil.cwd / "same.npz", x=np.zeros((20, 3)))
    failing = ("--target", "sim", "--samples", "same.npz", "--strict")
    assert closed_early(tinyhil, "run", "tiny.tflite", *failing) == 1
    assert closed_early(tinyhil, "report", "tiny.tflite", "--target", "sim") == 1
    assert closed_early(tinyhil, "report", "tiny.tflite", "--target", "sim", "--json", "-") == 1
    assert closed_early(tinyhil, "report", "tiny.tflite", "--target", "sim", "--json", "/dev/stdout") == 1
    assert closed_early(tinyhil, "run", "cosine") == 2
    assert closed_early(tinyhil, "--help") == 0


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_change_nothing(tinyhil: Cli, tiny_model: bytes, closed: str) -> None:
    """The next pipe would get the number of one, and be taken for it."""
    (tinyhil.cwd / "tiny.tflite").write_bytes(tiny_model)
    assert shell(tinyhil, f"run tiny.tflite --target sim --json out.json {closed}")[0] == 0
    assert json.loads((tinyhil.cwd / "out.json").read_text())["verdict"] == "pass"


def test_what_is_printed_and_has_no_space(tinyhil: Cli) -> None:
    """Of what goes to standard output nothing may be lost unnoticed; who fills the disk with errors keeps the code."""
    for command in ("recipes --json -", "--version"):
        code, said = shell(tinyhil, f"{command} >/dev/full")
        assert code == 3
        assert (
            "error TH-220: cannot write standard output: No space left on device\n"
            "next:  free some space where it leads to\n"
        ) in said
    assert shell(tinyhil, "run cosine >/dev/full 2>/dev/full") == (2, "")


def shell(cli: Cli, line: str) -> tuple[int, str]:
    """The exit code of a command in a shell, and what it says on standard error."""
    command = f"exec {shlex.quote(sys.executable)} -m tinyhil {line}"
    done = subprocess.run(["sh", "-c", command], cwd=cli.cwd, env=cli.environment(), capture_output=True, text=True)
    return done.returncode, done.stderr


def test_explain(tinyhil: Cli) -> None:
    done = tinyhil("run", "cosine")
    assert done.err.startswith("error TH-111: unknown recipe 'cosine'")
    told = tinyhil("explain", "TH-111", "--json", "out.json")
    assert told.code == 0
    assert told.out.startswith("TH-111  An unknown name\n")
    assert "\nnext:  " in told.out
    assert json.loads((tinyhil.cwd / "out.json").read_text())["exit_code"] == 2
    assert {line[:6] for line in tinyhil("explain").out.splitlines()} >= {"TH-111", "TH-900"}
    assert tinyhil("explain", "TH-999").code == 2
