"""A report that contradicts itself is refused; whatever tinyhil writes is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import kinds
from tinyhil.artifacts.retries import Retries
from tinyhil.artifacts.types import Resources
from tinyhil.compare import classification
from tinyhil.compare.health import Finding
from tinyhil.compare.scope import Scope
from tinyhil.compare.search import Example, Search
from tinyhil.compare.verdict import Accuracy, Bound, Classifier, Fidelity, OperatorCost, Report, Speed, TopK
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.report import assemble, files
from tinyhil.report.assemble import Evidence
from tinyhil.report.disagreements import disagreements
from tinyhil.targets.model import Target

WARNING = Finding("constant-output", "it is always the same", "train it")


@pytest.fixture
def failed(judge: Callable[..., Report], qemu_m4: Target) -> Report:
    """Two of three vectors are wrong, and a bound is not met."""
    return judge(qemu_m4, device_vs_float_mae=0.001)


@pytest.fixture
def passed(judge: Callable[..., Report], qemu_m4: Target) -> Report:
    """Nothing differs by more than what is allowed, and a bound is met."""
    return judge(qemu_m4, 5, device_vs_float_mae=100.0)


def read(report: Report) -> Report:
    return files.from_json(files.to_json(report), "report.json")


def within(report: Report, part: str, **changes: Any) -> Report:
    """The report with changes in a part of it, without the words that say what was judged."""
    made: Report = _changed(report, part.split("."), changes)
    return replace(made, headline="")


def _changed(value: Any, names: list[str], changes: dict[str, Any]) -> Any:
    if not names:
        return replace(value, **changes)
    return replace(value, **{names[0]: _changed(getattr(value, names[0]), names[1:], changes)})


def test_what_was_written_is_read(passed: Report, failed: Report, evidence: Evidence, qemu_m4: Target) -> None:
    error = DeviceError("it never answered", hint="look at the cable")
    blocked = assemble.blocked("tiny", qemu_m4, "compiled", evidence, error)
    for report in (passed, failed, blocked):
        assert read(report) == report
        assert read(replace(report, headline="", summary="as an earlier version said it")).headline == ""


FIGURES: dict[str, tuple[str, dict[str, Any]]] = {
    "flash below 0": ("size", {"flash_bytes": -5}),
    "RAM below 0": ("size", {"ram_bytes": -1}),
    "a section below 0": ("size", {"sections": {".text": -1}}),
    "an arena larger than the RAM": ("size", {"arena_bytes": 10**9}),
    "more mismatches than vectors": ("fidelity", {"mismatches": 4}),
    "mismatches below 0": ("fidelity", {"mismatches": -1}),
    "no vectors": ("fidelity", {"vectors": 0}),
    "mismatches that are not listed": ("fidelity", {"first_mismatches": ()}),
    "a difference within the tolerance": ("fidelity", {"max_lsb": 0}),
    "a tolerance below 0": ("fidelity", {"tolerance_lsb": -1}),
    "a pass with mismatches": ("fidelity", {"passed": True}),
    "accuracy with a bound that is not met": ("accuracy", {"passed": True}),
    "accuracy of more vectors than there are": ("accuracy", {"vectors": 4}),
    "an error below 0": ("accuracy.overall.device_vs_float", {"mae": -1.0}),
    "a mean error above the largest": ("accuracy.overall.device_vs_float", {"mae": 1e9}),
    "errors of values that are not finite": ("accuracy.overall.device_vs_float", {"not_finite": 1}),
    "no error of values that are": ("accuracy.overall.device_vs_float", {"mae": None}),
    "an r2 above 1": ("accuracy.overall.device_vs_float", {"r2": 1.5}),
    "a cosine below -1": ("accuracy.overall.device_vs_float", {"cosine": -2.0}),
    "a norm that is not that of the squares": ("accuracy.overall.device_vs_float", {"residual_norm": 1e9}),
    "figures of no values": ("accuracy.overall.device_vs_float", {"values": 0}),
    "figures of more values than there are": ("accuracy.overall.device_vs_float", {"values": 10**9}),
    "accuracy of no vectors": ("accuracy", {"vectors": 0}),
    "accuracy of no output": ("accuracy", {"outputs": ()}),
    "a bound on what has none": ("accuracy", {"bounds": (Bound("mae", None, 1.0, met=False),)}),
    "a share that a proof does not exclude": ("fidelity", {"detectable": 0.5}),
    "parts that do not add up": ("accuracy.overall.split", {"device": 7.0}),
    "points that differ by more than all": ("points", {"lsb": (99, 0, 0)}),
    "points of other lengths": ("points", {"lsb": (0,)}),
    "a point of no vector": ("points", {"vector": (0, 1, 7)}),
    "points in another order": ("points", {"vector": (1, 0, 2)}),
    "a point that is no mismatch where one is listed": ("points", {"lsb": (0, 0, -2), "device": (0.0, 1.5, 1.5)}),
    "more points that are wrong than mismatches": ("points", {"lsb": (5, 5, -2)}),
    "a point that differs by 0 LSB": ("points", {"device": (99.0, 1.0, 2.0)}),
    "more points like the data than accuracy looks at": ("accuracy", {"vectors": 2}),
    "more flash than all sections have": ("size", {"flash_bytes": 10**6}),
    "more RAM than all sections have": ("size", {"ram_bytes": 10**6}),
    "a unit that there is not": ("fidelity", {"unit": "volts"}),
    "a search with another tolerance": ("fidelity", {"search": Search(1, 10, 0, 3, None)}),
    "a search with a difference and no example": ("fidelity", {"search": Search(1, 10, 9, 0, None)}),
    "an example that differs by more than the search found": (
        "fidelity",
        {"search": Search(1, 10, 5, 0, Example((), (), 9, 3))},
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_that_is_none_is_refused(failed: Report, name: str) -> None:
    part, changes = FIGURES[name]
    with pytest.raises(ConfigError, match=r"report\.json contradicts itself: ") as caught:
        read(within(failed, part, **changes))
    assert caught.value.kind is kinds.CONTRADICTORY_REPORT
    assert caught.value.hint


def test_figures_of_the_same_outputs_that_differ_are_refused(judge: Callable[..., Report], qemu_m4: Target) -> None:
    report = judge(qemu_m4, 5)
    assert report.accuracy is not None
    assert report.fidelity is not None
    overall = report.accuracy.overall
    assert overall is not None
    exact = replace(report.fidelity, max_lsb=0)
    for path, figure in (("device_vs_reference", {"max_error": 9.0}), ("reference_vs_float", {"mae": 8.0})):
        wrong = replace(report.accuracy, overall=_changed(overall, [path], figure))
        assert any("no output differs" in each for each in disagreements(wrong, exact))
    assert not list(disagreements(report.accuracy, report.fidelity))
    for part in ("overall.device_vs_float", "overall"):
        changes: dict[str, Any] = {"max_error": 0.0} if "." in part else {"device_vs_truth": None}
        assert list(disagreements(_changed(report.accuracy, part.split("."), changes), report.fidelity))


def test_classes_that_are_miscounted_are_refused() -> None:
    truth = np.array([0, 1, 2, 2])
    right, wrong = (
        classification.classification(np.array(made), truth, ("a", "b", "c")) for made in ([0, 1, 2, 2], [0, 1, 2, 1])
    )
    good = Classifier(right, right, wrong, (), classification.Agreement(1.0, 0.75, 0.75), 0.25)
    good = replace(good, top_k=(TopK(1, 1.0, 1.0, 0.75), TopK(2, 1.0, 1.0, 1.0)))
    accuracy = Accuracy(passed=True, vectors=4, truth=None, overall=None, outputs=(), classifier=good, bounds=())
    fidelity = Fidelity(True, 4, 0, 0, 0, False, "it", (), None)
    assert list(disagreements(accuracy, fidelity)) == []
    assert list(disagreements(replace(accuracy, vectors=5), fidelity))
    for changes in (
        {"top1_drop": 0.0},
        {"device": replace(wrong, accuracy=1.0)},
        {"device": replace(wrong, unclassified=1)},
        {"reference": replace(right, confusion=((1, 0, 0), (0, 1, 0), (0, 0, 9)))},
        {"reference": replace(right, confusion=((1, 0), (0, 3)))},
        {"reference": replace(right, classes=right.classes[:2])},
        {"reference": replace(right, classes=(replace(right.classes[0], support=2), *right.classes[1:]))},
        {"reference": replace(right, classes=(replace(right.classes[0], predicted=0), *right.classes[1:]))},
        {"device": replace(wrong, classes=(*wrong.classes[:2], replace(wrong.classes[2], recall=1.0)))},
        {"device": replace(wrong, macro=replace(wrong.macro, f1=1.0))},
        {"device": replace(wrong, weighted=replace(wrong.weighted, precision=0.1))},
        {"top_k": (TopK(1, 1.0, 1.0, 0.5),)},
        {"top_k": (TopK(1, 1.0, 1.0, 0.75), TopK(2, 1.0, 1.0, 0.5))},
        {"top_k": (TopK(2, 1.0, 1.0, 1.0), TopK(2, 1.0, 1.0, 1.0))},
        {"top_k": (TopK(1, None, 1.0, 0.75),)},
    ):
        made: Classifier = _changed(good, [], changes)
        assert list(disagreements(replace(accuracy, classifier=made), fidelity)), changes


def test_a_verdict_that_the_figures_do_not_bear_is_refused(passed: Report, failed: Report) -> None:
    assert failed.fidelity is not None
    assert failed.accuracy is not None
    good = replace(failed.fidelity, passed=True, mismatches=0, max_lsb=0, first_mismatches=())
    search = Search(1, 10, 9, 0, Example((), (), 9, 3))
    met = replace(failed.accuracy.bounds[0], met=True)
    wrong: list[dict[str, Any]] = [
        {"verdict": "pass"},
        {"verdict": "blocked"},
        {"fidelity": None},
        {"fidelity": replace(good, search=search)},
        {"fidelity": replace(good, not_finite=3)},
        {"accuracy": replace(failed.accuracy, bounds=(met,))},
        {"accuracy": replace(failed.accuracy, bounds=(Bound("device_vs_float.mae", 0.0, 1.0, met=True),), passed=True)},
        {"accuracy": replace(failed.accuracy, bounds=(Bound("top1_drop", None, 1.0, met=True),), passed=True)},
        {"scope": Scope(2, 3, 0, 0)},
        {"findings": (replace(WARNING, level="information"),)},
        {"instructions_per_inference": 3.0, "microseconds_per_inference": 2.0},
        {"scope": Scope(3, 2, 0, 0)},
        {"scope": Scope(3, 3, 5, 4)},
        {"model_sha256": "0" * 63},
        {"model_sha256": "0A" * 32},
        {"source_sha256": "g" * 64},
        {"firmware_sha256": ""},
        {"tool_versions": {"gcc": "1"}, "tool_sha256": {"gcc": "0"}},
        {"tool_versions": {}, "tool_sha256": {"gcc": "0" * 64}},
        {"recipe": ""},
        {"target": " "},
        {"made_by": ""},
        {"ops": ()},
        {"link": {"vectors": 4}},
        {"link": {"vectors": 3, "input_bytes": 8}},
        {"link": {"vectors": 3, "requests": -1}},
        {"retries": replace(Retries(), resends=-1)},
        {"instructions_per_inference": 0.0},
        {"instructions_per_inference": 9.0, "speed": Speed("instructions", 0.0, 9.0, 9.0, 3)},
        {"instructions_per_inference": 9.0, "speed": Speed("microseconds", 9.0, 9.0, 9.0, 3)},
        {"instructions_per_inference": 9.0, "speed": Speed("instructions", 9.0, 9.0, 9.0, 0)},
        {"instructions_per_inference": 9.0, "speed": Speed("instructions", 9.0, 8.0, 9.0, 3)},
        {"operators": (OperatorCost("ADD", 3.0),)},
        {"operators": (OperatorCost("ADD", 3.0, 1),) * 2, "speed": Speed("microseconds", 9.0, 9.0, 9.0, 3)},
        {"resources": Resources(100, 200, None, 0, None, None)},
        {"resources": Resources(None, 100, 101, 0, None, None)},
    ]
    for changes in wrong:
        with pytest.raises(ConfigError, match="contradicts itself"):
            read(replace(failed, headline="", **changes))
    wrong = [{"verdict": "fail"}, {"strict": True, "findings": (WARNING,)}]
    for changes in wrong:
        with pytest.raises(ConfigError, match="contradicts itself"):
            read(replace(passed, headline="", **changes))
    assert read(replace(passed, findings=(WARNING,))).verdict == "pass"


def test_words_that_say_otherwise_than_the_figures_are_refused(failed: Report) -> None:
    said: list[dict[str, Any]] = [{"headline": "Passed"}, {"summary": "3/3 outputs exact"}]
    for changes in said:
        with pytest.raises(ConfigError, match="contradicts itself: the"):
            read(replace(failed, **changes))


def test_a_folder_with_such_a_report_has_none(tmp_path: Path, failed: Report) -> None:
    files.write(failed, tmp_path)
    place = tmp_path / files.JSON
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace('"flash_bytes": 10203', '"flash_bytes": -5'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"size\.flash_bytes is -5"):
        files.read(tmp_path)
