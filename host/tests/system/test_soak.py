"""The soak, shortened, and that it would notice what it is there to notice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bad_line
from soak import Plan, Tally, Verdict, judge, tiled
from tinyhil.artifacts.types import Vectors
from tinyhil.link import cobs
from tinyhil.link.frames import Frame, FrameDecoder, encode_frame
from tinyhil.session.journal import Answer

from .cli import REPOSITORY, Cli

COUNT, RESET_EVERY = 20_000, 5_000


@pytest.mark.long
def test_nothing_is_wrong_lost_or_counted_twice(tinyhil: Cli, tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    argv = ["benchmarks/soak.py", "--count", str(COUNT), "--reset-every", str(RESET_EVERY)]
    done = subprocess.run(
        [sys.executable, *argv, "--json", str(tmp_path / "soak.json")],
        cwd=REPOSITORY,
        env=tinyhil.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "soak.json").read_text())
    assert figures["verdict"] == {"wrong": 0, "lost": 0, "double": 0}
    assert figures["work"]["vectors"] == COUNT
    assert figures["line"]["to_device"]["resets"] >= COUNT // RESET_EVERY
    # At these rates, that one of these is 0 by chance has a probability below 1e-4 (the seed is fixed as well).
    for counters in figures["line"].values():
        assert counters["bit_flips"] > 0
        assert counters["dropped_frames"] + counters["duplicated_frames"] > 0
    link = figures["link"]
    assert min(link["resends"], link["restarts"], link["rejected_crc"], link["unexpected_answers"]) > 0


EXPECTED = np.arange(12, dtype=np.int8).reshape(6, 2)


def tally(*answers: tuple[int, int]) -> Tally:
    """A tally that was given right answers: of so many vectors each, from that one on."""
    made = Tally(EXPECTED.tobytes(), len(EXPECTED))
    for start, count in answers:
        made.add(Answer(start, count, 0, EXPECTED[start : start + count].tobytes()))
    return made


def test_the_verdict_is_clean_where_all_is_well() -> None:
    verdict = judge(tally((4, 2), (0, 4)), (EXPECTED,), (EXPECTED,))
    assert verdict == Verdict(0, 0, 0)
    assert verdict.clean


def test_each_kind_of_failure_is_counted() -> None:
    wrong = tally((0, 4))
    wrong.add(Answer(4, 2, 0, bytes([8, 9, 10, 99])))
    assert judge(wrong, (EXPECTED,), (EXPECTED,)) == Verdict(1, 0, 0)
    assert judge(tally((0, 4)), (EXPECTED,), (EXPECTED,)) == Verdict(0, 2, 0)
    assert judge(tally((0, 4), (4, 2), (0, 4)), (EXPECTED,), (EXPECTED,)) == Verdict(0, 0, 4)
    # What the session returns is judged as well.
    assert judge(tally((0, 6)), (EXPECTED[:5],), (EXPECTED,)) == Verdict(0, 1, 0)
    assert judge(tally((0, 6)), (EXPECTED[::-1],), (EXPECTED,)) == Verdict(6, 0, 0)
    assert not any(verdict.clean for verdict in (Verdict(1, 0, 0), Verdict(0, 1, 0), Verdict(0, 0, 1)))


def test_a_wrong_answer_that_a_right_one_covers_up_stays_wrong() -> None:
    both = tally()
    both.add(Answer(0, 6, 0, bytes(12)))
    both.add(Answer(0, 6, 0, EXPECTED.tobytes()))
    assert judge(both, (EXPECTED,), (EXPECTED,)) == Verdict(6, 0, 6)


def test_the_vectors_are_all_there_in_another_order() -> None:
    inputs, outputs = np.arange(256, dtype=np.uint8).reshape(-1, 1), np.arange(256, dtype=np.int16).reshape(-1, 1)
    many = tiled(Vectors((inputs,), (outputs,), None, True), 1000, seed=1)
    assert many.count == 1000
    assert np.array_equal(many.inputs[0], many.reference[0])
    first, second = many.inputs[0][:256], many.inputs[0][256:512]
    assert np.array_equal(np.sort(first, axis=0), inputs)
    assert np.array_equal(np.sort(second, axis=0), inputs)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("count", "batch", "every"), [(1_000_000, 87, 100_000), (20_000, 87, 5_000), (10, 7, 3)])
def test_resets_are_as_frequent_as_promised(count: int, batch: int, every: int) -> None:
    """Also where no frame is sent twice."""
    assert Plan(count, 1, batch, every).least_resets >= count // max(every, batch)


def test_the_batch_is_the_best_by_the_rule_of_thumb() -> None:
    """The page derives n (n + h) = h / (16 b) for frames of n + h bytes; the codec's lengths move it a little."""
    best = bad_line.best_batch(1, 1, 4000)
    header = len(encode_frame(Frame(3, 1, bytes(2))))
    assert best * (best + header) == pytest.approx(header / (16 * bad_line.LINE.bit_flip), rel=0.05)


def test_the_code_has_the_distance_that_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = bad_line.LONGEST_DISTANCE_5
    assert bad_line.has_distance_5(longest)
    monkeypatch.setattr(bad_line, "LONGEST_DISTANCE_5", longest + 1)
    assert not bad_line.has_distance_5(longest + 1)


def test_only_flips_that_break_the_structure_are_counted() -> None:
    """Every single flip of a frame is tried: all others change one bit of the body."""
    wire = encode_frame(Frame(0x03, 0x01020304, bytes([1, 0, 3, 7, 0, 64, 255])))
    body = cobs.decode(wire[1:-1])
    assert body is not None
    breaking = 0
    for bit in range(8 * len(wire)):
        flipped = bytearray(wire)
        flipped[bit // 8] ^= 1 << bit % 8
        framed = not flipped[0] and not flipped[-1]
        found = cobs.decode(bytes(flipped[1:-1])) if framed else None
        same = found is not None and len(found) == len(body)
        breaking += not (same and sum((x ^ y).bit_count() for x, y in zip(found or b"", body, strict=False)) == 1)
        if framed:
            assert not any(isinstance(event, Frame) for event in FrameDecoder().feed(bytes(flipped)))
    flip = bad_line.LINE.bit_flip
    assert bad_line.breaks_structure(wire) >= bad_line.happens(breaking)
    # A flip in a code is counted although it may, rarely, come to the same as one in the body.
    assert bad_line.breaks_structure(wire) == pytest.approx(breaking * flip, rel=0.05)
