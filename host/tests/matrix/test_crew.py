"""Cells in real child processes: carried out at once, crashed, and ended early."""

from __future__ import annotations

import contextlib
import os
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tinyhil.experiments.models import Outcome
from tinyhil.matrix import Cell, Result, carry_out, crew
from tinyhil.report import files

from .conftest import Planned

PATIENCE = 60.0
"""Seconds after which a test gives up waiting; nothing is measured by it."""


class Recorder:
    """Remembers what it is told, and how many cells ran at once."""

    def __init__(self) -> None:
        self.running: set[Cell] = set()
        self.most = 0
        self.stages: dict[Cell, list[str]] = {}
        self.texts: list[tuple[Cell, str]] = []

    def begins(self, cell: Cell) -> None:
        self.running.add(cell)
        self.stages[cell] = []
        self.most = max(self.most, len(self.running))

    def stage(self, cell: Cell, name: str) -> None:
        self.stages[cell].append(name)

    def progress(self, cell: Cell, done: int, total: int, note: str) -> None:
        assert cell in self.running

    def text(self, cell: Cell, line: str) -> None:
        self.texts.append((cell, line))

    def ends(self, result: Result) -> None:
        self.running.remove(result.cell)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def children(child_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Children import the package under test."""
    monkeypatch.setenv("PYTHONPATH", child_environment["PYTHONPATH"])


@pytest.fixture
def planted(tmp_path: Path, child_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a module that stands in for the child."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), child_environment["PYTHONPATH"]]))
    monkeypatch.setattr(crew, "MODULE", "planted")
    return tmp_path / "planted.py"


def by_model(results: Sequence[Result]) -> dict[str, Result]:
    return {result.cell.model: result for result in results}


@pytest.mark.usefixtures("children")
def test_a_cell_is_a_run_like_any_other(planned: Planned, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its report is decoded in this thread: msgspec crashes where two threads meet a type for the first time."""
    threads, decoded = list[threading.Thread](), crew._as_result

    def noted(cell: Cell, answer: dict[str, Any]) -> Result:
        threads.append(threading.current_thread())
        return decoded(cell, answer)

    monkeypatch.setattr(crew, "_as_result", noted)
    made = planned(["a.tflite", "b.tflite"], target="sim", vectors="8", search=0)
    results = list(carry_out(made.cells, 2, recorder, verbose=True))
    assert {result.row.outcome for result in results} == {Outcome.PASS}
    assert threads == [threading.current_thread()] * 2
    assert recorder.most == 2
    assert not recorder.running
    for result in results:
        assert (result.row.exact, result.row.vectors) == (8, 8)
        assert result.report is not None
        assert result.report == files.read(result.cell.folder)
        assert result.took is not None
        assert f'time="{result.took.seconds:.3f}"' in (result.cell.folder / files.XML).read_text()
        assert recorder.stages[result.cell][0] == "preflight" or "read" in recorder.stages[result.cell]
        assert recorder.stages[result.cell][-1] == "verify"
    assert {cell for cell, _ in recorder.texts} == set(made.cells)


@pytest.mark.usefixtures("children")
def test_a_refused_cell_says_why_and_the_others_go_on(
    planned: Planned, recorder: Recorder, tmp_path: Path, tiny_model: bytes
) -> None:
    (tmp_path / "cut.tflite").write_bytes(tiny_model[:300])
    made = planned(["cut.tflite", "a.tflite"], target="sim", vectors="8", search=0)
    found = by_model(list(carry_out(made.cells, 1, recorder)))
    assert recorder.most == 1
    assert found["a.tflite"].row.outcome is Outcome.PASS
    assert found["cut.tflite"].row.outcome is Outcome.REFUSED
    assert found["cut.tflite"].report is None
    assert found["cut.tflite"].row.cause
    assert "\n" not in found["cut.tflite"].row.reason


WORK = """
import os, signal, subprocess, sys, time
from tinyhil.worker import serve

def work(request, channel):
    {body}
    row = {{"file": request["model"], "target": "sim", "engine": "tflm-host", "outcome": "pass", "seconds": 1.0}}
    return {{"row": row, "report": None, "process": os.getpid()}}

serve(work)
"""


@pytest.mark.parametrize(
    ("crash", "said"),
    [("os.kill(os.getpid(), signal.SIGKILL)", "signal SIGKILL"), ("os._exit(7)", "exit code 7"), ("1 / 0", "code 1")],
)
def test_a_crash_is_an_error_of_its_cell_alone(
    planned: Planned, recorder: Recorder, planted: Path, crash: str, said: str
) -> None:
    planted.write_text(WORK.format(body=f'if request["model"] == "a.tflite":\n        {crash}'))
    made = planned(["sine", "a.tflite", "b.tflite"], target="sim")
    found = by_model(list(carry_out(made.cells, 1, recorder)))
    assert {model: result.row.outcome for model, result in found.items()} == {
        "sine": Outcome.PASS,
        "a.tflite": Outcome.BLOCKED,
        "b.tflite": Outcome.PASS,
    }
    row = found["a.tflite"].row
    assert said in row.cause
    assert "tinyhil run a.tflite --target sim" in row.step


def is_running(process: int) -> bool:
    """Whether a process does anything; one that has ended may still be in the table, if nobody has asked how."""
    try:
        return Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def left_in(file: Path) -> list[int]:
    """The process ids that a child leaves in a file."""
    wait_until(lambda: file.exists() and len(file.read_text().split()) == 2, str(file))
    return list(map(int, file.read_text().split()))


@pytest.mark.parametrize("stubborn", [False, True])
def test_an_early_end_ends_all_children_and_what_they_have_started(
    planned: Planned, recorder: Recorder, planted: Path, monkeypatch: pytest.MonkeyPatch, stubborn: bool
) -> None:
    """Also those that do not end when they are asked to."""
    monkeypatch.setattr(crew, "END_SECONDS", 1.0 if stubborn else 30.0)
    body = textwrap.indent(
        textwrap.dedent(
            f"""
            if {stubborn}:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if request["model"] != "sine":
                other = subprocess.Popen(["sleep", "600"])
                with open(request["model"] + ".pids", "w") as file:
                    print(os.getpid(), other.pid, file=file)
                time.sleep(600)
            """
        ),
        "    ",
    )
    planted.write_text(WORK.format(body=body))
    made = planned(["sine", "a.tflite", "b.tflite"], target="sim")
    with contextlib.closing(carry_out(made.cells, 3, recorder)) as ended:
        assert next(ended).cell.model == "sine"
        processes = [*left_in(Path("a.tflite.pids")), *left_in(Path("b.tflite.pids"))]
    assert not any(map(is_running, processes[::2]))
    wait_until(lambda: not any(map(is_running, processes)), "what was killed to be gone")
