"""What people see: every figure of the report, and no figure that the target does not honestly have."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from tinyhil.compare.fidelity import Mismatch
from tinyhil.compare.search import Element, Example, Search
from tinyhil.compare.verdict import Report
from tinyhil.errors import DeviceError
from tinyhil.report import assemble, terminal
from tinyhil.report.assemble import Evidence
from tinyhil.targets import registry
from tinyhil.targets.model import Measure, Target

TIME = re.compile(r"\b(ms|us|µs|ns|sec|seconds?)\b|\d ?s\b")


def lines(report: Report) -> str:
    return "\n".join(f"{label} {value}" for label, value in terminal.rows(report))


def test_all_figures_are_there(judge: Callable[..., Report], qemu_m4: Target) -> None:
    report = judge(qemu_m4, device_vs_float_mae=0.125, device_vs_truth_mae=100.0)
    text = lines(report)
    assert report.accuracy is not None
    overall = report.accuracy.overall
    assert overall is not None
    assert overall.device_vs_truth is not None
    assert overall.float_vs_truth is not None
    assert report.instructions_per_inference is not None
    for figures in (overall.device_vs_float, overall.device_vs_truth):
        assert f"MAE {figures.mae:.4f}, RMSE {figures.rmse:.4f}, max {figures.max_error:.4f}" in text
    assert f"training {overall.float_vs_truth.mae:.4f}" in text
    assert f"quantization {overall.reference_vs_float.mae:.4f}" in text
    assert f"device {overall.device_vs_reference.mae:.4f}" in text
    for bound in report.accuracy.bounds:
        assert f"{bound.figure} {bound.value:.4f} <= {bound.limit:g}: {'met' if bound.met else 'NOT MET'}" in text
    assert text.count("NOT MET") == 1
    for word in (
        "2 of 3 outputs wrong, by up to 5 LSB",
        "against a reference",
        "10,203 B",
        "4,567 B",
        "arena 89 B",
        f"{report.instructions_per_inference:,.0f} per inference ({qemu_m4.measure.method})",
        "tiny",
        qemu_m4.name,
        qemu_m4.honest_about,
        "compiled (bakenn 9.8.7, cmsis-nn)",
        "model sha256 0a0a",
        "firmware sha256 2c2c",
    ):
        assert word in text
    assert report.fidelity is not None
    assert text.count("vector ") == len(report.fidelity.first_mismatches) == 3
    assert "vector 1, output 0[0]: expected 2, device 7" in text


def test_neighbours_are_told_apart(judge: Callable[..., Report], qemu_m4: Target) -> None:
    report = judge(qemu_m4)
    assert report.fidelity is not None
    for expected, actual in ((2.0**31 - 1, 2.0**31 - 2), (1.0, 1.0 + 2.0**-23)):  # of int32, of float32
        mismatch = Mismatch(0, 0, 0, expected, actual, 1)
        text = lines(replace(report, fidelity=replace(report.fidelity, first_mismatches=(mismatch,))))
        shown = re.search(r"expected (\S+), device (\S+)", text)
        assert shown is not None
        assert shown[1] != shown[2]


def test_what_is_not_known_is_not_shown(judge: Callable[..., Report], qemu_m4: Target) -> None:
    text = lines(judge(qemu_m4, with_truth=False))
    assert "device vs float" in text
    assert "truth" not in text
    assert "training" not in text
    assert "accuracy" not in lines(replace(judge(qemu_m4), accuracy=None))


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        (0, ["every element is at its zero point"]),
        (1, ["input 0[0] = 0 (zero point 3)", "every other element is at its zero point"]),
        (
            11,
            [
                "input 0[7] = 7 (zero point 3)",
                "3 more elements are not shown; every other element is at its zero point",
            ],
        ),
    ],
)
def test_what_a_search_has_found(judge: Callable[..., Report], qemu_m4: Target, elements: int, said: list[str]) -> None:
    report = judge(qemu_m4, 5)
    assert report.fidelity is not None
    assert report.fidelity.passed
    made = tuple(Element(0, number, number, 3) for number in range(elements))
    example = Example(made, (Mismatch(0, 0, 1, 4, -5, -9),), 9, 77)
    found = replace(report.fidelity, search=Search(1, 1024, 9, 5, example))
    shown = list(terminal.rows(replace(report, fidelity=found)))
    texts = [text for _, text in shown]
    assert ("search", "1,024 more inputs tried, seed 1: at most 9 LSB from the reference") in shown
    assert [text for text in texts if text in said] == said
    assert sum(label == "example" for label, _ in shown) == max(1, min(8, elements))
    assert "output 0[1]: expected 4, device -5 (-9 LSB)" in texts
    assert assemble.fidelity_line(found) == (
        "3/3 outputs within 5 LSB, but a search found an input with outputs wrong by up to 9 LSB"
    )


EMULATED = [name for name in registry.paths() if registry.get(name).emulator is not None]


@pytest.mark.parametrize("name", EMULATED)
def test_an_emulated_target_shows_no_time(judge: Callable[..., Report], name: str) -> None:
    target = registry.get(name)
    report = judge(target, device_vs_float_mae=0.125)
    assert TIME.search(f"{lines(report)}\n{terminal.verdict(report)}") is None


def test_a_chip_with_a_clock_shows_time(judge: Callable[..., Report], qemu_m4: Target) -> None:
    """Which also shows that the test above can fail."""
    chip = msgspec.structs.replace(qemu_m4, measure=Measure(unit="microseconds", per_tick=0.5, method="a timer"))
    text = lines(judge(chip))
    assert "20.5 us per inference (a timer)" in text  # 123 ticks of half a microsecond, three inferences
    assert TIME.search(text)
    assert "instructions  " not in text


@pytest.mark.parametrize(
    ("max_lsb", "words"), [(5, "PASS  tiny on qemu-m4 (compiled): "), (0, "FAIL  tiny on qemu-m4 (compiled): ")]
)
def test_the_last_line(judge: Callable[..., Report], qemu_m4: Target, max_lsb: int, words: str) -> None:
    report = judge(qemu_m4, max_lsb)
    assert terminal.verdict(report) == words + report.summary


def test_a_blocked_run(qemu_m4: Target) -> None:
    report = assemble.blocked("tiny", qemu_m4, "compiled", Evidence(), DeviceError("it never answered"))
    assert [label for label, _ in terminal.rows(report)] == ["recipe", "target", "engine"]
    assert terminal.verdict(report) == "BLOCKED  no verdict: it never answered"
