"""``tinyhil.run`` and ``tinyhil.open_session`` on targets without a chip."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyhil
from tinyhil.artifacts import hashing

from ..conftest import BIAS, WEIGHTS


def test_a_run_returns_its_report_and_writes_it(model_file: Path) -> None:
    report = tinyhil.run(model_file, target="sim", search=0)
    assert isinstance(report, tinyhil.Report)
    assert (report.verdict, report.recipe, report.target) == ("pass", "tiny", "sim")
    assert report.line is None, "there is no chip with a line"
    assert report.fidelity is not None
    assert report.fidelity.mismatches == 0
    (written,) = Path("build").rglob("report.json")
    assert json.loads(written.read_text())["model_sha256"] == report.model_sha256
    assert {path.name for path in written.parent.glob("report.*")} == {
        f"report.{end}" for end in ("html", "json", "md", "xml")
    }


def test_options_and_keywords_say_the_same(model_file: Path) -> None:
    options = tinyhil.Options(target="sim", search=0, build_dir=Path("one"))
    one = tinyhil.run(str(model_file), options)
    other = tinyhil.run(model_file, options, build_dir="other")
    assert one.verdict == other.verdict == "pass"
    assert sorted(path.name for path in Path().glob("*/*")) == [one.recipe + "-" + str(one.model_sha256)[:8]] * 2


def test_a_strict_run_fails_by_what_looks_wrong(here: Path, build_tflite: Any) -> None:
    """A model without weights is computed exactly, and says the same whatever it is asked."""

    def nothing(model: Any) -> None:
        model.buffers[1].data = [0] * 6

    model = build_tflite(nothing)
    report = tinyhil.run(model, target="sim", search=0)
    assert (report.verdict, report.headline) == ("pass", "Exact. Accuracy not judged")
    assert [each.kind for each in report.findings] == ["constant-output"]
    strict = tinyhil.run(model, target="sim", search=0, strict=True)
    assert (strict.verdict, strict.strict) == ("fail", True)
    assert strict.summary.startswith("passed but for --strict: ")


def test_bytes_are_a_model_and_the_same_bytes_the_same_file(here: Path, tiny_model: bytes) -> None:
    found = [tinyhil.run(tiny_model, target="sim", search=0).model_sha256 for _ in range(2)]
    assert found == [hashing.of_bytes(tiny_model)] * 2
    assert len(list(here.glob("build/_memory/*/*"))) == 1


def test_samples_in_memory(here: Path, tiny_model: bytes) -> None:
    x = np.random.default_rng(1).uniform(-50, 50, (9, 3))
    counts = set()
    for samples in (x, x.tolist(), (x, np.zeros((9, 2))), {"x": x}):
        report = tinyhil.run(tiny_model, target="sim", search=0, samples=samples)
        assert report.fidelity is not None
        counts.add(report.fidelity.vectors)
    assert len(counts) == 1
    assert counts != {261}, "what is drawn where there are no samples"
    assert len(list(here.glob("build/_memory/*/samples.npz"))) == 2, "x alone, and x with y"


@pytest.mark.parametrize("samples", [np.array(["a"]), np.array(3.0), {"x": np.array([None])}])
def test_samples_that_are_no_numbers(here: Path, tiny_model: bytes, samples: Any) -> None:
    with pytest.raises(tinyhil.InputError, match="'x' is no array of numbers") as caught:
        tinyhil.run(tiny_model, target="sim", samples=samples)
    assert caught.value.kind.id == "TH-113"


@pytest.mark.parametrize("model", [None, 3, object(), ["sine"]])
def test_what_is_no_model(here: Path, model: Any) -> None:
    with pytest.raises(tinyhil.InputError, match="is no model"):
        tinyhil.run(model, target="sim")


def test_what_cannot_be_used_raises(model_file: Path) -> None:
    with pytest.raises(tinyhil.InputError, match="unknown target 'qemu-m5'"):
        tinyhil.run(model_file, target="qemu-m5")
    with pytest.raises(tinyhil.InputError, match="search is -1, the least is 0"):
        tinyhil.run(model_file, target="sim", search=-1)


def test_a_blocked_run_raises_and_leaves_its_report(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(model_file.parent))
    with pytest.raises(tinyhil.BlockedError, match="is not installed") as caught:
        tinyhil.run(model_file, target="native")
    (written,) = Path("build").rglob("report.json")
    report = json.loads(written.read_text())
    assert (report["verdict"], report["blocked"]["id"]) == ("blocked", caught.value.kind.id)


def test_a_report_of_fail_is_returned_unless_so_much_is_allowed(model_file: Path, build_tflite: Any) -> None:
    def other(model: Any) -> None:
        model.buffers[2].data = list(np.array((10, -8), "<i4").tobytes())

    Path("other.tflite").write_bytes(build_tflite(other))
    report = tinyhil.run(model_file, target="native", search=0, built_from="other.tflite")
    assert report.verdict == "fail"
    assert report.fidelity is not None
    off = report.fidelity.max_lsb
    assert off >= 1
    for allowed, verdict in ((off - 1, "fail"), (off, "pass")):
        report = tinyhil.run(model_file, target="native", search=0, built_from="other.tflite", max_lsb=allowed)
        assert report.fidelity is not None
        assert (report.verdict, report.fidelity.tolerance_lsb) == (verdict, allowed)


def test_a_session_answers_in_real_units(model_file: Path) -> None:
    with tinyhil.open_session(model_file, target="sim") as session:
        answers = session.infer([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
        pid = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_sim(path)]
    exact = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]) @ (np.array(WEIGHTS).T / 4) + np.array(BIAS) / 8
    assert answers.real[0].shape == (2, 1, 2)
    assert answers.outputs[0].dtype == np.int8
    assert np.abs(answers.real[0].reshape(2, 2) - exact).max() <= 0.375, "half of the output's step of 0.75"
    assert np.asarray(answers).tolist() == answers.real[0].tolist()
    assert len(pid) == 1
    assert not Path(f"/proc/{pid[0]}").exists(), "the device is stopped"


def test_the_device_is_stopped_by_an_interrupt(model_file: Path) -> None:
    def interrupted() -> None:
        with tinyhil.open_session(model_file, target="sim") as session:
            session.infer(np.zeros((1, 3)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path for path in Path("/proc").glob("[0-9]*") if _is_sim(path)] == []


def _is_sim(process: Path) -> bool:
    """Whether it is a simulated device that was started in the current folder."""
    try:
        mine = (process / "cwd").resolve() == Path().resolve() or str(Path().resolve()).encode() in (
            process / "cmdline"
        ).read_bytes()
        return mine and b"tinyhil.sim" in (process / "cmdline").read_bytes()
    except OSError:
        return False
