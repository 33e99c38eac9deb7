"""Several runs on the command line: one table, one exit code, one set of files."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from tinyhil.cli.app import application
from tinyhil.history import record

from .cli import Cli
from .test_interrupt import Running, wait_until

QUICK = ("--search", "0", "--vectors", "8")


@pytest.fixture
def models(tinyhil: Cli, tiny_model: bytes) -> Cli:
    """The command line in a folder with two model files."""
    for name in ("a", "b"):
        (tinyhil.cwd / f"{name}.tflite").write_bytes(tiny_model)
    return tinyhil


def test_a_table_an_exit_code_and_the_files(models: Cli, target_file: Callable[..., str]) -> None:
    """A blocked cell makes it 3; the JUnit file and the page have it by its name."""
    absent = target_file("absent", ('"qemu-system-arm"', '"qemu-system-none"'))
    done = models("run", "a.tflite", "b.tflite", "--target", f"sim,{absent}", *QUICK, "--json", "out.json", "-j", "2")
    assert done.code == 3, done.out + done.err
    found = json.loads((models.cwd / "out.json").read_text())
    assert (found["verdict"], found["exit_code"], found["planned"]) == ("blocked", 3, 4)
    outcomes = {(cell["model"], cell["target"]): cell["outcome"] for cell in found["cells"]}
    assert outcomes == {
        (model, target): outcome
        for model in ("a.tflite", "b.tflite")
        for target, outcome in (("sim", "pass"), (absent, "blocked"))
    }
    assert [line.split()[:4] for line in done.out.splitlines() if line.startswith(("a.tfl", "b.tfl"))] == [
        ["a.tflite", "sim", "tflm-host", "PASS"],
        ["a.tflite", absent, "compiled", "BLOCKED"],
        ["b.tflite", "sim", "tflm-host", "PASS"],
        ["b.tflite", absent, "compiled", "BLOCKED"],
    ]
    assert done.out.splitlines()[-1] == "BLOCKED  4 runs: 2 pass, 2 blocked"
    build = models.cwd / "build"
    suites = ElementTree.parse(build / "matrix.xml").getroot()
    assert {suite.attrib["name"] for suite in suites} == {
        f"tinyhil.{model}.{place}"
        for model in ("a_tflite", "b_tflite")
        for place in ("sim.tflm-host", "absent.compiled")
    }
    assert suites.attrib["errors"] == "2"
    for cell in found["cells"]:
        page = Path(cell["report"])
        assert f'href="{page.relative_to("build").as_posix()}"' in (build / "matrix.html").read_text()
        assert (models.cwd / page).is_file()


@pytest.mark.long
def test_each_cell_goes_into_the_history_and_github_gets_one_summary_of_all(
    models: Cli, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an annotation for each cell that is no pass; a cell that is refused has no run that could be kept."""
    monkeypatch.setenv("TINYHIL_HISTORY", str(models.cwd / "kept.db"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(models.cwd / "summary.md"))
    (models.cwd / "cut.tflite").write_bytes(tiny_model[:300])
    done = models("run", "a.tflite", "b.tflite", "cut.tflite", "--target", "sim", *QUICK)
    assert done.code == 2, done.out + done.err
    said = [line for line in done.out.splitlines() if line.startswith("::error ")]
    assert len(said) == 1
    assert said[0].startswith("::error file=cut.tflite,title=tinyhil%3A cut.tflite on sim (tflm-host)::REFUSED")
    summary = (models.cwd / "summary.md").read_text()
    assert summary.count("###") == 1
    assert "3 runs: 2 pass, 1 refused" in summary
    kept = [record.read(path).decoded(str(path)) for path in record.waiting(models.cwd / "kept.records")]
    assert sorted(report.recipe for report in kept) == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sine", "cosine"], "unknown recipe 'cosine'"),
        (["sine", "--target", "sim,qemu-m5"], "unknown target 'qemu-m5'"),
        (["sine", "digits", "--port", "/dev/ttyACM0"], "--port is for a single run"),
        (["sine", "digits", "--record", "x.rec"], "--record is for a single run"),
        (["sine", "sine"], "the models name 'sine' twice"),
    ],
)
def test_what_is_refused_leaves_nothing(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(application(), ["run", *arguments])
    assert done.exit_code == 2
    assert said in done.stderr
    assert "next:" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long), signal.SIGKILL]
)
def test_however_it_is_ended_nothing_is_left_running(tinyhil: Cli, number: signal.Signals) -> None:
    """Two models are being trained, each by a child of a child. What is kept says that nothing was carried out."""
    running = Running(tinyhil.start("run", "sine", "digits", "--target", "sim", "--jobs", "2"))
    wait_until(lambda: sum("tinyhil.train.child" in each for each in tinyhil.leftovers()) >= 2, "both to be trained")
    os.kill(running.child.pid, number)
    code = running.ended()
    if number == signal.SIGKILL:
        wait_until(lambda: tinyhil.leftovers() == [], "the children to be gone")
        return
    assert code == 130, running.lines
    assert running.says("interrupted; what was finished is kept")
    assert running.says("INTERRUPTED  2 runs: 2 not carried out")
    assert not running.says("Traceback")
    assert tinyhil.leftovers() == []
    assert ElementTree.parse(tinyhil.cwd / "build/matrix.xml").getroot().attrib["skipped"] == "2"


@pytest.mark.long
def test_a_model_is_trained_and_quantized_once_for_all_targets(tinyhil: Cli) -> None:
    """On emulated chips, by two engines; each image is another, and each is the one that a single run finds."""
    missing = [name for name in ("qemu-system-arm", "arm-none-eabi-gcc", "g++") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed")
    done = tinyhil(
        "run", "sine", "--target", "qemu-m4,qemu-m33,native", "--engine", "compiled", "-v", "--json", "out.json"
    )
    assert done.code == 0, done.out + done.err
    assert done.out.count("tinyhil.train.child") == 1
    assert done.out.count("tinyhil.quantize.convert_child") == 1
    cells = json.loads((tinyhil.cwd / "out.json").read_text())["cells"]
    assert len({cell["model_sha256"] for cell in cells}) == 1
    assert all(cell["exact"] == cell["vectors"] == 256 for cell in cells)
    again = tinyhil("run", "sine", "--target", "qemu-m33")
    assert again.code == 0
    assert all(f"{stage:<10} unchanged" in again.out for stage in ("train", "quantize", "render", "build"))
