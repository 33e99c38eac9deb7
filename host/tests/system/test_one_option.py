"""A run option is added in one place, and is there in all of them: the acceptance of "options once"."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from tinyhil.options import fields
from tinyhil.session.recording import Recording

from .cli import Cli
from .planted import package_with

FIELD = '''    seconds: int | None = _option(
        7, "Planted: how long.", Level.ANSWERS, metavar="SECONDS", least=1
    )
    """How long."""
    build_dir: Path = _option('''
SIGNATURE = "import inspect, tinyhil; print(inspect.signature(tinyhil.run)); help(tinyhil.open_session)"


@pytest.fixture
def planted(tinyhil: Cli) -> Cli:
    """The command line with one option more: its field, and its keyword for type checkers, both in options.py."""
    host = package_with(tinyhil.cwd, "options.py", "    build_dir: Path = _option(", FIELD)
    package_with(
        tinyhil.cwd, "options.py", "    build_dir: str | Path\n", "    seconds: int | None\n    build_dir: str | Path\n"
    )
    return replace(tinyhil, python_path=(host,))


def python(cli: Cli, *arguments: str) -> str:
    """What Python prints with the planted package."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cli.cwd, env=cli.environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_on_the_command_line_in_pytest_in_python_and_in_a_recording(planted: Cli, tiny_model: bytes) -> None:
    assert "seconds" not in {field.name for field in fields()}
    out = planted("run", "--help").out
    assert "--seconds" in out
    assert "Planted: how long." in out
    assert "--seconds" not in planted("build", "--help").out, "its level is later"
    asked = python(planted, "-m", "pytest", "--help")
    assert "--seconds=SECONDS" in asked
    told = python(planted, "-c", SIGNATURE)
    assert "seconds: 'int | None' = 7" in told
    assert "    seconds: Planted: how long." in told
    (planted.cwd / "tiny.tflite").write_bytes(tiny_model)
    done = planted("run", "tiny.tflite", "--target", "sim", "--seconds", "9", "--record", "tiny.rec")
    assert done.code == 0, done.out + done.err
    recording = Recording(planted.cwd / "tiny.rec")
    recording.close()
    assert recording.header.options["seconds"] == 9
    code = "import tinyhil; tinyhil.run('tiny.tflite', target='sim', seconds=5, record='own.rec')"
    python(planted, "-c", code)
    recording = Recording(planted.cwd / "own.rec")
    recording.close()
    assert recording.header.options["seconds"] == 5
    refused = planted("run", "tiny.tflite", "--target", "sim", "--seconds", "0")
    assert refused.code == 2
