"""The benchmark of a faster line: the line stays or goes over as it should, and the verdict follows from the times."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import line_rate
import support
from line_rate import FAST, SLOW
from support import Goodput, Shape

SHAPE = Shape(4, 2)


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed: apt-get install g++")
def test_the_line_goes_over_only_the_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(support._Stopwatch, "text", lambda _, line: said.append(line))
    target = line_rate.board()
    firmware, vectors = support.firmware(tmp_path, target, SHAPE), support.some_vectors(50, SHAPE)
    for rate, changes in ((SLOW, []), (FAST, [f"the line goes over to {FAST:,} bit/s"])):
        got = line_rate.at(rate, firmware, target, support.copying(SHAPE), vectors)
        assert (got.vectors, got.inputs, got.resends) == (50, 4, 0)
        assert [line for line in said if "bit/s" in line] == changes


def test_a_wire_that_carries_too_much_ends_the_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "ask", lambda *_: Goodput(SLOW, 1, 9.9))
    monkeypatch.setattr(line_rate, "EmulatorDevice", _Standing)
    monkeypatch.setattr(line_rate, "FaultProxy", _Standing)
    with pytest.raises(SystemExit, match="the wire carried more than 115,200"):
        line_rate.at(SLOW, tmp_path, line_rate.board(), support.copying(SHAPE), support.some_vectors(1, SHAPE))


class _Standing:
    """Stands for a device and for its line."""

    port = ""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> _Standing:
        return self

    def __exit__(self, *_: object) -> None: ...

    def start(self, *_: object) -> str:
        return ""

    def check(self) -> None: ...


@pytest.mark.parametrize(
    ("fast", "code", "said"),
    [
        ([3.0, 2.0, 2.5], 0, "115,200 7.00 (>= 7.00): as promised"),
        ([2.1, 2.2, 3.0], 1, "6.67 (BELOW 7.00): below what is promised"),
    ],
)
def test_the_exit_code_says_what_came_out(
    fast: list[float], code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = SimpleNamespace(sha256="", inputs=(), outputs=(), vectors=None)
    image = SimpleNamespace(project_sha256="", elf=None)
    monkeypatch.setattr(line_rate, "open_run", lambda *_: SimpleNamespace(quantize=lambda: model))
    monkeypatch.setattr(line_rate, "render", lambda *_: (None, False))
    monkeypatch.setattr(line_rate, "build", lambda *_: (image, False))
    monkeypatch.setattr(line_rate, "at", lambda rate, *_: Goodput(818, 784, 14.0 if rate == SLOW else fast.pop(0)))
    monkeypatch.setattr(sys, "argv", ["line_rate.py"])
    with pytest.raises(SystemExit) as ended:
        line_rate.main()
    assert ended.value.code == code
    assert said in capsys.readouterr().out.splitlines()[-1]
