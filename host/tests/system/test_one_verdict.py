"""A recipe or a model has one verdict: the command line, a test's ``dut.check()`` and Python search the same inputs."""

from __future__ import annotations

import msgspec

import tinyhil as python
from tinyhil.compare.digest import digest
from tinyhil.compare.verdict import Report

from .cli import Cli
from .test_hil_plugin import run_pytest

TEST = """\
import msgspec
from pathlib import Path

def test_it(dut):
    dut.check()
    Path("plugin.json").write_bytes(msgspec.json.encode(dut.report))
"""


def test_command_line_plugin_and_python_agree(tinyhil: Cli, tiny_model: bytes) -> None:
    (tinyhil.cwd / "tiny.tflite").write_bytes(tiny_model)
    (tinyhil.cwd / "test_it.py").write_text(TEST)
    done = tinyhil("run", "tiny.tflite", "--target", "sim", "--json", "line.json")
    assert done.code == 0, done.out + done.err
    tested = run_pytest(tinyhil, "test_it.py", "--recipe=tiny.tflite", "--target", "sim", cwd=tinyhil.cwd)
    assert tested.returncode == 0, tested.stdout
    line, plugin = (
        msgspec.json.decode((tinyhil.cwd / f"{name}.json").read_bytes(), type=Report) for name in ("line", "plugin")
    )
    own = python.run(tinyhil.cwd / "tiny.tflite", target="sim", build_dir=tinyhil.cwd / "build")
    assert line.fidelity is not None
    assert line.fidelity.search is not None, "without being asked for, as the recipe says"
    assert line.fidelity.search.tried == 256
    assert digest(line) == digest(plugin) == digest(own)
