"""The fault pipeline: what always holds, and what each kind of fault does when it is alone."""

from __future__ import annotations

import random
from dataclasses import asdict, fields, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tinyhil.errors import ConfigError
from tinyhil.proxy.faults import BLOCK_BYTES, HOLD_LIMIT, Action, Faults

from .binomial import interval
from .strategies import bytes_of, carried, chunks, faults, pieces, pipe, seeds, stream, streams, wired

cuts = st.lists(st.integers(0, 1 << 20), max_size=12)
few = settings(max_examples=25, phases=[Phase.explicit, Phase.generate])  # a smaller seed is no simpler case


@given(data=streams, places=cuts, seed=seeds)
def test_without_faults_everything_passes_at_once_and_unchanged(data: bytes, places: list[int], seed: int) -> None:
    perfect = pipe(Faults(), seed)
    for part in pieces(data, places):
        (item,) = perfect.feed(part, 5.0)
        assert (item.at, item.what) == (5.0, part)
    counted = asdict(perfect.counters)
    assert (counted.pop("bytes_in"), counted.pop("bytes_out")) == (len(data), len(data))
    assert counted.pop("frames") == len(chunks(data))
    assert set(counted.values()) == {0}


@given(config=faults, data=streams, places=cuts, seed=seeds)
def test_it_does_not_matter_how_the_input_is_cut(config: Faults, data: bytes, places: list[int], seed: int) -> None:
    whole, cut = pipe(config, seed), pipe(config, seed)
    assert carried(cut, *pieces(data, places)) == carried(whole, data)
    assert cut.counters == whole.counters


@given(config=faults, data=streams, seed=seeds)
def test_out_comes_in_order_of_time_and_is_counted(config: Faults, data: bytes, seed: int) -> None:
    tested = pipe(config, seed)
    out = [item for now, part in enumerate(pieces(data, [50, 100, 200])) for item in tested.feed(part, now / 10)]
    assert [item.at for item in out] == sorted(item.at for item in out)
    assert all(item.what != b"" for item in out)
    assert sum(len(item.what) for item in out if isinstance(item.what, bytes)) == tested.counters.bytes_out
    actions = [item.what for item in out if isinstance(item.what, Action)]
    assert actions.count(Action.RESET) == tested.counters.resets
    assert actions.count(Action.DISCONNECT) == tested.counters.disconnects


def test_seeds_and_directions_differ() -> None:
    data = wired(stream(200))
    config = Faults(bit_flip=1e-3, drop_frame=0.1)
    first = carried(pipe(config, 1), data)
    assert carried(pipe(config, 1), data) == first
    assert carried(pipe(config, 2), data) != first
    assert carried(pipe(config, 1, "to_host"), data) != first


def test_one_kind_does_not_change_the_dice_of_another() -> None:
    data = wired(stream(400))
    doubled = chunks(bytes_of(carried(pipe(Faults(duplicate_frame=0.2), 7), data)))
    both = chunks(bytes_of(carried(pipe(Faults(duplicate_frame=0.2, drop_frame=0.3), 7), data)))
    repeated = {chunk for chunk in doubled if doubled.count(chunk) == 2}
    survivors = set(both)
    assert {chunk for chunk in both if both.count(chunk) == 2} == repeated & survivors
    assert 0 < len(repeated & survivors) < len(repeated)


@few
@given(seed=seeds, p=st.sampled_from([1e-6, 1e-4, 1e-2]))
def test_flips_are_as_frequent_as_asked_and_hit_every_bit_alike(seed: int, p: float) -> None:
    data = random.Random(seed).randbytes(100_000)
    tested = pipe(Faults(bit_flip=p), seed)
    arrived = bytes_of(carried(tested, data))
    assert len(arrived) == len(data)
    different = int.from_bytes(arrived, "big") ^ int.from_bytes(data, "big")
    assert different.bit_count() == tested.counters.bit_flips
    assert different.bit_count() in interval(8 * len(data), p)
    by_bit = [sum((a ^ b) >> bit & 1 for a, b in zip(arrived, data, strict=True)) for bit in range(8)]
    assert all(count in interval(len(data), p) for count in by_bit)
    half = len(data) // 2
    early = (int.from_bytes(arrived[:half], "big") ^ int.from_bytes(data[:half], "big")).bit_count()
    assert early in interval(8 * half, p)


