"""``tinyhil quantize --scheme all``: each figure by another route."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.config.recipe import Scheme

from .cli import REPOSITORY, Cli

SCHEMES: tuple[Scheme, ...] = ("float32", "int8", "int8-per-channel", "int16x8", "dynamic")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, dict[str, object]]]:
    """What the command prints, and its JSON by scheme."""
    file = tmp_path_factory.mktemp("quantize") / "all.json"
    done = Cli(REPOSITORY)("quantize", "sine", "--scheme", "all", "--json", file)
    assert done.code == 0, done.err
    made = json.loads(file.read_text())
    assert made["recipe"] == "sine"
    assert [row["scheme"] for row in made["schemes"]] == list(SCHEMES)
    return done.out, {row["scheme"]: row for row in made["schemes"]}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_row_is_what_the_file_is(printed: tuple[str, dict[str, dict[str, object]]], scheme: str) -> None:
    out, rows = printed
    row = rows[scheme]
    file = REPOSITORY / str(row["model"])
    data = file.read_bytes()
    assert row["bytes"] == file.stat().st_size
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    assert row["ops"] == ["FULLY_CONNECTED"] * len(model.subgraphs[0].operators)

    with np.load(REPOSITORY / "build/sine/model/train/dataset.npz") as sets:
        test_x, test_y = sets["test_x"], sets["test_y"]
    outputs, floats = (
        predictions(data, test_x),
        predictions(Path(REPOSITORY / str(rows["float32"]["model"])).read_bytes(), test_x),
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
    printed: tuple[str, dict[str, dict[str, object]]], scheme: str
) -> None:
    row = printed[1][scheme]
    engines = row["engines"]
    assert isinstance(engines, list)
    for target, engine in (("qemu-m4", "compiled"), ("sim", "tflm-host"), ("nano33ble", "tflm")):
        (facts,) = (each for each in engines if (each["target"], each["engine"]) == (target, engine))
        done = Cli(REPOSITORY)("preflight", str(row["model"]), "--target", target, "--engine", engine)
        assert done.code == (2 if facts["problems"] else 0), done.out
