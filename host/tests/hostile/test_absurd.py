"""A small file that claims to be large takes neither memory nor time, and leads to no other file."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import h5py
import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import kinds, tflite, worker
from tinyhil.errors import InputError, ModelError
from tinyhil.process import Limits
from tinyhil.progress import Silent
from tinyhil.quantize import keras_config, keras_sizes, vectors
from tinyhil.tflite.objects import pack

from ..layered import Network
from . import seeds


def keras(path: Path, *layers: dict[str, Any], weights: bytes = b"", members: dict[str, bytes] | None = None) -> Path:
    head = {"class_name": "InputLayer", "module": "keras.layers", "config": {"batch_shape": [None, 3], "name": "in"}}
    config = {"class_name": "Sequential", "module": "keras", "config": {"name": "s", "layers": [head, *layers]}}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {
            "config.json": json.dumps(config).encode(),
            "metadata.json": b"{}",
            "model.weights.h5": weights,
            **(members or {}),
        }.items():
            archive.writestr(name, content)
    return path


def layer(kind: str, **config: object) -> dict[str, Any]:
    return {"class_name": kind, "module": "keras.layers", "config": {"name": f"the {kind}", **config}}


HUGE = {
    "Dense": layer("Dense", units=2**31 - 1),
    "Embedding": layer("Embedding", input_dim=10_000_000, output_dim=10_000),
    "UpSampling2D": layer("UpSampling2D", size=[65536, 65536]),
    "ZeroPadding2D": layer("ZeroPadding2D", padding=[[10**9, 0], [0, 0]]),
    "RepeatVector": layer("RepeatVector", n=10**12),
    "Conv2D": layer("Conv2D", filters=1_000_000, kernel_size=[1000, 1000]),
    "LSTM": layer("LSTM", units=10_000_000),
    "MultiHeadAttention": layer("MultiHeadAttention", num_heads=100_000, key_dim=100_000),
    "Reshape": layer("Reshape", target_shape=[2**15, 2**15]),
    "Dense of many inputs": layer("Dense", units=60_000) | {"build_config": {"input_shape": [None, 60_000]}},
    "Dense in a model": layer("Sequential", layers=[layer("Dense", units=2**31 - 1)]),
}


@pytest.mark.parametrize("kind", HUGE)
def test_a_layer_that_is_larger_than_its_file(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ModelError, match="larger than any microcontroller") as caught:
        keras_config.inputs(keras(tmp_path / "m.keras", HUGE[kind]))
    assert "m.keras: layer 'the " in caught.value.message


def test_layers_of_a_usual_size(tmp_path: Path) -> None:
    usual = (
        layer("Dense", units=512, kernel_initializer={"class_name": "GlorotUniform", "config": {"seed": 2**31 - 1}}),
        layer("Embedding", input_dim=20_000, output_dim=16),
        layer("IntegerLookup", vocabulary=[2**40]),
        layer("UpSampling2D", size=[2, 2]),
        layer("Conv2D", filters=64, kernel_size=[3, 3], seed=2**40),
    )
    assert keras_config.inputs(keras(tmp_path / "m.keras", *usual))[0].shape == (3,)


@pytest.mark.parametrize("shape", [[None, True], [None, -3], [None, 0], [None, 2.5], [None, [3]], [None, "3"]])
def test_an_input_whose_shape_is_none(tmp_path: Path, shape: list[object]) -> None:
    head = layer("InputLayer", batch_shape=shape)
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": [head]}}))
    with pytest.raises(ModelError, match=r"which is none|not say what shape"):
        keras_config.inputs(tmp_path / "m.keras")


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "..\\x", "C:\\x", "C:/x"])
def test_an_archive_that_leads_out_of_itself(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="leads out of it"):
        keras_config.inputs(keras(tmp_path / "m.keras", members={name: b""}))


def test_an_archive_with_a_link(tmp_path: Path) -> None:
    path = keras(tmp_path / "m.keras")
    link = zipfile.ZipInfo("assets")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc")
    with pytest.raises(ModelError, match="leads out of it"):
        keras_config.inputs(path)


def hdf5(fill: Callable[[h5py.File], object]) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream.getvalue()


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    file.create_virtual_dataset("v", layout)


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda file: file.create_dataset("w", (2**40,), "f4", chunks=(1024,)), "the limit is"),
        (lambda file: [file.create_dataset(f"w{i}", (2**26,), "f4", chunks=(9,)) for i in range(5)], "the limit is"),
        (lambda file: file.__setitem__("w", h5py.ExternalLink("/etc/passwd", "/")), "another file"),
        (lambda file: file.create_dataset("w", (9,), "u1", external=[("/etc/passwd", 0, 9)]), "another file"),
        (_virtual, "another file"),
    ],
)
def test_weights_that_are_not_in_the_file(tmp_path: Path, fill: Callable[[h5py.File], object], words: str) -> None:
    path = keras(tmp_path / "m.keras", weights=hdf5(fill))
    assert path.stat().st_size < 100_000
    with pytest.raises(ModelError, match=words):
        keras_sizes.refuse_weights(path, "m.keras")


def test_weights_that_lead_in_a_circle(tmp_path: Path) -> None:
    def circle(file: h5py.File) -> None:
        file.create_group("a")["b"] = file["/"]
        file["a/w"] = np.ones(3)

    keras_sizes.refuse_weights(keras(tmp_path / "m.keras", weights=hdf5(circle)), "m.keras")


def bomb(tables: int) -> bytes:
    """A model whose subgraphs are one and the same, with one and the same tensor many times."""
    builder = flatbuffers.Builder(0)
    schema.TensorStart(builder)
    tensor = schema.TensorEnd(builder)
    schema.SubGraphStartTensorsVector(builder, tables)
    for _ in range(tables):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graph = schema.SubGraphEnd(builder)
    schema.ModelStartSubgraphsVector(builder, tables)
    for _ in range(tables):
        builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, 3)
    schema.ModelAddSubgraphs(builder, graphs)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def test_tables_that_are_named_again_and_again() -> None:
    content = bomb(5000)
    assert len(content) < 50_000
    with pytest.raises(ModelError, match="more entries than it has bytes"):
        tflite.parse(content, "m.tflite")


@pytest.mark.parametrize("size", [2**24 + 1, 2**26, 2**31 - 1])
@pytest.mark.parametrize("end", ["inputs", "outputs"])
def test_an_end_that_no_memory_holds(size: int, end: str) -> None:
    made = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(seeds.models()[1], 0))
    graph = made.subgraphs[0]
    graph.tensors[getattr(graph, end)[0]].shape = [1, size]
    with pytest.raises(ModelError, match=r"the limit is|cannot carry"):
        tflite.read(pack(made), "m.tflite")


def test_fewer_vectors_are_drawn_of_large_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network((1, 100), 1)
    network.reshape((100, 1))
    specs = tflite.read(network.finish(), "m").inputs
    whole = vectors.draw(specs)[0][0]
    monkeypatch.setattr(vectors, "_DRAWN_BYTES", 1000)
    drawn = vectors.draw(specs)[0][0]
    assert len(whole) - len(drawn) == vectors.DRAWN - 10


@pytest.mark.parametrize(
    ("code", "limits", "words"),
    [
        ("bytes(1 << 30)", Limits(memory_bytes=256 << 20), "more than 256 MB of memory"),
        ("import numpy; numpy.ones(1 << 28)", Limits(memory_bytes=256 << 20), "more than 256 MB of memory"),
        ("while True: pass", Limits(processor_seconds=1), "more than 1 s of the processor"),
    ],
)
def test_a_child_that_takes_more_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, limits: Limits, words: str
) -> None:
    (tmp_path / "hungry.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    with pytest.raises(InputError, match=words) as caught:
        worker.call("hungry", {}, what="eat", reporter=Silent(), limits=limits)
    assert caught.value.kind is kinds.TOO_MUCH
