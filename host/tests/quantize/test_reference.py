"""The reference interpreter that is kept open, in a real child process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tinyhil.errors import ModelError, ToolError
from tinyhil.quantize.interpreters import TFLM, open_interpreter
from tinyhil.quantize.reference import Reference

INPUTS = np.random.default_rng(4).integers(-128, 128, (6, 1, 3), np.int8)


@pytest.fixture
def path(tiny_model: bytes, tmp_path: Path) -> Path:
    place = tmp_path / "tiny.tflite"
    place.write_bytes(tiny_model)
    return place


def test_it_computes_what_the_interpreter_does_however_often_it_is_asked(path: Path, tiny_model: bytes) -> None:
    interpreter = open_interpreter(TFLM, tiny_model)
    wanted = np.stack([interpreter.run([vector])[0] for vector in INPUTS])
    with Reference(path) as reference:
        path.unlink()  # it has what it needs
        for part in (slice(0, 4), slice(4, 6), slice(0, 6)):
            np.testing.assert_array_equal(reference(INPUTS[part])[0], wanted[part])
        assert reference._child is not None
        pid = reference._child._child.pid
    assert len(np.unique(wanted)) > 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_model_that_no_interpreter_takes(path: Path) -> None:
    path.write_bytes(b"no model")
    with Reference(path) as reference, pytest.raises((ModelError, ToolError)):
        reference(INPUTS)


def test_a_crash_after_the_first_answer_is_no_reason_to_ask_another(path: Path) -> None:
    with Reference(path) as reference:
        reference(INPUTS)
        assert reference._child is not None
        os.kill(reference._child._child.pid, signal.SIGKILL)
        with pytest.raises(ToolError, match="could not compute the reference: the process ended with signal SIGKILL"):
            reference(INPUTS)
