"""A port is read whatever happens to it. The ports are real pseudo-terminals, the other processes too."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import ConfigError, DeviceError, PortBusyError
from tinyhil.stream.events import Came, Changed, Dropped, Event, Sent, State
from tinyhil.stream.model import Stream
from tinyhil.stream.source import PortSource, pass_on
from tinyhil.targets.model import PYTHON, Emulator
from tinyhil.transport import open_transport
from tinyhil.transport.finder import PortFinder, PortInfo

from .board import Board

PATIENCE_S = 30.0


@pytest.fixture
def boards() -> Iterator[Callable[[], Board]]:
    made: list[Board] = []

    def make() -> Board:
        made.append(Board())
        return made[-1]

    yield make
    for board in made:
        board.unplug()


@pytest.fixture(autouse=True)
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


class Listener:
    """Takes what a source tells, until something is there."""

    def __init__(self, source: PortSource) -> None:
        self.source = source
        self.events: list[Event] = []

    def until(self, condition: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < ends, self.events
            self.source.wait(0.05)
            self.events += self.source.take()

    @property
    def came(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, Came))

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Changed)]

    @property
    def states(self) -> list[State]:
        return [event.state for event in self.events if isinstance(event, Changed)]


def test_what_comes_is_taken_in_order(boards: Callable[[], Board]) -> None:
    board = boards()
    with PortSource(board.path) as source:
        listener = Listener(source)
        for number in range(50):
            board.print(f"line {number}\n")
        listener.until(lambda: listener.came.count(b"\n") == 50)
    assert listener.came == b"".join(b"line %d\n" % number for number in range(50))
    assert listener.states == [State.OPEN]


@pytest.mark.parametrize("baud", [300, 74880, 115200, 2_000_000])
def test_any_rate(boards: Callable[[], Board], baud: int) -> None:
    board = boards()
    with PortSource(board.path, baud) as source:
        listener = Listener(source)
        board.print("hello\n")
        listener.until(lambda: listener.came == b"hello\n")


def test_what_is_sent_arrives_and_is_told(boards: Callable[[], Board]) -> None:
    board = boards()
    with PortSource(board.path) as source:
        listener = Listener(source)
        source.send(b"1.57\n")
        assert os.read(board.master, 100) == b"1.57\n"
        listener.until(lambda: any(isinstance(event, Sent) for event in listener.events))


def test_a_port_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    source = PortSource(str(tmp_path / "ttyACM0"))
    with pytest.raises(DeviceError, match="there is no port"):
        source.start()
    with pytest.raises(DeviceError, match="is not open"):
        source.send(b"a")
    source.close()


def test_a_rate_that_is_none_is_told_at_once(boards: Callable[[], Board]) -> None:
    with pytest.raises(ConfigError, match="baud"):
        PortSource(boards().path, -1).start()


def test_a_second_monitor_is_turned_away(boards: Callable[[], Board], child_environment: dict[str, str]) -> None:
    board = boards()
    with other_process(board.path, child_environment), pytest.raises(PortBusyError, match="held by PID"):
        PortSource(board.path).start()


def test_a_board_comes_back_under_another_name(boards: Callable[[], Board]) -> None:
    """There is no USB here: the list of ports is what a machine with USB would give, and the rest is real."""

    @dataclass
    class Port:
        device: str
        serial_number: str | None
        location: str | None = None
        vid: int | None = None
        pid: int | None = None

    first, second, another = boards(), boards(), boards()
    machine: list[PortInfo] = [Port(first.path, "A")]
    finder = PortFinder("usb:A", lambda: tuple(machine))
    with PortSource("usb:A", finder=finder) as source:
        listener = Listener(source)
        first.print("before\n")
        listener.until(lambda: listener.came == b"before\n")
        machine[:] = [Port(another.path, "B")]
        first.unplug()
        listener.until(lambda: source.state is State.WAITING)
        another.print("the wrong board\n")
        listener.until(lambda: any("no port has" in text for text in listener.texts))
        machine.append(Port(second.path, "A"))
        listener.until(lambda: source.state is State.OPEN)
        second.print("after\n")
        listener.until(lambda: listener.came == b"before\nafter\n")


def test_a_link_is_followed_to_the_next_terminal(boards: Callable[[], Board], tmp_path: Path) -> None:
    first, second = boards(), boards()
    link = tmp_path / "board"
    link.symlink_to(first.path)
    with PortSource(str(link)) as source:
        listener = Listener(source)
        link.unlink()
        first.unplug()
        listener.until(lambda: source.state is State.WAITING)
        link.symlink_to(second.path)
        listener.until(lambda: source.state is State.OPEN)
        second.print("back\n")
        listener.until(lambda: listener.came == b"back\n")


def test_the_number_of_a_pseudo_terminal_is_not_taken_for_it(boards: Callable[[], Board]) -> None:
    """The next terminal of this number may be anybody's, such as a user's shell."""
    first = boards()
    with PortSource(first.path) as source:
        listener = Listener(source)
        time.sleep(0.02)  # more than a tick of the kernel's clock, by which terminals are told apart
        first.unplug()
        again = boards()
        listener.until(lambda: source.state is State.ENDED)
        again.print("a secret\n")
        time.sleep(0.1)
        assert listener.came + b"".join(e.data for e in source.take() if isinstance(e, Came)) == b""


BORROWER = """
import sys
import time
from tinyhil.deadline import Deadline
from tinyhil.transport import open_transport