def test_a_flip_of_every_bit() -> None:
    assert bytes_of(carried(pipe(Faults(bit_flip=1.0)), bytes(range(256)))) == bytes(range(255, -1, -1))


PER_FRAME = {
    "drop_frame": "dropped_frames",
    "duplicate_frame": "duplicated_frames",
    "truncate_frame": "truncated_frames",
}


@few
@given(seed=seeds, p=st.sampled_from([0.001, 0.01, 0.3]), kind=st.sampled_from([*PER_FRAME]))
def test_faults_of_frames_are_as_frequent_as_asked(seed: int, p: float, kind: str) -> None:
    tested = pipe(_with(kind, p), seed)
    carried(tested, wired(stream(5000, 8)))
    assert getattr(tested.counters, PER_FRAME[kind]) in interval(5000, p)


@few
@given(seed=seeds)
def test_a_dropped_frame_is_gone_and_the_others_are_not(seed: int) -> None:
    sent = stream(500)
    tested = pipe(Faults(drop_frame=0.3), seed)
    arrived = chunks(bytes_of(carried(tested, wired(sent))))
    assert len(sent) - len(arrived) == tested.counters.dropped_frames > 0
    assert arrived == [body for body in sent if body in set(arrived)]


@few
@given(seed=seeds)
def test_a_duplicated_frame_arrives_twice_in_a_row(seed: int) -> None:
    sent = stream(500)
    tested = pipe(Faults(duplicate_frame=0.3), seed)
    arrived = chunks(bytes_of(carried(tested, wired(sent))))
    assert len(arrived) - len(sent) == tested.counters.duplicated_frames > 0
    twice = [body for body, following in pairwise(arrived) if body == following]
    assert len(twice) == tested.counters.duplicated_frames
    assert list(dict.fromkeys(arrived)) == sent


@few
@given(seed=seeds)
def test_a_truncated_frame_loses_its_end_but_not_its_delimiter(seed: int) -> None:
    sent = stream(500)
    tested = pipe(Faults(truncate_frame=0.3), seed)
    out = bytes_of(carried(tested, wired(sent)))
    arrived = out.split(b"\0")[1::2]
    assert len(arrived) == len(sent)
    shorter = [body for body, before in zip(arrived, sent, strict=True) if body != before]
    assert len(shorter) == tested.counters.truncated_frames > 0
    assert all(before.startswith(body) for body, before in zip(arrived, sent, strict=True))
    assert len({len(body) for body in shorter}) > 10, "it is cut anywhere"


@few
@given(seed=seeds, longest=st.integers(1, 50))
def test_garbage_stands_between_frames_and_harms_none(seed: int, longest: int) -> None:
    sent = stream(300)
    tested = pipe(Faults(insert_garbage=0.4, garbage_bytes=longest), seed)
    out = bytes_of(carried(tested, wired(sent)))
    position, found = 0, []
    for body in sent:
        place = out.index(b"\0" + body + b"\0", position)
        found.append(out[position:place])
        position = place + len(body) + 2
    found.append(out[position:])
    assert sum(map(len, found)) == tested.counters.garbage_bytes > 0
    assert found[0] == b""
    assert max(map(len, found)) <= longest
    assert sum(map(bool, found)) in interval(len(sent), 0.4)


