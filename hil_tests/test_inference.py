"""What the device computes has to be what the integer reference computes."""

from __future__ import annotations

import numpy as np
import pytest

from tinyhil.pytest_plugin import Dut

pytestmark = pytest.mark.hil


def test_every_output_is_exact(dut: Dut) -> None:
    for actual, expected in zip(dut.capture.outputs, dut.model.vectors.reference, strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_outputs_are_not_all_the_same(dut: Dut) -> None:
    """A device that answers a constant is not compared with a constant."""
    assert all(len(np.unique(part)) > 1 for part in dut.model.vectors.reference)


def test_the_verdict_is_pass(dut: Dut) -> None:
    report = dut.run.verify()
    assert report.verdict == "pass", report.summary
    assert report.fidelity is not None
    assert report.fidelity.vectors == dut.model.vectors.count


def test_nothing_was_lost_on_the_wire(dut: Dut) -> None:
    counters = dut.capture.counters
    assert counters["rejected_chunks"] == 0
    assert counters["frames_received"] >= counters["frames_sent"] - counters["resends"]
