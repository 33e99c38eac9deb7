"""The reference is believed if it computes the same with other bytes in free memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import kinds, tflite
from tinyhil.errors import ModelError
from tinyhil.progress import Silent
from tinyhil.quantize import model_file, reference_child
from tinyhil.quantize.interpreters import TFLM, open_interpreter

from ..chain.one_operator import T, constant, model_of


def enlarging(rows: int) -> bytes:
    """A model that enlarges a picture of two rows: so far that TFLM's kernel reads a third one, which there is not."""
    size = constant(np.array([rows, 1], np.int32))
    picture, larger = T("int8", (1, 2, 1, 8), 0.5), T("int8", (1, rows, 1, 8), 0.5)
    return model_of("RESIZE_BILINEAR", [picture, size], [larger], schema.ResizeBilinearOptionsT())


def test_a_model_that_reads_beyond_its_tensors_is_refused(tmp_path: Path) -> None:
    """All its shapes hold: only what it computes tells."""
    path = tmp_path / "picture.tflite"
    path.write_bytes(enlarging(3000))
    tflite.require_sound(path.read_bytes(), "m")
    with pytest.raises(ModelError, match="where other bytes lie in free memory") as caught:
        model_file.tflite_model(path, None, tmp_path / "out", Silent())
    assert caught.value.kind is kinds.DAMAGED_MODEL
    assert caught.value.exit_code == 2
    path.write_bytes(enlarging(4))
    made, _ = model_file.tflite_model(path, None, tmp_path / "out", Silent())
    assert made.vectors.reference[0].any()


@pytest.mark.parametrize("fill", [0x35, 0xC9])
def test_the_fill_changes_nothing_of_a_sound_model(tiny_model: bytes, fill: int) -> None:
    inputs = np.random.default_rng(2).integers(-128, 128, (9, 1, 3), np.int8)
    plain, filled = open_interpreter(TFLM, tiny_model), open_interpreter(TFLM, tiny_model, fill=fill)
    for vector in inputs:
        np.testing.assert_array_equal(plain.run([vector])[0], filled.run([vector])[0])


def test_a_difference_in_one_bit_is_one() -> None:
    zero, nan = np.zeros((3, 1, 2), np.float32), np.full((3, 1, 2), np.nan, np.float32)
    for same in (zero, nan):
        reference_child._require_equal([same], [same.copy()])
    for other in (np.negative(zero), nan):
        with pytest.raises(ModelError, match="computes 3 outputs otherwise"):
            reference_child._require_equal([zero], [other])


def test_how_many_are_computed_again_is_bounded(tiny_model: bytes) -> None:
    assert reference_child._count_again(tiny_model, 65_536) == 65_536
    weights = constant(np.ones((4096, 8192), np.int8), 0.25)
    large = model_of("FULLY_CONNECTED", [T("int8", (1, 8192), 0.5), weights], [T("int8", (1, 4096), 0.5)])
    assert reference_child._count_again(large, 260) == 16
