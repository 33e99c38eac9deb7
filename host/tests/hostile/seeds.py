"""Good files, of which the hostile ones are made: made here, without TensorFlow, in a folder that can be kept."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np

import tinyhil
from tinyhil import api
from tinyhil.config import recipe as recipes
from tinyhil.experiments.bisect import bundle
from tinyhil.targets import registry

from ..layered import Network

BUILD, BUNDLE, RECORDING = "build", "bundle", "run.rec"
MODEL = "small.tflite"


def models() -> list[bytes]:
    """Small .tflite files: of one number, dense, and with convolutions, a sum and a pool."""
    one = Network((1, 1), 1)
    one.dense(8)
    one.dense(1, relu=False)
    small = Network((1, 3), 2)
    small.dense(4)
    small.dense(2, relu=False)
    picture = Network((1, 6, 6, 2), 3)
    first = picture.conv(4)
    second = picture.depthwise()
    picture.add(first, second)
    picture.max_pool()
    picture.flatten()
    picture.dense(3, relu=False)
    return [one.finish(), small.finish(), picture.finish()]


def make(folder: Path) -> None:
    """Makes what costs a run: a recording, a journal, a report, a manifest, and a bundle."""
    if (folder / BUNDLE / bundle.MANIFEST).is_file():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / MODEL
    path.write_bytes(models()[1])
    options = api.Options(target="sim", build_dir=folder / BUILD, record=folder / RECORDING, search=4, vectors="20")
    run = api.open_run(str(path), options)
    run.verify()
    model, project, image = run.quantize(), run.render(), run.build()
    vectors = model.vectors
    shown = bundle.evidence(model, vectors.reference, vectors.reference, 0, stateful=False, max_lsb=0)
    bundle.write(folder / BUNDLE, "one output", shown, [(run.target, project, image)])


def npz(method: int) -> bytes:
    """Samples of ``MODEL``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, part in (("x", np.ones((20, 3), np.float32)), ("y", np.arange(20, dtype=np.int32) % 2)):
            member = io.BytesIO()
            np.save(member, part)
            archive.writestr(f"{name}.npy", member.getvalue())
    return stream.getvalue()


def npy() -> bytes:
    """One array."""
    stream = io.BytesIO()
    np.save(stream, np.ones((20, 3)))
    return stream.getvalue()


def config() -> dict[str, object]:
    """A Keras model of two layers, as Keras 3 describes it."""
    layers = [
        {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "in"}},
        {
            "module": "keras.layers",
            "class_name": "Dense",
            "config": {"name": "dense", "units": 4, "activation": "relu", "use_bias": True},
            "build_config": {"input_shape": [None, 3]},
        },
    ]
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": layers}}


def weights(*, with_config: bool) -> bytes:
    """An HDF5 file, of Keras 2 with the model in it."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        if with_config:
            file.attrs["model_config"] = json.dumps(config())
        file.create_dataset("layers/dense/vars/0", data=np.ones((3, 4), np.float32))
        file.create_dataset("layers/dense/vars/1", data=np.ones(4, np.float32))
    return stream.getvalue()


def keras() -> bytes:
    """A .keras file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0", "date_saved": ""}))
        archive.writestr("config.json", json.dumps(config()))
        archive.writestr("model.weights.h5", weights(with_config=False))
    return stream.getvalue()


def tomls() -> list[bytes]:
    """A recipe's and a target's file."""
    return [(recipes.SHIPPED / "sine.toml").read_bytes(), (registry.SHIPPED / "sim.toml").read_bytes()]


VERSION = tinyhil.__version__
"""Of the seeds: a run of another version makes its own."""
