"""The host's core wired to a device's role: all that is sent arrives, exactly once, whatever the wire does."""

from __future__ import annotations

import random
import re

import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.link.connection import Connection
from tinyhil.link.events import ConnectionEvent, DeviceText, Failed, Inferred, Ready
from tinyhil.link.states import State

from .device_role import DeviceRole
from .faulty_wire import FaultyWire

INPUT = TensorSpec("x", DType.INT8, (1, 12), 0.5, 0)
OUTPUT = TensorSpec("y", DType.INT8, (1, 5), 0.5, 0)
VECTORS = 600
BATCH = 7


def model(vector: bytes) -> bytes:
    """Five bytes that depend on all twelve."""
    return bytes(sum(byte * (index + shift) for index, byte in enumerate(vector)) % 256 for shift in range(5))


class Bench:
    """A connection and a device with a wire each way, and a clock that only jumps to the next timeout."""

    def __init__(self, dice: random.Random, window: int, to_device: FaultyWire, to_host: FaultyWire) -> None:
        self.dice = dice
        self.role = DeviceRole([INPUT], [OUTPUT], model, window=window)
        self.connection = Connection(dice.randrange(2**32), resend_after=0.2, max_tries=1000)
        self.to_device = to_device
        self.to_host = to_host
        self.now = 0.0
        self.events: list[ConnectionEvent] = []

    def step(self) -> None:
        """Carries what is on its way, or lets time pass if nothing is."""
        sent = self.connection.data_to_send()
        if not sent:
            pause = self.connection.next_timeout(self.now)
            assert pause is not None, "nothing is under way and nothing is waited for"
            self.now += pause
            self.events += self.connection.on_time(self.now)
            return
        frames = re.findall(rb"\0[^\0]+\0", sent)
        assert b"".join(frames) == sent
        arrived = b"".join(map(self.to_device.carry, frames))
        back = b"".join(map(self.to_host.carry, self.role.receive(arrived)))
        while back:
            cut = self.dice.randint(1, 60)
            self.events += self.connection.receive(back[:cut], self.now)
            back = back[cut:]


def run(bench: Bench, vectors: list[bytes]) -> dict[int, tuple[list[bytes], list[bytes]]]:
    """All vectors through the bench: by ticket, what was sent and every output that came."""
    connection = bench.connection
    connection.hello(bench.now)
    while connection.state is not State.READY:
        bench.step()
    sent: dict[int, list[bytes]] = {}
    batches = [vectors[start : start + BATCH] for start in range(0, len(vectors), BATCH)]
    while batches or connection.in_flight:
        while batches and connection.can_send:
            batch = batches.pop(0)
            sent[connection.infer(b"".join(batch), len(batch), bench.now)] = batch
        assert connection.in_flight <= connection.window
        bench.step()
    results: dict[int, tuple[list[bytes], list[bytes]]] = {ticket: (batch, []) for ticket, batch in sent.items()}
    for event in bench.events:
        if isinstance(event, Inferred):
            results[event.ticket][1].append(event.outputs)
    return results


def assert_exactly_once(results: dict[int, tuple[list[bytes], list[bytes]]]) -> None:
    for batch, outputs in results.values():
        assert outputs == [b"".join(map(model, batch))]


@pytest.mark.parametrize("window", [1, 4])
def test_a_sound_wire_needs_no_repetition(window: int) -> None:
    dice = random.Random(window)
    bench = Bench(dice, window, FaultyWire(dice), FaultyWire(dice, chatter=0.3))
    vectors = [dice.randbytes(12) for _ in range(VECTORS)]
    assert_exactly_once(run(bench, vectors))
    counters = bench.connection.counters
    assert (counters.resends, counters.hello_resends, counters.unexpected_answers) == (0, 0, 0)
    assert bench.role.inferences == VECTORS
    assert counters.frames_sent == counters.frames_received
    lines = [event.text for event in bench.events if isinstance(event, DeviceText)]
    assert lines
    assert set(lines) == {"free heap: 4711\r\n"}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("window", [1, 4])
def test_a_faulty_wire_loses_and_doubles_nothing(window: int, seed: int) -> None:
    dice = random.Random(seed)
    to_device = FaultyWire(dice, drop=0.08, damage=0.08, lose_byte=0.05, double=0.08)
    to_host = FaultyWire(dice, drop=0.08, damage=0.08, lose_byte=0.05, double=0.08, chatter=0.05)
    bench = Bench(dice, window, to_device, to_host)
    vectors = [dice.randbytes(12) for _ in range(VECTORS)]
    results = run(bench, vectors)
    assert_exactly_once(results)
    assert [vector for batch, _ in results.values() for vector in batch] == vectors
    assert sum(isinstance(event, Ready) for event in bench.events) == 1
    assert not any(isinstance(event, Failed) for event in bench.events)
    # The dice did fall: each direction had faults, they were noticed, and repetition was needed to mend them.
    assert bench.to_device.faults
    assert bench.to_host.faults
    counters = bench.connection.counters
    assert counters.resends
    assert sum(counters.rejected.values())
    assert counters.unexpected_answers
    assert bench.role.inferences > VECTORS


def test_a_wire_that_only_doubles_needs_no_repetition() -> None:
    dice = random.Random(0)
    bench = Bench(dice, 4, FaultyWire(dice, double=1.0), FaultyWire(dice, double=1.0))
    assert_exactly_once(run(bench, [dice.randbytes(12) for _ in range(VECTORS)]))
    counters = bench.connection.counters
    assert counters.resends == 0
    assert counters.unexpected_answers == 3 * counters.frames_sent
