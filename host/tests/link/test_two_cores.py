"""The host's core wired to a device's role: all that is sent arrives, exactly once, whatever the wire does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyhil.link.events import DeviceText, Ready, Restarted

from .faulty_wire import MODES, Faults
from .models import KINDS, Kind
from .wired_pair import Resets, WiredPair, converse

QUIET = Faults()
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def assert_exactly_once(kind: Kind, pair: WiredPair, vectors: list[bytes], batch: int) -> None:
    """Converses, and holds the answers against the model's."""
    outputs = kind.answers(vectors)
    batches = [[b"".join(outputs[start : start + batch])] for start in range(0, len(vectors), batch)]
    assert converse(pair, vectors, batch) == batches
    assert sum(isinstance(event, Ready) for event in pair.events) == 1
    restarts = sum(isinstance(event, Restarted) for event in pair.events)
    assert restarts <= pair.connection.counters.restarts <= pair.role.boots
    if kind.stateful:
        # Each vector was carried out once and in its turn, whichever run came to the end.
        assert all(run == vectors[: len(run)] for run in pair.role.runs)
        assert vectors in pair.role.runs


def some_vectors(kind: Kind, dice: random.Random, count: int) -> list[bytes]:
    return [dice.randbytes(kind.input_bytes) for _ in range(count)]


def batch_of(kind: Kind) -> int:
    """Vectors per request that fit into the smallest payload, small enough for many requests."""
    return 1 if kind.name.startswith("large") else 2


@pytest.mark.parametrize("window", [1, 4])
@each_kind
def test_a_sound_wire_needs_no_repetition(kind: Kind, window: int) -> None:
    dice = random.Random(window)
    pair = WiredPair(dice, kind.device(window=window), QUIET, Faults(chatter=0.3))
    vectors = some_vectors(kind, dice, 100)
    assert_exactly_once(kind, pair, vectors, batch_of(kind))
    counters = pair.connection.counters
    assert (counters.resends, counters.hello_resends, counters.unexpected_answers, counters.restarts) == (0, 0, 0, 0)
    assert pair.role.ran == vectors
    assert counters.frames_sent == counters.frames_received
    lines = [event.text for event in pair.events if isinstance(event, DeviceText)]
    assert lines
    assert set(lines) == {"free heap: 4711\r\n"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("window", [1, 4])
@each_kind
def test_each_fault_of_the_wire_loses_and_doubles_nothing(kind: Kind, window: int, mode: str) -> None:
    dice = random.Random(f"{mode} {window}")
    faults = Faults(**{mode: 0.15})
    pair = WiredPair(dice, kind.device(window=window), faults, faults)
    assert_exactly_once(kind, pair, some_vectors(kind, dice, 60), batch_of(kind))
    # The dice did fall in each direction, and what it did was noticed.
    assert pair.to_device.happened[mode]
    assert pair.to_host.happened[mode]
    counters = pair.connection.counters
    assert counters.resends or mode in ("double", "garbage", "chatter")
    assert counters.unexpected_answers or mode not in ("double", "delay")
    assert sum(counters.rejected.values()) or mode not in ("flip", "lose_byte", "truncate", "garbage")


@pytest.mark.parametrize("seed", range(4))
@each_kind
def test_resets_lose_and_double_nothing(kind: Kind, seed: int) -> None:
    dice = random.Random(seed)
    pair = WiredPair(dice, kind.device(), QUIET, QUIET, Resets(0.05, 6))
    assert_exactly_once(kind, pair, some_vectors(kind, dice, 120), batch_of(kind))
    assert pair.role.boots
    assert pair.connection.counters.restarts


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name.startswith("large")], ids=lambda kind: kind.name)
def test_a_write_that_gets_lost_inside_the_device_is_written_again(kind: Kind) -> None:
    dice = random.Random(1)
    pair = WiredPair(dice, kind.device(forgets=lambda: dice.random() < 0.05), QUIET, QUIET)
    assert_exactly_once(kind, pair, some_vectors(kind, dice, 40), 1)
    assert pair.connection.counters.resends == 0
    sound = WiredPair(dice, kind.device(), QUIET, QUIET)
    assert_exactly_once(kind, sound, some_vectors(kind, dice, 40), 1)
    assert pair.connection.counters.frames_sent > sound.connection.counters.frames_sent


@pytest.mark.parametrize("max_payload", [100, 4096])
@each_kind
def test_a_slow_line_is_not_taken_for_a_lossy_one(kind: Kind, max_payload: int) -> None:
    def resends(rate_known: bool) -> int:
        dice = random.Random(1)
        pair = WiredPair(
            dice, kind.device(max_payload=max_payload), QUIET, QUIET, rate=float(max_payload), rate_known=rate_known
        )
        batch = min(64, kind.capacity(max_payload))
        assert_exactly_once(kind, pair, some_vectors(kind, dice, 4 * batch), batch)
        return pair.connection.counters.resends

    assert resends(rate_known=True) == 0
    # Where nobody tells, the handshake shows how slow the line is, unless that takes longer than the first guess.
    assert (resends(rate_known=False) == 0) == (max_payload == 4096)


PROBABILITIES = st.sampled_from([0.0, 0.0, 0.02, 0.15])
FAULTS = st.builds(Faults, **dict.fromkeys(MODES, PROBABILITIES))


@settings(max_examples=200)
@given(
    st.sampled_from(KINDS),
    st.integers(1, 5),
    st.sampled_from([100, 113, 300]),
    FAULTS,
    FAULTS,
    st.builds(Resets, PROBABILITIES, st.integers(0, 4)),
    st.sampled_from([0.0, 0.0, 0.02]),
    st.integers(0, 2**32 - 1),
)
def test_all_faults_together_lose_and_double_nothing(
    kind: Kind, window: int, max_payload: int, there: Faults, back: Faults, resets: Resets, forgets: float, seed: int
) -> None:
    dice = random.Random(seed)
    role = kind.device(window=window, max_payload=max_payload, forgets=lambda: dice.random() < forgets)
    pair = WiredPair(dice, role, there, back, Resets(resets.probability, resets.left))
    assert_exactly_once(kind, pair, some_vectors(kind, dice, 12), batch_of(kind))