for _ in range(3):  # as whoever flashes: asks, uploads, asks again
    transport = open_transport(sys.argv[1], baud=115200, deadline=Deadline.after(30.0))
    transport.write(b"borrowed", Deadline.after(30.0))
    print("held", flush=True)
    sys.stdin.readline()
    transport.close()
    time.sleep(0.2)
"""


@contextlib.contextmanager
def other_process(address: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", BORROWER, address],
        env={**environment, "XDG_RUNTIME_DIR": os.environ["XDG_RUNTIME_DIR"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_port_is_lent_and_taken_back(boards: Callable[[], Board], child_environment: dict[str, str]) -> None:
    board = boards()
    with PortSource(board.path) as source:
        listener = Listener(source)
        board.print("before\n")
        listener.until(lambda: listener.came == b"before\n")
        with other_process(board.path, child_environment) as borrower:
            listener.until(lambda: source.state is State.LENT)
            assert borrower.stdin is not None
            assert borrower.stdout is not None
            for _ in range(2):
                borrower.stdin.write("\n")
                borrower.stdin.flush()
                assert borrower.stdout.readline() == "held\n"
            with pytest.raises(DeviceError, match="is not open"):
                source.send(b"a")
            assert source.state is State.LENT
            borrower.stdin.write("\n")
            borrower.stdin.close()
            assert borrower.wait(PATIENCE_S) == 0
        listener.until(lambda: source.state is State.OPEN)
        board.print("after\n")
        listener.until(lambda: listener.came == b"before\nafter\n")
    assert listener.states == [State.OPEN, State.LENT, State.OPEN]
    assert os.read(board.master, 1000) == b"borrowed" * 3


def test_the_port_is_used_otherwise_in_this_process_and_opened_again(boards: Callable[[], Board]) -> None:
    board = boards()
    with PortSource(board.path) as source:
        listener = Listener(source)
        board.print("before\n")
        listener.until(lambda: listener.came == b"before\n")
        with source.aside():
            transport = open_transport(board.path, baud=115200, deadline=Deadline.after(PATIENCE_S))
            board.print("not for the monitor\n")
            assert transport.read(100, PATIENCE_S)
            transport.close()
            with pytest.raises(DeviceError, match="is not open"), source.aside():
                pass
        with source.aside():  # at once again: it waits until the port is back
            pass
        listener.until(lambda: source.state is State.OPEN)
        board.print("after\n")
        listener.until(lambda: listener.came == b"before\nafter\n")
    assert listener.texts[1:] == [""] * 4, "nobody has to be told of it"


DEVICE = """
import os, sys, time, tty
master, cable = os.openpty()
tty.setraw(cable)
print("serial port redirected to", os.ttyname(cable), flush=True)
os.read(master, 1)
for number in range(20):
    os.write(master, b"x:%d y:%d\\n" % (number, number * number))
    time.sleep(0.005)
os.read(master, 1)
sys.exit("the model has gone astray")
"""


def test_a_device_that_was_started_here_and_ends(tmp_path: Path) -> None:
    program = tmp_path / "device.py"
    program.write_text(DEVICE)
    emulator = Emulator(program=PYTHON, arguments=("{firmware}",), serial_port=r"redirected to (\S+)")
    stream = Stream(joined=False)
    with EmulatorDevice(emulator) as device:
        address = device.start(program, Deadline.after(PATIENCE_S))
        with PortSource(address, check=device.check) as source:
            listener = Listener(source)
            source.send(b"g")
            listener.until(lambda: listener.came.count(b"\n") == 20)
            source.send(b"q")
            listener.until(lambda: source.state is State.ENDED)
    pass_on(listener.events, stream)
    assert stream.table.xy("x", "y").y.tolist() == [number * number for number in range(20)]
    last = listener.events[-1]
    assert isinstance(last, Changed)
    assert "the model has gone astray" in last.text


def test_two_boards_at_once(boards: Callable[[], Board]) -> None:
    both = boards(), boards()
    with PortSource(both[0].path) as first, PortSource(both[1].path) as second:
        listeners = Listener(first), Listener(second)
        for name, board in zip("ab", both, strict=True):
            board.print(f"of {name}\n")
        both[0].unplug()
        listeners[1].until(lambda: listeners[1].came == b"of b\n")
        listeners[0].until(lambda: first.state is State.ENDED)
        both[1].print("still here\n")
        listeners[1].until(lambda: listeners[1].came == b"of b\nstill here\n")
        assert second.state is State.OPEN


def test_what_nobody_takes_is_dropped_and_counted(boards: Callable[[], Board]) -> None:
    board = boards()
    with PortSource(board.path, most_waiting=10_000) as source:
        sent = 0
        os.set_blocking(board.master, False)
        ends = time.monotonic() + PATIENCE_S
        while sent < 50_000 and time.monotonic() < ends:
            with contextlib.suppress(BlockingIOError):
                sent += os.write(board.master, b"0123456789abcde\n" * 64)
            assert source._waiting <= 10_000
        listener = Listener(source)
        dropped = 0

        def all_told() -> bool:
            nonlocal dropped
            dropped = sum(event.bytes for event in listener.events if isinstance(event, Dropped))
            return len(listener.came) + dropped == sent

        listener.until(all_told)
    assert dropped > 0
    assert listener.came
    stream = Stream()
    pass_on(listener.events, stream)
    assert stream.counts.dropped == dropped
