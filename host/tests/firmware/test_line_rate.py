"""The rate of the line, end to end: the firmware as a process, a session, and between them a wire with rates."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.pipeline.port_check import State, goodput
from tinyhil.progress import Silent
from tinyhil.proxy import FaultProxy, Faults
from tinyhil.session import Identity, PortLines, Session, open_session
from tinyhil.targets import registry

PATIENCE = 20.0
WIRE = 3_000_000
FAST = 921_600
SPEC = TensorSpec("copy", DType.INT8, (1, 256), 1.0, 0)
IDENTITY = Identity("00" * 32, "00" * 32, (SPEC,), (SPEC,))
NATIVE = registry.get("native")
BOARD = msgspec.structs.replace(NATIVE, link=msgspec.structs.replace(NATIVE.link, max_batch=4))
"""With requests of 1,024 bytes, as boards with a UART have them: of longer ones too many are lost on a bad line."""
LONG = int(os.environ.get("TINYHIL_RATE_VECTORS", "2000"))
"""Vectors of the long test."""


class Said(Silent):
    """What a session told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def text(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def board(copy_firmware: Path) -> Iterator[EmulatorDevice]:
    """The firmware, running."""
    assert NATIVE.emulator is not None
    with EmulatorDevice(NATIVE.emulator) as device:
        device.port = device.start(copy_firmware, Deadline.after(PATIENCE))  # type: ignore[attr-defined]
        yield device
        device.check()


def port_of(board: EmulatorDevice) -> str:
    return str(board.port)  # type: ignore[attr-defined]


def opened(port: str, said: Said, max_baud: int = FAST) -> Session:
    lines = PortLines(port, BOARD.link.baud, max_baud=max_baud)
    return open_session(lines, IDENTITY, BOARD, lambda: None, said)


def vectors(count: int, seed: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(seed).integers(-128, 128, (count, 1, 256), dtype=np.int8)


def wrong(session: Session, count: int, seed: int = 1) -> int:
    """How many of some vectors come back as others."""
    asked = vectors(count, seed)
    return int((session.infer(asked).outputs[0] != asked).any(axis=(1, 2)).sum())


def test_a_session_takes_the_line_to_the_rate_and_back(board: EmulatorDevice) -> None:
    said = Said()
    with FaultProxy(port_of(board), rated=WIRE) as proxy:
        for _ in range(2):
            with opened(proxy.port, said) as session:
                assert wrong(session, 50) == 0
                assert session.counters["resends"] == 0
        assert [line for line in said.lines if "bit/s" in line] == [f"the line goes over to {FAST:,} bit/s"] * 2
        assert proxy.counters["to_device"].noise_bytes == 0, "the second session need not wait for the device"


@pytest.mark.long
def test_what_the_wire_does_not_carry_is_left(board: EmulatorDevice) -> None:
    said = Said()
    with FaultProxy(port_of(board), rated=FAST) as proxy, opened(proxy.port, said, 2_000_000) as session:
        assert wrong(session, 50) == 0
    assert said.lines[-2].endswith("over to 921,600 bit/s")


def test_a_host_that_is_gone_leaves_the_line_to_the_device(board: EmulatorDevice) -> None:
    """As one that is killed: it says nothing."""
    with FaultProxy(port_of(board), rated=WIRE) as proxy:
        first = opened(proxy.port, Said())
        assert wrong(first, 4) == 0
        first._lines = None  # type: ignore[assignment]
        talk, first._talk = first._talk, None
        assert talk is not None
        talk._transport.close()
        with opened(proxy.port, Said()) as session:
            assert wrong(session, 4) == 0
        assert proxy.counters["to_device"].noise_bytes > 0


@pytest.mark.long
def test_a_reset_is_noticed_and_the_line_is_fast_again(board: EmulatorDevice) -> None:
    said = Said()
    with FaultProxy(port_of(board), rated=WIRE) as proxy, opened(proxy.port, said) as session:
        assert wrong(session, 10) == 0
        os.kill(board.pid, signal.SIGUSR1)
        assert wrong(session, 10) == 0
        assert session.counters["restarts"] == 1
        assert wrong(session, 10) == 0
    kinds = [line.split(":")[0] for line in said.lines]
    over = f"the line goes over to {FAST:,} bit/s"
    assert kinds[:4] == [over, f"silence at {FAST:,} bit/s", "the device has restarted", over]


@pytest.mark.long
def test_faults_during_the_switch_cost_time_and_no_answer(board: EmulatorDevice) -> None:
    """Sessions of a few vectors each, so that there are many switches, on a line that damages whatever it carries."""
    faults = Faults(bit_flip=3e-6, drop_frame=0.02, duplicate_frame=0.02, truncate_frame=0.01, insert_garbage=0.02)
    said, done, failures, each = Said(), 0, 0, 250
    reset: Callable[[], None] = lambda: os.kill(board.pid, signal.SIGUSR1)  # noqa: E731
    resets = Faults(**{**faults.__dict__, "reset_every": 400})
    with FaultProxy(port_of(board), resets, to_host=faults, rated=WIRE, reset=reset) as proxy:
        while done < LONG:
            with opened(proxy.port, said) as session:
                failures += wrong(session, each, seed=done)
            done += each
        counted = proxy.counters["to_device"]
    switches = sum("goes over" in line for line in said.lines)
    falls = sum("silence" in line for line in said.lines)
    assert failures == 0
    assert switches >= done // each
    assert min(counted.dropped_frames, counted.bit_flips, counted.noise_bytes, falls) > 0


RATES = [115_200, 230_400, 460_800, FAST]


@pytest.mark.parametrize(("carries", "most"), [(WIRE, FAST), (460_800, FAST), (WIRE, 0)])
def test_a_check_of_the_port_measures_each_rate_that_the_line_may_have(
    board: EmulatorDevice, monkeypatch: pytest.MonkeyPatch, carries: int, most: int
) -> None:
    monkeypatch.setattr(goodput, "_SECONDS", 0.3)
    target = msgspec.structs.replace(BOARD, link=msgspec.structs.replace(BOARD.link, max_baud=most))
    with FaultProxy(port_of(board), rated=carries) as proxy:
        checks = list(goodput.goodput(target, proxy.port, PATIENCE))
    tried = [rate for rate in RATES if rate <= max(most, RATES[0])]
    assert [each.name for each in checks] == ["goodput", *(f"goodput: {rate}" for rate in tried[1:])]
    told = [re.match(r"(\d+) baud: ([\d,]+) B/s", each.said) for each in checks]
    reached = {int(found[1]): int(found[2].replace(",", "")) for found in told if found is not None}
    assert list(reached) == [rate for rate in tried if rate <= carries]
    assert all(got <= rate / 10 for rate, got in reached.items()), "more than the wire carries"
    assert not most or max(reached.values()) > RATES[0] / 10, "no more than the first rate carries"
    lost = [each for each, found in zip(checks, told, strict=True) if found is None]
    assert all(each.state is State.WARNING and "and is at 460,800" in each.said for each in lost)
