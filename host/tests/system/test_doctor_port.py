"""``tinyhil doctor --port``: the bench as it is, with a real device at its end, and through the fault proxy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tinyhil import kinds
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import ExitCode
from tinyhil.proxy import FaultProxy, Faults
from tinyhil.targets import registry

from .cli import Cli
from .test_demo import PATIENCE

CHECKS = ["permissions", "ids", "port", "control lines", "handshake", "boot", "bytes", "longest frame", "line"]
FAULTS = [
    ("line: damaged", Faults(bit_flip=0.0002)),
    ("line: lost", Faults(drop_frame=0.04)),
    ("line: double", Faults(duplicate_frame=0.2)),
    ("line: inserted", Faults(insert_garbage=0.2)),
    ("line: broken", Faults(disconnect_every=30)),
]
"""Mild ones: each frame that is lost takes time. host/tests/pipeline/test_port_check.py has all faults."""


@pytest.fixture
def port(sine_on: Callable[..., Path]) -> Iterator[str]:
    """Of a running ``native`` with the sine."""
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    emulator = registry.get("native").emulator
    assert emulator is not None
    with EmulatorDevice(emulator) as device:
        yield device.start(sine_on("native") / "sine/native/firmware/firmware.elf", Deadline.after(PATIENCE))


def checked(tinyhil: Cli, port: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Exit code, what was found at the port by the name of the check, and what was printed."""
    done = tinyhil("doctor", "--target", "native", "--port", port, "--json", "out.json")
    listed = json.loads((tinyhil.cwd / "out.json").read_text())
    return done.code, {each["name"]: each for each in listed if "state" in each}, done.out


@pytest.mark.long
def test_a_sound_bench(tinyhil: Cli, port: str) -> None:
    code, found, printed = checked(tinyhil, port)
    assert code == ExitCode.PASS, printed
    assert list(found) == [*CHECKS, "goodput", "resets"]
    assert {name for name, each in found.items() if each["state"] == "skipped"} == {"ids"}, "it is no USB port"
    assert {each["state"] for each in found.values()} <= {"ok", "warning", "skipped"}
    assert [name for name in found if name not in printed] == []


@pytest.mark.long
@pytest.mark.parametrize(("name", "faults"), FAULTS)
def test_a_fault_is_named_with_what_to_do(tinyhil: Cli, port: str, name: str, faults: Faults) -> None:
    with FaultProxy(port, faults, seed=5) as proxy:
        code, found, printed = checked(tinyhil, proxy.port)
    assert name in found, printed
    fault = found[name]
    assert fault["state"] in ("failed", "warning")
    assert fault["next_step"] in printed
    assert not fault["id"] or kinds.of_id(fault["id"])
    if fault["state"] == "failed":
        assert code == ExitCode.BLOCKED
