"""The example repository as its reader has it: in an empty folder, with tinyhil from the wheel and the plugin from it.

The venv of the wheel has neither TensorFlow nor pytest. A second one sees both its packages and, behind them, ours.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tinyhil.progress import Silent
from tinyhil.targets import registry
from tinyhil.toolchain import platformio

from .cli import REPOSITORY, environment_without_us, run_without_us
from .conftest import NEEDED

pytestmark = pytest.mark.long

EXAMPLE = REPOSITORY / "examples" / "hil-quickstart"
TARGET = "qemu-m4"
ROW = r"^ *\d+ +0\.\d+ +-?[\d.]+ +-?[\d.]+ \[(-?\d+)\] +-?[\d.]+ \[(-?\d+)\] +([+-]\d+)$"
"""Of the diff: index, input, float, reference and device with their integers, LSB."""
WEIGHTS = re.compile(r"(const int8_t \w+\[\d+\] = \{\s*)(-?\d+)")
"""The first number of each array of weights."""


@pytest.fixture(scope="module")
def python(venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has tinyhil from the wheel, and pytest and TensorFlow from the venv that runs this."""
    folder = tmp_path_factory.mktemp("trainer")
    run_without_us(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (wheel,) = venv.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(f"{wheel}\n{sysconfig.get_path('purelib')}\n")
    python = folder / "bin" / "python"
    shown = run_without_us(python, "-c", "import tinyhil; print(tinyhil.__file__)", cwd=folder).stdout
    assert Path(shown.strip()).is_relative_to(venv)
    return python


def run_pytest(python: Path, cwd: Path, *arguments: str | Path, path: str | None = None) -> tuple[int, str]:
    """Exit code and output."""
    environment = environment_without_us()
    if path is not None:
        environment["PATH"] = path
    done = subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def repository(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example where its tests have passed once, so that its model is trained; tests change nothing in it."""
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed")
    folder = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "repository")
    code, out = run_pytest(python, folder, "--target", TARGET, "--junitxml", "hil.xml")
    assert code == 0, out
    assert "7 passed" in out
    return folder


def test_it_passes_and_the_hashes_are_in_the_junit_file(repository: Path) -> None:
    report = json.loads((repository / f"build/thermistor/{TARGET}/report.json").read_text())
    assert report["verdict"] == "pass"
    cases = {case.get("name"): case for case in ElementTree.parse(repository / "hil.xml").iter("testcase")}
    assert len(cases) == 7
    wanted = {name: report[name] for name in ("engine", "model_sha256", "project_sha256", "firmware_sha256")}
    wanted |= {"target": TARGET, "recipe": "thermistor", "scheme": "int8"}
    for name, case in cases.items():
        found = {item.get("name"): item.get("value") for item in case.iter("property")}
        assert name is not None
        if name.endswith(f"[{TARGET}]"):
            assert wanted.items() <= found.items()
        else:
            assert found == {}, "it runs on no device"


def test_a_planted_wrong_weight_fails_with_a_readable_diff(repository: Path, python: Path, tmp_path: Path) -> None:
    """The image is built from the project with one weight of the last layer negated, and says it is the right one."""
    project = tmp_path / "project"
    ignored = shutil.ignore_patterns(".pio")
    shutil.copytree(repository / f"build/thermistor/{TARGET}/project", project, ignore=ignored)
    source = project / "lib/model/bknn_model_weights.c"
    text = source.read_text()
    last = list(WEIGHTS.finditer(text))[-1]
    weight = int(last[2])
    wrong = -weight if weight not in (0, -128) else 100
    source.write_text(f"{text[: last.start(2)]}{wrong}{text[last.end(2) :]}")
    target = registry.get(TARGET)
    elf = platformio.build(project, TARGET, target.compiles, Silent()).elf
    code, out = run_pytest(python, repository, "--target", TARGET, f"--firmware={elf}")
    assert code == 1, out
    assert re.search(r"^FAILED tests/test_thermistor.py::test_the_verdict_is_pass\[qemu-m4\]", out, re.MULTILINE)
    assert re.search(r"^FAILED tests/test_thermistor.py::test_every_answer_is_exact\[qemu-m4\]", out, re.MULTILINE)
    assert re.search(r"^\d+ of 256 outputs wrong, by up to \d+ LSB \(0 allowed\)$", out, re.MULTILINE)
    assert re.search(r"^index +input +float +reference +device +LSB$", out, re.MULTILINE)
    rows = re.findall(ROW, out, re.MULTILINE)
    assert len(rows) >= 10
    assert all(int(device) - int(reference) == int(lsb) for reference, device, lsb in rows)


def test_without_qemu_it_errors_as_blocked(
    repository: Path, python: Path, path_without: Callable[..., str], tmp_path: Path
) -> None:
    path = path_without("qemu-system-arm")
    code, out = run_pytest(python, repository, "--target", TARGET, "--junitxml", tmp_path / "hil.xml", path=path)
    assert code == 1, out
    blocked = r"blocked: qemu-system-arm is not installed, .* \(TH-\d+\); next: sudo apt-get install qemu-system-arm\n"
    assert re.search(blocked, out)
    assert "1 passed, 6 errors in" in out, "only the test that asks for no device passes"
    suite = ElementTree.parse(tmp_path / "hil.xml").getroot()[0]
    assert (suite.get("errors"), suite.get("failures")) == ("6", "0")
    code, out = run_pytest(python, repository, "--target", TARGET, "--blocked-is-skip", path=path)
    assert code == 0, out
    assert "1 passed, 6 skipped in" in out
    code, out = run_pytest(python, repository, "--target", TARGET, "-m", "not hil", path=path)
    assert code == 0, out
    assert "1 passed, 6 deselected in" in out


def test_two_workers_serve_a_target_each(repository: Path, python: Path) -> None:
    code, out = run_pytest(python, repository, "-n", "2", "--target", f"{TARGET},native", "-v")
    assert code == 0, out
    assert "13 passed" in out
    served = re.findall(r"^\[(gw\d)\] .*PASSED (\S+)\[([\w-]+)\]", out, re.MULTILINE)
    tests = {target: {test for _, test, on in served if on == target} for target in (TARGET, "native")}
    assert len(tests[TARGET]) == 6
    assert tests[TARGET] == tests["native"]
    workers = {target: {worker for worker, _, on in served if on == target} for target in tests}
    assert [len(of) for of in workers.values()] == [1, 1]
    assert workers[TARGET] != workers["native"]
