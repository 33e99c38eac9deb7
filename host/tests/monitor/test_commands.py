"""What the device of a monitor can be told to do, at a real one."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tinyhil.cli.monitor_commands import reset_of
from tinyhil.cli.monitor_ports import Opened, open_ports
from tinyhil.cli.session import Output
from tinyhil.errors import ConfigError
from tinyhil.options import Options
from tinyhil.stream.events import Changed, State
from tinyhil.stream.source import PortSource
from tinyhil.transport import owner

PATIENCE_S = 60.0


@pytest.fixture
def opened(
    tiny_model: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child_environment: dict[str, str]
) -> Iterator[Opened]:
    """A device of the target ``sim``, listened to."""
    monkeypatch.chdir(tmp_path)
    for name, value in child_environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "tiny.tflite").write_bytes(tiny_model)
    np.savez(tmp_path / "samples.npz", x=np.arange(12.0).reshape(4, 3))
    with (tmp_path / "said.txt").open("w") as said:
        output = Output(Console(file=said), Console(file=said), None, verbose=False)
        options = Options(target="sim", samples=Path("samples.npz"), flash=True)
        with open_ports(output, options, "tiny.tflite", [], None, (None, None)) as found:
            yield found


def until_open(source: Any) -> None:
    ends = time.monotonic() + PATIENCE_S
    while source.state is not State.OPEN:
        assert time.monotonic() < ends, source.said
        source.wait(0.05)


@pytest.mark.long
def test_reset_demo_verify_and_flash(opened: Opened) -> None:
    (source,) = opened.sources
    assert isinstance(source, PortSource)
    assert opened.ask is not None
    (before,) = opened.ask("1 2 3")
    until_open(source)
    terminal = owner.lock_file(source.address)
    (told,) = opened.commands["reset"]()
    until_open(source)
    assert source.address in told
    assert owner.lock_file(source.address) != terminal, "another terminal, perhaps with the number of the first"
    assert list(opened.commands["demo"]()) == ["the device is back at its demo"]
    until_open(source)
    (after,) = opened.ask("1 2 3")
    until_open(source)
    np.testing.assert_array_equal(before.device, after.device)
    with pytest.raises(ConfigError, match="was started here"):
        next(opened.commands["flash"]())
    source.take()
    lines = list(opened.commands["verify"]())
    assert any("PASS" in line for line in lines), lines
    until_open(source)
    states = [event.state for event in source.take() if isinstance(event, Changed)]
    assert states == [State.LENT, State.OPEN], "it is this device that was verified"


def test_a_port_without_control_lines_says_so() -> None:
    master, cable = os.openpty()
    tty.setraw(cable)
    with PortSource(os.ttyname(cable)) as source:
        assert list(reset_of(source)()) == []
        ends = time.monotonic() + PATIENCE_S
        told: list[str] = []
        while not any("control lines" in text for text in told):
            assert time.monotonic() < ends
            source.wait(0.05)
            told += [event.text for event in source.take() if isinstance(event, Changed)]
        assert source.state is State.OPEN
    os.close(master)
    os.close(cable)
