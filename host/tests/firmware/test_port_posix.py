"""The firmware as a process: its pseudo-terminal, the reset button, and what a host may do to it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.link.fields import MessageType
from tinyhil.link.frames import Frame, FrameDecoder, encode_frame
from tinyhil.link.inference import Infer, Result
from tinyhil.link.messages import Error, Hello, Welcome
from tinyhil.targets import registry
from tinyhil.transport import Transport, open_transport
from tinyhil.transport.poll_stream import PollStream

PATIENCE = 20.0
"""Seconds after which a test gives up waiting; nothing is measured by it."""
REPEAT = 0.2
"""Seconds after which a request that a reset may have swallowed is sent again."""
NOT_READY = 5
VECTOR = bytes(range(256))
CAPACITY = (4096 - 6) // 256
BATCH = Infer(CAPACITY, VECTOR * CAPACITY)


def patience() -> Deadline:
    return Deadline.after(PATIENCE)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = patience()
    while not condition():
        assert not deadline.expired, f"waited in vain for {what}"
        time.sleep(0.005)


class Board:
    """The firmware, running."""

    def __init__(self, pid: int, port: str) -> None:
        self.pid = pid
        self.port = port

    def plug(self) -> Host:
        """A host at its port."""
        return Host(open_transport(self.port, baud=115200, deadline=patience()))

    def plug_as_it_is(self) -> Host:
        """A host that does not set the terminal up."""
        line = os.open(self.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        calls = partial(os.read, line), partial(os.write, line), partial(os.close, line)
        return Host(PollStream(self.port, line, *calls))

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def falls_asleep(self) -> None:
        """Waits until it does nothing; it must not end, nor look for work all the time."""
        wait_until(lambda: all(self.state() == "S" for _ in range(100)), "it to sleep")

    def state(self) -> str:
        """The state of its process, one letter (proc(5), stat)."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0]


