"""Faults of a model's health and of files: each is noticed by its check, and by nothing once that check is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import tflite
from tinyhil.api.runs import open_run
from tinyhil.artifacts import arrays, store
from tinyhil.artifacts.types import Calibration, FloatModel
from tinyhil.compare import health
from tinyhil.compare.verdict import Report
from tinyhil.experiments.selftest import Check, Fault, LeftOut, Outcome, Score
from tinyhil.experiments.selftest.faulty import score_trial
from tinyhil.experiments.selftest.given import given_faults
from tinyhil.experiments.selftest.kept import kept_faults
from tinyhil.pipeline import stored_report
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.pipeline.run import Run
from tinyhil.quantize import samples
from tinyhil.report import files


class Tried:
    """A run of a small model on ``sim`` that has passed, and its faults."""

    def __init__(self, folder: Path) -> None:
        self.run: Run = open_run(folder / "small.tflite", build_dir=folder / "build", target="sim")
        self.report: Report = self.run.verify()
        self._planned = [*given_faults(self.run, self.run.quantize()), *kept_faults(self.run)]
        self.faults = [each for each in self._planned if isinstance(each, Fault)]
        self.left_out = [each for each in self._planned if isinstance(each, LeftOut)]

    def score(self, fault: Fault) -> Score:
        return score_trial(self.run, self.report, fault, 0, SilentObserver())

    def by(self, check: Check) -> list[Score]:
        """What becomes of the faults that a check has to notice."""
        return [self.score(fault) for fault in self.faults if fault.check is check]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, tiny_model: bytes) -> Tried:
    folder = tmp_path_factory.mktemp("given")
    (folder / "small.tflite").write_bytes(tiny_model)
    return Tried(folder)


def test_every_fault_is_caught_by_its_check_and_leaves_the_run_alone(tried: Tried) -> None:
    kept = {path: path.read_bytes() for path in tried.run.layout.models.rglob("*.*")}
    scored = [tried.score(fault) for fault in tried.faults]
    assert [each for each in scored if each.outcome is not Outcome.CAUGHT or each.by is not each.fault.check] == []
    assert len({each.fault.check for each in scored}) == 7
    assert all(each.evidence for each in scored)
    assert [each.why for each in tried.left_out] == ["nothing is known of the samples that calibrated the model"]
    assert {path: path.read_bytes() for path in tried.run.layout.models.rglob("*.*")} == kept


def nothing(*_: Any, **__: Any) -> Any:
    return ()


GONE: dict[Check, tuple[Any, str, Callable[..., Any]]] = {
    Check.HEALTH: (health, "findings", nothing),
    Check.FINITE: (tflite, "require_sound", nothing),
    Check.SOUND: (tflite, "require_sound", nothing),
    Check.SAMPLES: (samples, "read", nothing),
    Check.MANIFEST: (store, "load", lambda *_: True),
    Check.REPORT: (files, "contradictions", nothing),
    Check.ASKED: (stored_report, "read", nothing),
}


@pytest.mark.parametrize("check", GONE, ids=lambda check: check.name)
def test_without_its_check_a_fault_is_missed(tried: Tried, monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    place, name, instead = GONE[check]
    monkeypatch.setattr(place, name, instead)
    if check is Check.SOUND:  # half a file is refused by its reader before
        monkeypatch.setattr(tflite, "rewrite", lambda data, _: (data, ()))
    scored = tried.by(check)
    assert scored
    assert {each.outcome for each in scored} == {Outcome.MISSED}


def test_what_calibrates_a_model_is_planted_where_it_is_known(tried: Tried, tmp_path: Path) -> None:
    """As of a recipe: its data, of which one sample lies far out, or is the only one."""
    inputs = np.linspace(0, 1, 20, dtype=np.float32).reshape(-1, 1)
    arrays.write_dataset(tmp_path / "data.npz", {"train": (inputs, inputs), "test": (inputs, inputs)})
    model = replace(tried.run.quantize(), calibration=(Calibration(20, 20, 0, 1, 0, 1),))
    source = Trained(tried.run, model, FloatModel("m", tmp_path, tmp_path / "data.npz", "key"))
    found = [each for each in given_faults(source, model) if isinstance(each, Fault)]  # type: ignore[arg-type]
    planted = [fault for fault in found if fault.check is Check.HEALTH and "sample" in fault.name]
    scored = [score_trial(source, tried.report, fault, 0, SilentObserver()) for fault in planted]  # type: ignore[arg-type]
    assert [each.outcome for each in scored] == [Outcome.CAUGHT, Outcome.CAUGHT]


class Trained:
    """A run whose model was trained; nothing but that and its layout is asked of it."""

    def __init__(self, run: Run, model: Any, trained: FloatModel) -> None:
        self.layout = run.layout
        self.source = self
        self.trained = trained
        self._model = model

    def quantize(self) -> Any:
        return self._model

    @property
    def target(self) -> Any:
        raise AssertionError
