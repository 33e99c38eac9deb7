"""The pytest plugin as a user of it has it: another pytest process, with the shipped hardware-in-the-loop tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyhil.artifacts import store

from .cli import REPOSITORY, Cli


def run_pytest(cli: Cli, *arguments: str | Path, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    plugin = ["-p", "tinyhil.pytest_plugin"] if not _installed() else []
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *map(str, arguments)],
        cwd=cwd,
        env=cli.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def _installed() -> bool:
    """Whether the plugin's entry point is known to this Python; registering it twice is an error."""
    from importlib.metadata import entry_points

    return any(entry.value == "tinyhil.pytest_plugin" for entry in entry_points(group="pytest11"))


@pytest.mark.long
def test_they_pass_on_the_emulator(tinyhil: Cli, made: Path) -> None:
    done = run_pytest(tinyhil, "hil_tests", "--target", "qemu-m4", "--build-dir", made)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d\d passed, \d skipped in", done.stdout)


def test_without_qemu_they_are_errors_and_not_passed(
    tinyhil: Cli, copied: Path, path_without: Callable[..., str]
) -> None:
    cli = replace(tinyhil, path=path_without("qemu-system-arm"))
    done = run_pytest(cli, "hil_tests", "--target", "qemu-m4", "--build-dir", copied)
    assert done.returncode == 1
    assert re.search(r"blocked: qemu-system-arm is not installed, .* \(TH-\d+\); next: sudo", done.stdout)
    assert re.search(r"= \d\d errors in", done.stdout)


def test_blocked_is_a_skip_where_that_is_asked_for(
    tinyhil: Cli, copied: Path, path_without: Callable[..., str]
) -> None:
    cli = replace(tinyhil, path=path_without("qemu-system-arm"))
    done = run_pytest(cli, "hil_tests", "--target", "qemu-m4", "--build-dir", copied, "--blocked-is-skip")
    assert "blocked: qemu-system-arm is not installed" in done.stdout
    assert re.search(r"= \d\d skipped in", done.stdout)


@pytest.mark.parametrize("option", [("--target", "absent"), ("--recipe", "absent")])
def test_a_wrong_option_is_an_error(tinyhil: Cli, option: tuple[str, str]) -> None:
    done = run_pytest(tinyhil, "hil_tests", *option)
    assert done.returncode == 1
    assert "unknown" in done.stdout
    assert "passed" not in done.stdout


def test_a_path_that_hides_the_settings_is_refused(tinyhil: Cli, tmp_path: Path) -> None:
    """Pytest takes it for a test's, because it looks for its settings before it knows our options."""
    firmware = tmp_path / "elsewhere" / "firmware.elf"
    firmware.parent.mkdir()
    firmware.touch()
    done = run_pytest(tinyhil, "--firmware", firmware, cwd=tmp_path)
    assert done.returncode == 4
    assert f"write --firmware={firmware}" in done.stderr


def test_a_device_that_computes_something_else_fails_them(tinyhil: Cli, copied: Path) -> None:
    """The reference is changed by one LSB, and its artifact is sealed anew: the device is then wrong."""
    folder = copied / "sine/model/int8"
    said = json.loads((folder / store.MANIFEST).read_text())
    with np.load(folder / "reference.npz") as stored:
        reference = stored["reference_0"]
    reference[7] ^= 1
    np.savez(folder / "reference.npz", reference_0=reference)
    store.save(folder, said["stage"], said["key"], tuple(said["files"]), said["facts"])
    done = run_pytest(tinyhil, "hil_tests", "--build-dir", copied)
    assert done.returncode == 1
    assert "FAILED hil_tests/test_inference.py::test_every_output_is_exact" in done.stdout
    assert "FAILED hil_tests/test_inference.py::test_the_verdict_is_pass" in done.stdout
    assert "1 of 256 outputs wrong" in done.stdout
