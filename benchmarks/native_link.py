"""Measures how much payload the link carries to the target ``native``, through its real pseudo-terminal.

The device is the shipped firmware with an engine that only copies (firmware/tests/copy_engine.cpp), built with the
flags of the board ``native``. Payload is the inputs' bytes; frames, checksums and answers are not counted. For each
size of input the host's window is varied. It ends with 1 if 784-byte inputs stay below 1 MB/s at the window that the
device asks for. Run it with ``--help`` for its options.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import support
from support import PATIENCE, Shape
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.link.connection import Connection
from tinyhil.link.events import ConnectionEvent, Failed, Inferred, Ready
from tinyhil.targets import registry
from tinyhil.transport import Transport, open_transport

WINDOWS = (1, 2, 3, None)
"""The host never takes more than the device asks for; to look beyond that, raise ``window()`` in the port."""
SHAPES = (Shape(784, 10), Shape(1, 1))
LEAST = 1e6


@dataclass(frozen=True)
class Result:
    """One measurement: bytes of inputs and answered vectors, over wall-clock and CPU seconds of the two processes."""

    window: int
    payload: int
    vectors: int
    seconds: float
    host_cpu: float
    device_cpu: float


class Session:
    """A Connection over a Transport, as the session stage drives it."""

    def __init__(self, transport: Transport, window: int | None) -> None:
        self.connection = Connection(secrets.randbits(32), window=window)
        self._transport = transport
        self.connection.hello(time.monotonic())
        while not any(isinstance(event, Ready) for event in self.turn()):
            pass

    def turn(self) -> list[ConnectionEvent]:
        """Writes what is due and takes what has arrived."""
        deadline = Deadline.after(PATIENCE)
        self._transport.write(self.connection.data_to_send(), deadline)
        now = time.monotonic()
        wait = self.connection.next_timeout(now)
        data = self._transport.read(65536, PATIENCE if wait is None else wait)
        now = time.monotonic()
        events = [*self.connection.receive(data, now), *self.connection.on_time(now)]
        for event in events:
            if isinstance(event, Failed):
                raise event.error
        return events

    def send(self, batch: bytes, count: int, times: int) -> None:
        """Sends a batch many times and waits for all answers."""
        unsent = missing = times
        while missing:
            while unsent and self.connection.can_send:
                self.connection.infer(batch, count, time.monotonic())
                unsent -= 1
            missing -= sum(isinstance(event, Inferred) for event in self.turn())


def measure(port: str, pid: int, inputs: int, window: int | None, seconds: float) -> Result:
    """Runs one session of about so many seconds."""
    transport = open_transport(port, baud=115200, deadline=Deadline.after(PATIENCE))
    try:
        session = Session(transport, window)
        count = session.connection.capacity
        batch = secrets.token_bytes(count * inputs)
        times, elapsed = 16, 0.0
        while True:
            host, device, started = time.process_time(), cpu(pid), time.perf_counter()
            session.send(batch, count, times)
            elapsed = time.perf_counter() - started
            if elapsed > seconds / 2:
                break
            times = int(times * min(8.0, seconds / elapsed)) + 1
        if session.connection.counters.resends:
            sys.exit(f"{session.connection.counters.resends} requests were sent again: the figures would be wrong")
        used = time.process_time() - host, cpu(pid) - device
        return Result(session.connection.window, times * len(batch), times * count, elapsed, *used)
    finally:
        transport.close()


def cpu(pid: int) -> float:
    """CPU seconds that a process has used, to the nanosecond (proc(5), schedstat)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def main() -> None:
    """Prints the table."""
    options = argparse.ArgumentParser(description="payload over the pseudo-terminal of the target native")
    options.add_argument("--seconds", type=float, default=1.0, help="length of each measurement (default: %(default)s)")
    seconds = options.parse_args().seconds
    target = registry.get("native")
    assert target.emulator is not None
    slow = False
    print(f"{'input':>6} {'window':>6} {'MB/s':>8} {'vectors/s':>11} {'host CPU':>9} {'device CPU':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            with EmulatorDevice(target.emulator) as device:
                port = device.start(support.firmware(Path(folder), target, shape), Deadline.after(PATIENCE))
                for window in WINDOWS:
                    got = measure(port, device.pid, shape.inputs, window, seconds)
                    rate = got.payload / got.seconds
                    slow |= window is None and shape.inputs > 1 and rate < LEAST
                    print(
                        f"{shape.inputs:>4} B {got.window:>5}{' ' if window else '*'} {rate / 1e6:>8.2f} "
                        f"{got.vectors / got.seconds:>11,.0f} {got.host_cpu / got.seconds:>8.0%} "
                        f"{got.device_cpu / got.seconds:>10.0%}"
                    )
    print("* what the device asks for")
    if slow:
        sys.exit(f"below {LEAST / 1e6:g} MB/s of payload")


if __name__ == "__main__":
    main()
