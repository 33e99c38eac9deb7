"""What the device computes has to be what the integer reference computes."""

from __future__ import annotations

import numpy as np

from tinyhil.artifacts.types import Array
from tinyhil.pytest_plugin import Dut, Soft
from tinyhil.session import Session


def test_every_output_is_exact(dut: Dut, soft: Soft) -> None:
    soft.exact(dut.answers)


def test_outputs_are_not_all_the_same(dut: Dut) -> None:
    """A device that answers a constant is not compared with a constant."""
    assert all(len(np.unique(part)) > 1 for part in dut.model.vectors.reference)


def test_the_verdict_is_pass(dut: Dut) -> None:
    dut.check()
    assert dut.report.fidelity is not None
    assert dut.report.fidelity.vectors == dut.model.vectors.count


def test_nothing_was_lost_on_the_wire(dut: Dut) -> None:
    counters = dut.capture.counters
    assert counters["rejected_chunks"] == 0
    assert counters["frames_received"] >= counters["frames_sent"] - counters["resends"]


def test_a_row_gives_the_same_twice(session: Session, soft: Soft, few: tuple[Array, ...]) -> None:
    """Nothing of the first row may be left in the second, whether the model keeps state or not."""
    for turn in ("the first time", "the second time"):
        soft.exact(session.infer(*few), turn)


def test_one_at_a_time_or_together_and_in_any_order(
    dut: Dut, session: Session, soft: Soft, few: tuple[Array, ...]
) -> None:
    soft.exact(session.infer(*(part[::-1] for part in few)), "backwards")
    if not dut.welcome.stateful:
        for index in range(len(few[0])):
            soft.exact(session.infer(*(part[index : index + 1] for part in few)), f"vector {index} alone")


def test_real_values_are_quantized_as_the_model_says(
    dut: Dut, session: Session, soft: Soft, few: tuple[Array, ...]
) -> None:
    reals = [spec.dequantize(part) for spec, part in zip(dut.model.inputs, few, strict=True)]
    answers = session.infer(*reals)
    for given, sent in zip(few, answers.inputs, strict=True):
        soft.that(np.array_equal(given, sent), f"{given.ravel()[:8]} became {sent.ravel()[:8]}")
    soft.exact(answers)
