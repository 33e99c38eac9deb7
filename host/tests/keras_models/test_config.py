"""What is read of a Keras file before TensorFlow starts, and what is refused there by the layer's name."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest

import tinyhil
from tinyhil import kinds
from tinyhil.errors import ModelError
from tinyhil.quantize import keras_config
from tinyhil.quantize.keras_config import KerasInput


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": name, **config}, "registered_name": None}


def entry(name: str, *shape: int | None) -> dict[str, Any]:
    return layer("InputLayer", name, batch_shape=[None, *shape])


def sequential(*layers: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers), **config}}


def functional(input_layers: Any, *layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Functional", "config": {"name": "m", "layers": list(layers), "input_layers": input_layers}}


def saved(path: Path, config: Any) -> Path:
    """A file with nothing but a configuration."""
    text = config if isinstance(config, str) else json.dumps(config)
    if path.suffix.lower() == ".keras":
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("config.json", text)
        path.write_bytes(content.getvalue())
    else:
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = text
    return path


FIRST, SECOND = entry("b", 6, 6, 1), entry("a", None, 3)


@pytest.mark.parametrize("suffix", [".keras", ".KERAS", ".h5", ".Hdf5"])
@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (sequential(FIRST, layer("Dense", "d")), [KerasInput("b", (6, 6, 1))]),
        (sequential(sequential(SECOND), layer("Dense", "d")), [KerasInput("a", (None, 3))]),
        (sequential(layer("Dense", "d"), build_input_shape=[None, 4]), [KerasInput("d", (4,))]),
        ({"class_name": "Sequential", "config": [layer("Dense", "d", batch_input_shape=[None, 4])]}, None),
        (
            functional([["b", 0, 0], ["a", 0, 0]], SECOND, FIRST),
            [KerasInput("b", (6, 6, 1)), KerasInput("a", (None, 3))],
        ),
        (functional(["a", 0, 0], SECOND), [KerasInput("a", (None, 3))]),
        (functional({"z": ["b", 0, 0], "y": ["a", 0, 0]}, FIRST, SECOND), "y first"),
    ],
)
def test_inputs_are_found_in_the_models_order(tmp_path: Path, suffix: str, config: Any, wanted: Any) -> None:
    found = keras_config.inputs(saved(tmp_path / f"m{suffix}", config))
    if wanted == "y first":  # as Keras flattens a dict
        assert [each.name for each in found] == ["a", "b"]
    else:
        assert list(found) == (wanted or [KerasInput("d", (4,))])


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("bad", "cause", "way_out"),
    [
        (layer("Lambda", "mine", function={"class_name": "__lambda__"}), "layer 'mine' is a Lambda layer", "keras.ops"),
        (layer("Activation", "mine", activation={"class_name": "__lambda__"}), "layer 'mine' is a Lambda", "keras.ops"),
        (layer("TimeDistributed", "outer", layer=layer("Lambda", "mine")), "layer 'mine' is a Lambda", "keras.ops"),
        ({**layer("Snake", "mine"), "module": "zoo"}, "layer 'mine' needs Snake", "from_keras_model"),
        ({**layer("Snake", "mine"), "registered_name": "zoo>Snake"}, "layer 'mine' needs Snake", "from_keras_model"),
        (
            layer("Dense", "mine", activation={"module": "builtins", "class_name": "function", "config": "wave"}),
            "layer 'mine' needs wave",
            "from_keras_model",
        ),
    ],
)
def test_code_is_refused_by_the_layers_name(
    tmp_path: Path, suffix: str, bad: dict[str, Any], cause: str, way_out: str
) -> None:
    path = saved(tmp_path / f"m{suffix}", sequential(FIRST, bad))
    with pytest.raises(ModelError) as caught:
        keras_config.inputs(path)
    assert str(path) in caught.value.message
    assert cause in caught.value.message
    assert way_out in caught.value.hint


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        (sequential(layer("Dense", "d")), "does not say what shape its input has"),
        ({"class_name": "MyModel", "config": {"name": "m"}}, "of the class MyModel, whose graph is code"),
        ("{", "its configuration is not JSON"),
        ([1], "is not that of a model"),
        ("[" * 100_000, "its configuration is not JSON"),
    ],
)
def test_what_says_no_input_is_refused_with_a_next_step(tmp_path: Path, config: Any, cause: str) -> None:
    with pytest.raises(ModelError) as caught:
        keras_config.inputs(saved(tmp_path / "m.keras", config))
    assert cause in caught.value.message
    assert caught.value.hint


def test_damaged_and_half_files(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no HDF5")
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["w"] = [1.0]
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("README", "")
    for name, kind in (("text.h5", kinds.DAMAGED_MODEL), ("other.keras", kinds.DAMAGED_MODEL), ("weights.h5", None)):
        with pytest.raises(ModelError) as caught:
            keras_config.inputs(tmp_path / name)
        assert name in caught.value.message
        assert caught.value.hint
        assert kind is None or caught.value.kind is kind
    with pytest.raises(ModelError, match="has weights and no model") as caught:
        keras_config.inputs(tmp_path / "weights.h5")
    assert "model.load_weights" in caught.value.hint


def test_a_saved_model_is_not_run_and_the_line_that_converts_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(tinyhil.InputError, match="mine is a SavedModel") as caught:
        tinyhil.run(tmp_path / "mine", target="sim", build_dir=tmp_path / "build")
    assert f"load_model('{tmp_path / 'mine'}').save('model.h5')" in caught.value.hint
    assert not (tmp_path / "build").exists()


@pytest.mark.long
def test_the_line_that_converts_a_saved_model_makes_a_file_that_runs(tmp_path: Path) -> None:
    made = "import keras; keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).export('mine')"
    subprocess.run([sys.executable, "-c", made], cwd=tmp_path, check=True, capture_output=True)
    with contextlib.chdir(tmp_path), pytest.raises(tinyhil.InputError, match="SavedModel") as caught:
        tinyhil.run("mine", target="sim")
    line = re.findall(r"python (-c \"import tensorflow.*?\")", caught.value.hint)[0]
    subprocess.run([sys.executable, *shlex.split(line)], cwd=tmp_path, check=True, capture_output=True)
    report = tinyhil.run(tmp_path / "mine.tflite", target="sim", build_dir=tmp_path / "build")
    assert report.verdict == "pass"
