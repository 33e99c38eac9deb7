"""The end of a session, end to end: the firmware with its demo as a process, which no silence brings back here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.progress import Silent
from tinyhil.proxy import FaultProxy
from tinyhil.session import Identity, PortLines, Session, open_session
from tinyhil.session.ask import ask
from tinyhil.transport import open_transport

from .test_line_rate import FAST, NATIVE, PATIENCE, WIRE, Said

SPEC = TensorSpec("copy", DType.INT8, (1, 1), 1.0, 0)
IDENTITY = Identity("00" * 32, "00" * 32, (SPEC,), (SPEC,))
LINE = re.compile(rb"x:(\d+)\.0000 y:(\d+)\.0000\r?")


@pytest.fixture
def port(demo_firmware: Path) -> Iterator[str]:
    """The firmware, running."""
    assert NATIVE.emulator is not None
    with EmulatorDevice(NATIVE.emulator) as device:
        yield device.start(demo_firmware, Deadline.after(PATIENCE))
        device.check()


def opened(port: str, *, stays: bool = True, max_baud: int = 0, reporter: Silent | None = None) -> Session:
    lines = PortLines(port, NATIVE.link.baud, max_baud=max_baud, stays=stays)
    return open_session(lines, IDENTITY, NATIVE, lambda: None, reporter or Silent())


def monitored(port: str, seconds: float = PATIENCE, count: int = 5) -> list[int]:
    """The x of so many lines, as a serial monitor at the first rate shows them; fewer if no more came in time."""
    said = b""
    with closing(open_transport(port, baud=NATIVE.link.baud, deadline=Deadline.after(PATIENCE))) as line:
        patience = Deadline.after(seconds)
        while said.count(b"\n") <= count and not patience.expired:
            said += line.read(256, patience.remaining)
    found = [LINE.fullmatch(each) for each in said.split(b"\n")[1:-1]]  # the first may be the rest of one
    assert None not in found, said
    return [int(each[1]) for each in found if each is not None]


def goes_on(steps: list[int]) -> bool:
    return len(steps) >= 5 and all((one + 1) % 100 == other for one, other in pairwise(steps))


def test_the_demo_is_back_when_the_session_is_over(port: str) -> None:
    assert goes_on(monitored(port))
    for _ in range(2):
        with opened(port) as session:
            assert session.infer([[7]]).outputs[0].tolist() == [[[7]]]
        assert goes_on(monitored(port))


def test_it_stays_away_while_a_host_may_come_back(port: str) -> None:
    """A session that was broken off, and one with a device that is about to be stopped, say nothing."""
    with pytest.raises(KeyboardInterrupt), opened(port):
        raise KeyboardInterrupt
    assert monitored(port, 0.5) == []
    with opened(port, stays=False):
        pass
    assert monitored(port, 0.5) == []


def test_whoever_only_asks_for_the_name_brings_it_back_too(port: str) -> None:
    assert ask(port, NATIVE.link.baud).welcome is not None
    assert monitored(port, 0.5) == []
    first = ask(port, NATIVE.link.baud, parting=True).welcome
    assert goes_on(monitored(port))
    second = ask(port, NATIVE.link.baud, parting=True).welcome
    assert first is not None
    assert second is not None
    assert first.boot_id != second.boot_id, "for the link that was a start"


def test_a_monitor_at_the_first_rate_reads_it_after_a_faster_session(port: str) -> None:
    """On a wire where whoever is at another rate sees noise."""
    said = Said()
    with FaultProxy(port, rated=WIRE) as proxy:
        with opened(proxy.port, max_baud=FAST, reporter=said) as session:
            assert session.infer([[7]]).outputs[0].tolist() == [[[7]]]
        assert goes_on(monitored(proxy.port))
    assert f"the line goes over to {FAST:,} bit/s" in said.lines