class Host:
    """Frames over the port, under numbers that the test chooses, and as few of them as it wants."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._decoder = FrameDecoder()
        self._frames: list[Frame] = []

    def send(self, data: bytes) -> None:
        self._transport.write(data, patience())

    def request(self, sequence: int, message: Hello | Infer) -> None:
        self.send(encode_frame(Frame(message.TYPE, sequence, message.encode())))

    def answer(self, sequence: int, within: float = PATIENCE) -> Frame | None:
        """The answer under a number; those before it are dropped."""
        deadline = Deadline.after(within)
        while True:
            while self._frames:
                frame = self._frames.pop(0)
                if frame.sequence == sequence:
                    return frame
            if deadline.expired:
                return None
            data = self._transport.read(65536, deadline.remaining)
            self._frames += [event for event in self._decoder.feed(data) if isinstance(event, Frame)]

    def ask(self, sequence: int, message: Hello | Infer) -> Frame:
        """Sends a request until it is answered."""
        deadline = patience()
        while not deadline.expired:
            self.request(sequence, message)
            frame = self.answer(sequence, REPEAT)
            if frame is not None:
                return frame
        raise AssertionError(f"no answer to {sequence}")

    def greet(self, sequence: int) -> Welcome:
        return Welcome.decode(self.ask(sequence, Hello()).payload)

    def copy(self, sequence: int, message: Infer = BATCH) -> None:
        """One inference, whose answer has to be the inputs."""
        self.check(self.ask(sequence, message), message)

    def check(self, frame: Frame | None, message: Infer = BATCH) -> None:
        assert frame is not None
        assert frame.type == MessageType.RESULT
        result = Result.decode(frame.payload)
        assert (result.count, result.ticks) == (message.count, 0)
        assert result.outputs == message.vectors

    def close(self) -> None:
        self._transport.close()


@pytest.fixture
def board(copy_firmware: Path) -> Iterator[Board]:
    """A board that is on; it has to be still on when the test ends, and no process may be left."""
    emulator = registry.get("native").emulator
    assert emulator is not None
    with EmulatorDevice(emulator) as device:
        port = device.start(copy_firmware, patience())
        yield Board(device.pid, port)
        device.check()
        handle = os.pidfd_open(device.pid)
    assert select.select([handle], [], [], PATIENCE)[0]
    os.close(handle)
    assert not Path(port).exists()


def test_all_byte_values_pass_both_ways(board: Board) -> None:
    """As a payload and, which a terminal in its usual mode would act upon, bare between two frames."""
    with closing(board.plug_as_it_is()) as host:
        welcome = host.greet(1)
        assert welcome.max_payload == 4096
        assert welcome.tick_rate == 0
        for value in range(1, 256):
            host.send(bytes([value]) * 3)
            host.copy(1 + value, Infer(1, bytes([value]) * 256))
        host.copy(1000)


def test_it_sleeps_while_nobody_asks(board: Board) -> None:
    with closing(board.plug()) as host:
        host.greet(1)
        board.falls_asleep()
        host.copy(2)


def test_a_second_host_finds_it_as_the_first_has_left_it(board: Board) -> None:
    with closing(board.plug()) as host:
        first = host.greet(1)
    with closing(board.plug()) as host:
        host.copy(2)  # the session is still open
        assert host.greet(3).boot_id == first.boot_id


def test_a_host_that_goes_with_answers_unread_blocks_nobody(board: Board) -> None:
    with closing(board.plug()) as host:
        host.greet(1)
        for sequence in range(2, 12):
            host.request(sequence, BATCH)
    with closing(board.plug()) as host:
        host.greet(100)
        host.copy(101)


def test_a_window_of_the_largest_requests_fits_while_it_is_busy(board: Board) -> None:
    """Nothing is read meanwhile, as by a host that writes first and listens afterwards."""
    port = os.open(board.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    with closing(board.plug()) as host:
        window = host.greet(1).window
        requests = [encode_frame(Frame(BATCH.TYPE, 2 + n, BATCH.encode())) for n in range(window)]
        left = memoryview(b"".join(requests))
        deadline = patience()
        while left:
            assert select.select([], [port], [], deadline.remaining)[1], f"{len(left)} bytes were not taken"
            left = left[os.write(port, left) :]
        for n in range(window):
            host.check(host.answer(2 + n))
    os.close(port)


def test_reset_is_a_new_boot_without_a_session_on_the_same_port(board: Board) -> None:
    with closing(board.plug()) as host:
        before = host.greet(1)
        board.send(signal.SIGUSR1)
        wait_until(lambda: host.ask(2, BATCH).type == MessageType.ERROR, "the reset")
        error = Error.decode(host.ask(3, BATCH).payload)
        assert error.code == NOT_READY
        assert error.detail != before.boot_id
        after = host.greet(4)
        assert after.boot_id == error.detail
        assert after.model_sha256 == before.model_sha256
        host.copy(5)


def test_reset_forgets_half_a_frame(board: Board) -> None:
    with closing(board.plug()) as host:
        before = host.greet(1)
        wire = encode_frame(Frame(BATCH.TYPE, 2, BATCH.encode()))
        half = len(wire) // 2
        host.send(wire[:half])
        board.falls_asleep()
        board.send(signal.SIGUSR1)
        wait_until(lambda: host.greet(3).boot_id != before.boot_id, "the new boot")
        # The first half's last chunk was ended by the HELLO's delimiter; the second half is a chunk of its own.
        host.send(wire[half:])
        host.copy(4)


def test_reset_while_it_waits_for_a_host_that_does_not_read(board: Board) -> None:
    """The firmware stands in write(), with both directions full."""
    port = os.open(board.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    with closing(board.plug()) as host:
        before = host.greet(1)
        wire = encode_frame(Frame(BATCH.TYPE, 2, BATCH.encode())) * 4

        def full() -> bool:
            try:
                os.write(port, wire)
            except BlockingIOError:
                return board.state() == "S"
            return False

        wait_until(lambda: all(full() for _ in range(100)), "both directions to be full")
        board.send(signal.SIGUSR1)
        wait_until(lambda: host.greet(3).boot_id != before.boot_id, "the new boot")
        host.copy(4)
    os.close(port)


def test_resets_at_any_moment_never_end_it(board: Board) -> None:
    boots = set()
    with closing(board.plug()) as host:
        for sequence in range(1, 100, 2):
            host.request(sequence, BATCH)
            board.send(signal.SIGUSR1)
            boots.add(host.greet(sequence + 1).boot_id)
        host.copy(100)
    assert len(boots) > 25


def test_resets_faster_than_it_starts_never_end_it(board: Board) -> None:
    """Many of them come when the new run has no handler yet."""
    with closing(board.plug()) as host:
        before = host.greet(1)
        for _ in range(20000):
            board.send(signal.SIGUSR1)
        assert host.greet(2).boot_id != before.boot_id
        host.copy(3)


@pytest.fixture(params=["</dev/null", "<&-"])
def bare(copy_firmware: Path, request: pytest.FixtureRequest) -> Iterator[Board]:
    """A board that nobody but itself holds the port of, started with nothing or less on standard input."""
    with subprocess.Popen(
        ["sh", "-c", f"exec '{copy_firmware}' {request.param}"], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            yield Board(child.pid, child.stdout.readline().split()[-1])
            assert child.poll() is None
        finally:
            child.kill()


def test_without_a_host_it_stays_plugged_in(bare: Board) -> None:
    bare.falls_asleep()
    with closing(bare.plug()) as host:
        first = host.greet(1)
        host.request(2, BATCH)
    bare.falls_asleep()
    with closing(bare.plug()) as host:
        assert host.greet(3).boot_id == first.boot_id
    bare.send(signal.SIGUSR1)
    bare.falls_asleep()
    with closing(bare.plug()) as host:
        assert host.greet(4).boot_id != first.boot_id
        host.copy(5)
