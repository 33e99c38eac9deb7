"""Models of the user's own on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from .cli import Cli


@pytest.fixture
def model(tinyhil: Cli, tiny_model: bytes) -> Path:
    path = tinyhil.cwd / "Mine 1.tflite"
    path.write_bytes(tiny_model)
    return path


def test_a_tflite_file_is_judged_by_its_fidelity_alone(tinyhil: Cli, model: Path) -> None:
    done = tinyhil("run", model.name, "--target", "sim", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    assert "PASS  mine-1 on sim (tflm-host): 261/261 outputs exact; accuracy not judged: there is no float model" in (
        done.out
    )
    assert "drawn, there are no samples" in done.out
    report = json.loads((tinyhil.cwd / "out.json").read_text())
    assert report["accuracy"] is None
    assert report["fidelity"]["vectors"] == 261
    np.savez(tinyhil.cwd / "s.npz", x=np.random.default_rng(1).uniform(-50, 50, (9, 3)))
    done = tinyhil("run", model.name, "--target", "sim", "--samples", "s.npz")
    assert done.code == 0, done.out + done.err
    assert "12/12 outputs exact" in done.out


def custom(model: Any) -> None:
    code = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0] = schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, customCode="MyOp")
    model.subgraphs[0].operators[0].builtinOptionsType = 0
    model.subgraphs[0].operators[0].builtinOptions = None


def test_each_wrong_file_is_refused_with_its_cause(
    tinyhil: Cli, model: Path, build_tflite: Callable[..., bytes]
) -> None:
    (tinyhil.cwd / "cut.tflite").write_bytes(model.read_bytes()[:200])
    (tinyhil.cwd / "custom.tflite").write_bytes(build_tflite(custom))
    (tinyhil.cwd / "bad.keras").write_bytes(b"PK not a zip")
    np.savez(tinyhil.cwd / "nan.npz", x=np.full((2, 3), np.nan))
    np.savez(tinyhil.cwd / "shape.npz", x=np.zeros((2, 4)))
    np.savez(tinyhil.cwd / "pickle.npz", x=np.array([[{}]], object))
    for arguments, cause in (
        (("cut.tflite",), "is damaged or truncated"),
        (("custom.tflite",), "MyOp"),
        (("none.tflite",), "there is no file none.tflite"),
        (("bad.keras",), "needs samples"),
        (("bad.keras", "--samples", "shape.npz"), "bad.keras is not a .keras file, or damaged"),
        ((model.name, "--samples", "nan.npz"), "6 values that are NaN or infinite"),
        ((model.name, "--samples", "shape.npz"), "'x' has the shape (2, 4), the model takes (samples, 3)"),
        ((model.name, "--samples", "pickle.npz"), "holds pickled objects"),
        ((model.name, "--samples", "none.npz"), "cannot read none.npz"),
        ((model.name, "--scheme", "int8"), "is quantized already"),
        (("sine", "--samples", "shape.npz"), "a recipe has data of its own"),
    ):
        done = tinyhil("run", *arguments, "--target", "sim")
        assert done.code == 2, (arguments, done.out + done.err)
        assert cause in done.err, arguments
        assert "Traceback" not in done.err
