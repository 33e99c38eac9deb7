"""Both sides of the comparison answer what they should; how fast they are is not looked at."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import goodput
import support
import text_host
from support import Goodput, Shape
from tinyhil.deadline import Deadline
from tinyhil.errors import MissingToolError
from tinyhil.targets import registry
from tinyhil.transport import open_transport

SHAPES = [Shape(784, 10), Shape(1, 1)]
PATIENCE = 30.0

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed: apt-get install g++")


@pytest.fixture(scope="module")
def text_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return support.text_device(tmp_path_factory.mktemp("text"))


@pytest.mark.parametrize("shape", SHAPES)
def test_text_gets_every_answer(shape: Shape, text_program: Path) -> None:
    got = goodput.text(text_program, shape, support.some_vectors(3, shape))
    assert (got.vectors, got.inputs) == (3, shape.inputs)


def test_a_vector_of_another_size_is_refused_by_the_text_device(text_program: Path) -> None:
    with goodput.running_text(text_program, Shape(40, 2)) as port:
        transport = open_transport(port, baud=115200, deadline=Deadline.after(PATIENCE))
        try:
            host = text_host.TextHost(transport, PATIENCE)
            with pytest.raises(ValueError, match=r"e-\[infer\]"):
                host.infer(bytes(39))
        finally:
            transport.close()


def test_the_limit_of_text_counts_the_bytes_that_are_sent(text_program: Path) -> None:
    """What the baseline is granted is what its two ends really send, not a byte more."""
    shape = Shape(784, 10)
    with goodput.running_text(text_program, shape) as port:
        inner = open_transport(port, baud=115200, deadline=Deadline.after(PATIENCE))
        moved = 0

        class Counting:
            name = inner.name
            close = staticmethod(inner.close)

            @staticmethod
            def read(max_bytes: int, timeout_s: float) -> bytes:
                nonlocal moved
                data = inner.read(max_bytes, timeout_s)
                moved += len(data)
                return data

            @staticmethod
            def write(data: bytes, deadline: Deadline) -> None:
                nonlocal moved
                moved += len(data)
                inner.write(data, deadline)

        try:
            assert text_host.TextHost(Counting(), PATIENCE).infer(bytes(784)) == [0.0] * 10
        finally:
            inner.close()
    assert moved == round(text_host.wire_seconds(784, 10, 10))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_link_gets_every_answer(shape: Shape, tmp_path: Path) -> None:
    target = registry.get("native")
    got = goodput.link(target, support.firmware(tmp_path, target, shape), shape, support.some_vectors(11, shape))
    assert (got.vectors, got.inputs, got.resends) == (11, shape.inputs, 0)


def test_a_wrong_answer_ends_the_benchmark(tmp_path: Path) -> None:
    target, shape = registry.get("native"), Shape(4, 2)
    vectors = support.some_vectors(3, shape)
    vectors.reference[0][2, 0, 1] ^= np.int8(1)
    with pytest.raises(SystemExit, match="answered wrong"):
        goodput.link(target, support.firmware(tmp_path, target, shape), shape, vectors)


def test_bytes_come_back_from_the_echo(tmp_path: Path) -> None:
    target = registry.get("native")
    assert goodput.echo(target, support.echo(tmp_path, target), 20000) > 0


KEPT = goodput.Promise("of the line", 0.95, 0.97, ".1%")
BROKEN = goodput.Promise("times text", 15.0, 14.9, ".1f")


def _missing(_folder: Path, *_: float) -> list[goodput.Promise]:
    raise MissingToolError("a compiler is not installed", hint="install it")


@pytest.mark.parametrize(
    ("wire", "echo", "code", "said"),
    [
        (lambda *_: [KEPT], lambda *_: [KEPT], 0, "of the line 97.0% (>= 95.0%)"),
        (lambda *_: [KEPT, BROKEN], lambda *_: [KEPT], 1, "times text 14.9 (BELOW 15.0)"),
        (lambda *_: [KEPT], _missing, 3, "a compiler is not installed: incomplete"),
        (lambda *_: [BROKEN], _missing, 1, "below what is promised"),
    ],
)
def test_the_exit_code_says_what_came_out(
    wire: Callable[..., list[goodput.Promise]],
    echo: Callable[..., list[goodput.Promise]],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["goodput.py"])
    monkeypatch.setattr(goodput, "on_a_wire", wire)
    monkeypatch.setattr(goodput, "beside_an_echo", echo)
    monkeypatch.setattr(goodput, "on_this_computer", lambda *_: [KEPT])
    with pytest.raises(SystemExit) as ended:
        goodput.main()
    assert ended.value.code == code
    assert said in capsys.readouterr().out.splitlines()[-1]


def test_a_rate_is_payload_over_time() -> None:
    assert Goodput(10, 784, 2.0).rate == 3920.0
