"""Models of the user's own on the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from .cli import Cli, Done


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
    assert "78/78 outputs exact" in done.out


def custom(model: Any) -> None:
    code = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0] = schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, customCode="MyOp")
    model.subgraphs[0].operators[0].builtinOptionsType = 0
    model.subgraphs[0].operators[0].builtinOptions = None


def larger(inputs: int, outputs: int) -> Callable[[Any], None]:
    """A layer of this size."""

    def edit(model: Any) -> None:
        tensors = model.subgraphs[0].tensors
        for index, shape in enumerate(([1, inputs], [outputs, inputs], [outputs], [1, outputs])):
            tensors[index].shape = shape
        model.buffers[1].data = [1] * inputs * outputs
        model.buffers[2].data = [0] * 4 * outputs

    return edit


@pytest.mark.long
def test_each_wrong_file_is_refused_with_its_cause(
    tinyhil: Cli, model: Path, build_tflite: Callable[..., bytes]
) -> None:
    whole = model.read_bytes()
    (tinyhil.cwd / "cut.tflite").write_bytes(whole[: len(whole) // 2])
    (tinyhil.cwd / "text.tflite").write_text("a model, said the file's name")
    (tinyhil.cwd / "custom.tflite").write_bytes(build_tflite(custom))
    (tinyhil.cwd / "bad.keras").write_bytes(b"PK not a zip")
    np.savez(tinyhil.cwd / "nan.npz", x=np.full((2, 3), np.nan))
    np.savez(tinyhil.cwd / "shape.npz", x=np.zeros((2, 4)))
    np.savez(tinyhil.cwd / "pickle.npz", x=np.array([[{}]], object))
    for arguments, cause in (
        (("cut.tflite",), "is damaged or truncated"),
        (("text.tflite",), "is not a TensorFlow Lite model"),
        (("custom.tflite",), "MyOp"),
        (("none.tflite",), "there is no file none.tflite"),
        (("bad.keras",), "needs samples"),
        (("bad.keras", "--samples", "shape.npz"), "bad.keras is not a .keras file, or damaged"),
        ((model.name, "--samples", "nan.npz"), "6 values that are NaN or infinite"),
        ((model.name, "--samples", "shape.npz"), "'x' has the shape (2, 4), the model takes (samples, 3)"),
        ((model.name, "--samples", "pickle.npz"), "holds pickled Python objects"),
        ((model.name, "--samples", "none.npz"), "cannot read none.npz"),
        ((model.name, "--scheme", "int8"), "is quantized already"),
        (("sine", "--samples", "shape.npz"), "a recipe has data of its own"),
    ):
        refused(tinyhil("run", *arguments, "--target", "sim"), cause)


def refused(done: Done, cause: str) -> None:
    """A cause, a next step, and the exit code of wrong input."""
    assert done.code == 2, done.out + done.err
    assert cause in done.err
    assert "\nnext: " in done.err, done.err
    assert "Traceback" not in done.err


def test_a_custom_operator_is_named_before_anything_is_computed(
    tinyhil: Cli, build_tflite: Callable[..., bytes]
) -> None:
    (tinyhil.cwd / "custom.tflite").write_bytes(build_tflite(custom))
    done = tinyhil("preflight", "custom.tflite", "--target", "qemu-m4")
    assert done.code == 2
    assert "operator 0 CUSTOM(MyOp) is not computed by 'compiled'" in done.out
    assert "next: " in done.out


def test_a_model_that_is_too_large_for_its_chip(tinyhil: Cli, build_tflite: Callable[..., bytes]) -> None:
    """By its weights, which pre-flight sees."""
    (tinyhil.cwd / "large.tflite").write_bytes(build_tflite(larger(1, 60_000)))
    done = tinyhil("run", "large.tflite", "--target", "qemu-microbit")
    refused(done, "weights alone would take 300,000 B of flash, qemu-microbit has 262,144 B")
    assert "would take" in done.err.partition("of flash")[2], "of RAM too"
    assert "use a smaller model" in done.err
    assert not (tinyhil.cwd / "build/large/qemu-microbit").exists()


@pytest.mark.long
def test_a_model_whose_image_is_too_large(tinyhil: Cli, build_tflite: Callable[..., bytes]) -> None:
    """Only the linker sees it: what the model takes at least would fit."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("blocked: arm-none-eabi-gcc is not installed")
    (tinyhil.cwd / "wide.tflite").write_bytes(build_tflite(larger(100, 2_500)))
    assert tinyhil("preflight", "wide.tflite", "--target", "qemu-microbit").code == 0
    done = tinyhil("run", "wide.tflite", "--target", "qemu-microbit")
    assert done.code == 3, done.out + done.err
    assert "will not fit in region `FLASH'" in done.err
    assert "\nnext:  use a smaller model, or another target" in done.err
    assert "BLOCKED: neither pass nor fail" in done.err


MAKE_KERAS = """
import keras
from keras import layers
for name, middle in (("plain", layers.Dense(4)), ("code", layers.Lambda(lambda x: x * 2))):
    keras.Sequential([keras.Input((3,)), middle, layers.Dense(2)]).save(f"{name}.keras")
"""


@pytest.mark.long
def test_each_wrong_keras_file_is_refused_with_its_cause(tinyhil: Cli) -> None:
    made = subprocess.run([sys.executable, "-c", MAKE_KERAS], cwd=tinyhil.cwd, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    whole = (tinyhil.cwd / "plain.keras").read_bytes()
    (tinyhil.cwd / "cut.keras").write_bytes(whole[: len(whole) // 2])
    middle = len(whole) // 2
    (tinyhil.cwd / "flipped.keras").write_bytes(
        whole[:middle] + bytes(byte ^ 0xFF for byte in whole[middle : middle + 64]) + whole[middle + 64 :]
    )
    np.savez(tinyhil.cwd / "s.npz", x=np.zeros((8, 3)))
    np.savez(tinyhil.cwd / "nan.npz", x=np.full((8, 3), np.inf))
    np.savez(tinyhil.cwd / "shape.npz", x=np.zeros((8, 4)))
    np.savez(tinyhil.cwd / "pickle.npz", x=np.array([[{}]] * 8, object))
    for name, samples, cause in (
        ("cut", "s", "cut.keras is not a .keras file, or damaged"),
        ("flipped", "s", "flipped.keras is damaged: model.weights.h5 in it fails its CRC"),
        ("code", "s", "code.keras: layer 'lambda' is a Lambda layer"),
        ("plain", "nan", "24 values that are NaN or infinite"),
        ("plain", "shape", "has the shape (8, 4), the model takes (samples, 3)"),
        ("plain", "pickle", "holds pickled Python objects"),
    ):
        done = tinyhil("run", f"{name}.keras", "--samples", f"{samples}.npz", "--target", "sim")
        refused(done, cause)
        if name == "code":
            assert "replace it by a layer of Keras' own" in done.err


@pytest.mark.long
def test_a_name_that_is_no_identifier_in_c(tinyhil: Cli, tiny_model: bytes) -> None:
    """It reaches neither a file nor an identifier of the project."""
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    name = '3 "quoted"; int main() {}.tflite'
    (tinyhil.cwd / name).write_bytes(tiny_model)
    done = tinyhil("run", name, "--target", "native", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    report = json.loads((tinyhil.cwd / "out.json").read_text())
    assert report["recipe"] == "model-3-quoted-int-main"
    assert (report["fidelity"]["vectors"], report["fidelity"]["mismatches"]) == (261, 0)