@few
@given(seed=seeds, p=st.sampled_from([0.01, 0.3]))
def test_whole_blocks_of_64_bytes_are_lost(seed: int, p: float) -> None:
    data = b"".join(number.to_bytes(4, "big") for number in range(64_000 // 4))
    tested = pipe(Faults(lose_block=p), seed)
    arrived = bytes_of(carried(tested, data))
    blocks = [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)]
    kept = {arrived[at : at + BLOCK_BYTES] for at in range(0, len(arrived), BLOCK_BYTES)}
    assert arrived == b"".join(block for block in blocks if block in kept)
    assert len(blocks) - len(kept) == tested.counters.lost_blocks
    assert tested.counters.lost_blocks in interval(len(blocks), p)


def test_a_frame_that_is_too_long_to_be_held_passes_as_it_is() -> None:
    data = b"x" * (HOLD_LIMIT + 1) + b"\0" + b"y" * HOLD_LIMIT + b"\0"
    tested = pipe(Faults(duplicate_frame=1.0))
    assert bytes_of(carried(tested, *pieces(data, [10, 1000, 66_000]))) == data + b"y" * HOLD_LIMIT + b"\0"
    assert tested.counters.duplicated_frames == 1


def test_delay_is_added_to_the_time_of_arrival() -> None:
    tested = pipe(Faults(delay=0.25))
    assert [(item.at, item.what) for item in tested.feed(b"ab", 1.0)] == [(1.25, b"ab")]
    assert [(item.at, item.what) for item in tested.feed(b"c\0d", 1.5)] == [(1.75, b"c\0d")]


@few
@given(seed=seeds)
def test_jitter_is_drawn_for_each_frame_within_its_limits_and_keeps_order(seed: int) -> None:
    tested = pipe(Faults(delay=0.5, jitter=0.25), seed)
    late = []
    for number, body in enumerate(stream(300)):
        (frame,) = tested.feed(body + b"\0", float(number))
        late.append(frame.at - number)
    assert all(0.5 <= seconds <= 0.75 for seconds in late)
    assert len(set(late)) > 290
    assert sum(seconds < 0.625 for seconds in late) in interval(300, 0.5)
    close = [item.at for item in tested.feed(wired(stream(300)), 1000.0)]
    assert close == sorted(close)


def test_a_stall_after_so_many_bytes() -> None:
    tested = pipe(Faults(stall_every=10, stall_seconds=2.0))
    data = bytes(range(1, 26))
    assert [(item.at, item.what) for item in tested.feed(data, 1.0)] == [
        (1.0, data[:10]),
        (3.0, data[10:20]),
        (5.0, data[20:]),
    ]
    assert [(item.at, item.what) for item in tested.feed(b"abcdefgh", 9.0)] == [(9.0, b"abcde"), (11.0, b"fgh")]
    assert tested.counters.stalls == 3


def test_a_disconnect_after_every_nth_frame() -> None:
    sent = stream(7)
    out = carried(pipe(Faults(disconnect_every=3)), wired(sent))
    assert out == [
        wired(sent[:3]),
        Action.DISCONNECT,
        wired(sent[3:6]),
        Action.DISCONNECT,
        wired(sent[6:]),
    ]


def test_a_reset_in_the_middle_of_every_nth_frame() -> None:
    sent = stream(5)
    out = carried(pipe(Faults(reset_every=2)), wired(sent))
    assert [what for what in out if isinstance(what, Action)] == [Action.RESET, Action.RESET]
    assert bytes_of(out) == wired(sent)
    first, _, second, _, third = out
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    assert isinstance(third, bytes)
    for before, after in ((first, second), (second, third)):
        head, tail = before.rpartition(b"\0")[2], after.partition(b"\0")[0]
        assert head, "the frame has begun"
        assert tail, "and has not ended"
        assert head + tail in sent


def test_limits_are_kept() -> None:
    for item in fields(Faults):
        for bad in (-1, -0.001, float("nan"), float("inf"), 1e30, "1", True, None):
            with pytest.raises(ConfigError, match=item.name):
                _with(item.name, bad)
    for name in ("bit_flip", "drop_frame", "duplicate_frame", "truncate_frame", "insert_garbage", "lose_block"):
        _with(name, 1)
        with pytest.raises(ConfigError) as caught:
            _with(name, 1.0000001)
        assert caught.value.hint == "from 0 to 1"
    for name in ("stall_every", "disconnect_every", "reset_every", "garbage_bytes"):
        with pytest.raises(ConfigError, match="not a whole number"):
            _with(name, 1.5)


def _with(name: str, value: Any) -> Faults:
    return replace(Faults(), **{name: value})


@pytest.mark.parametrize("p", [5e-324, 1e-300, 1 - 2**-53])
def test_extreme_probabilities(p: float) -> None:
    tested = pipe(Faults(bit_flip=p, drop_frame=p))
    carried(tested, wired(stream(100)))
    assert tested.counters.dropped_frames == round(p) * 100
