"""SOFTMAX and LOG_SOFTMAX against TFLM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .comparing import Differs, compare
from .conftest import Amount
from .makers.rows import SOFTMAX_ENDS, log_softmax, softmax
from .one_operator import Chain

SHAPES = [(1, 10), (1, 2), (1, 1), (7,), (3, 4, 5), (2, 1, 3, 9), (1, 300), (50, 3), (1, 511), (2, 2, 2, 2, 6)]


@pytest.mark.parametrize(("given", "result"), SOFTMAX_ENDS)
def test_equals_tflm(given: str, result: str, chain_folder: Path, amount: Amount) -> None:
    rng = np.random.default_rng(1)
    models = [
        softmax(
            given, result, shape, float(np.float32(10.0 ** rng.uniform(-5, 1))), float(rng.choice([0.25, 1.0, 3.0]))
        )
        for shape in SHAPES * amount(1, 2)
    ]
    # Scales at which everything but the greatest is nothing, and at which nothing differs.
    models += [softmax(given, result, (4, 8), 30.0), softmax(given, result, (4, 8), 33.0)]
    models += [softmax(given, result, (4, 8), 1e3), softmax(given, result, (4, 8), 1e-7)]
    compare(models, chain_folder, rng, least=amount(20_000, 100_000))


def test_every_difference(chain_folder: Path, amount: Amount) -> None:
    """All 256 values beside the greatest there is, so that every exponent is taken."""
    shape = (256, 2)
    values = np.stack([np.arange(-128, 128), np.full(256, 127)], axis=1).astype(np.int8)
    models = [softmax("int8", "int8", shape, scale) for scale in np.geomspace(1e-4, 2.0, amount(6, 30)).tolist()]
    models += [softmax("int8", "int16", shape, scale) for scale in np.geomspace(1e-4, 2.0, amount(6, 30)).tolist()]
    assert compare(models, chain_folder, np.random.default_rng(0), lambda *_: values) == len(models) * 512


def test_every_difference_of_int16(chain_folder: Path) -> None:
    """The tables, at all their points and between."""
    values = np.stack([np.arange(-32768, 32768), np.full(65536, 32767)], axis=1).astype(np.int16)
    models = [softmax("int16", "int16", values.shape, 10.0 / 65535), softmax("int16", "int16", values.shape, 1e-4)]
    assert compare(models, chain_folder, np.random.default_rng(0), lambda *_: values) == 262_144


def test_a_long_row_of_equal_values_is_all_nothing(chain_folder: Path) -> None:
    """TFLM ends the process where the sum of exponentials reaches 512; the shares are far below half a step."""
    (shares,) = Chain(softmax("int8", "int8", (1, 1000), 0.1), chain_folder).run(np.full((1, 1000), 5, np.int8))
    if (shares != -128).any():
        raise Differs(f"{shares}")


def test_logarithms(chain_folder: Path, amount: Amount) -> None:
    rng = np.random.default_rng(5)
    models = [log_softmax(shape, float(np.float32(10.0 ** rng.uniform(-5, 1)))) for shape in SHAPES * amount(1, 2)]
    models += [log_softmax((4, 8), scale) for scale in (30.0, 33.0, 1e3, 2.0**-25, 1.5 * 2.0**-26)]
    models += [log_softmax((20, depth), 0.05) for depth in range(1, 40, amount(4, 1))]
    compare(models, chain_folder, rng, least=amount(20_000, 100_000))


def test_every_difference_of_logarithms(chain_folder: Path, amount: Amount) -> None:
    values = np.stack([np.arange(-128, 128), np.full(256, 127)], axis=1).astype(np.int8)
    models = [log_softmax(values.shape, scale) for scale in np.geomspace(1e-4, 2.0, amount(6, 30)).tolist()]
    assert compare(models, chain_folder, np.random.default_rng(0), lambda *_: values) == len(models) * 512


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (softmax("int8", "int8", (1, 4096), 0.1), "rows of 4096 values"),
        (softmax("int8", "int8", (1, 4), 0.1, ends=(1 / 128, -128)), "scale 0.00390625"),
        (softmax("int8", "int8", (1, 4), 0.1, ends=(1 / 256, 0)), "zero point -128"),
        (softmax("int8", "int8", (1, 4), 1e-9), "too small"),
        (log_softmax((1, 4), 2.0**-26), "too small"),
        (log_softmax((1, 4), 0.1, (1 / 16, 0)), "zero point 127"),
        (softmax("uint8", "uint8", (1, 4), 0.1, ends=(1 / 256, 0)), "goes from uint8 to uint8"),
    ],
)
def test_what_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(ModelError, match=f"operator 0 (LOG_)?SOFTMAX .*{cause}"):
        compile_model(data, "the model", cmsis=False, profile="portable32")
