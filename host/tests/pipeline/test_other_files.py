"""A path is never an unknown recipe: what is no model is named for what it is, with the way to one."""

from __future__ import annotations

import base64
import gzip
import io
import os
import pickle
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyhil import api, kinds
from tinyhil.errors import InputError

from ..hostile import seeds


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("model.tflite"))
    return stream.getvalue()


def array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ones(3))
    return stream.getvalue()


def c_array(model: bytes) -> bytes:
    rows = ", ".join(f"0x{byte:02x}" for byte in model)
    return f"const unsigned char model[] = {{\n  {rows}\n}};\nconst int model_len = {len(model)};\n".encode()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
KINDS: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a pointer": ("m.tflite", lambda _: LFS, "Git LFS pointer"),
    "a pointer of Keras": ("m.keras", lambda _: LFS, "Git LFS pointer"),
    "a page": ("m.tflite", lambda _: b"\n<!DOCTYPE html><html></html>", "page of the web"),
    "a page of h5": ("m.h5", lambda _: b"<html lang='en'>", "page of the web"),
    "a C array": ("m.cc", c_array, "C array"),
    "a C header": ("m.h", c_array, "C array"),
    "an array with a model's ending": ("m.tflite", c_array, "C array"),
    "a zip": ("m.zip", lambda _: zipped("a/model.tflite"), "a zip archive, with a/model.tflite"),
    "a zip with a model's ending": ("m.tflite", lambda _: zipped("a.txt"), "a zip archive"),
    "PyTorch": ("m.pt", lambda _: zipped("m/data.pkl", "m/version"), "PyTorch"),
    "PyTorch in Keras' ending": ("m.keras", lambda _: zipped("m/data.pkl"), "PyTorch"),
    "a pickle": ("m.bin", lambda _: pickle.dumps([1]), "pickle"),
    "ONNX": ("m.onnx", lambda _: b"\x08\x08\x12\x07pytorch", "ONNX"),
    "ONNX with another ending": ("m.tflite", lambda _: b"\x08\x0a\x12\x07pytorch", "ONNX"),
    "gzip": ("m.tflite.gz", gzip.compress, "gzip"),
    "a tar": ("m.tar", lambda _: tarred(), "tar archive"),
    "base64": ("m.txt", base64.b64encode, "base64"),
    "HDF5 without its ending": ("m.model", lambda _: b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5"),
    "HDF5 as text": ("m.h5", lambda _: b"\x89HDF\n\x1a\n" + bytes(99), "copied as text"),
    "Keras with another ending": ("m.zip", lambda _: zipped("config.json", "metadata.json"), "a Keras model"),
    "a model without an ending": ("model", lambda model: model, "a TensorFlow Lite model"),
    "weights": ("m.safetensors", lambda _: (90).to_bytes(8, "little") + b'{"a": {}}', "safetensors"),
    "firmware": ("m.elf", lambda _: b"\x7fELF" + bytes(60), "firmware"),
    "samples": ("m.npy", lambda _: array(), "NumPy"),
    "TensorFlow.js": ("model.json", lambda _: b'{"format": "layers-model", "modelTopology": {}}', "TensorFlow.js"),
    "a recipe's file": ("sine.toml", lambda _: b'name = "sine"\n', "a recipe is named"),
    "nothing": ("m.tflite", lambda _: b"", "empty"),
    "nothing known": ("m.xyz", lambda _: b"hello", "no model file that is known"),
    "UTF-16": ("m.tflite", lambda _: "abc".encode("utf-16"), "UTF-16"),
}


def refusal(model: Path | str, folder: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        api.open_run(model, target="sim", build_dir=folder / "build")
    assert "unknown recipe" not in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_file_is(tmp_path: Path, tiny_model: bytes, kind: str) -> None:
    name, make, words = KINDS[kind]
    path = tmp_path / name
    path.write_bytes(make(tiny_model))
    error = refusal(path, tmp_path)
    assert words in f"{error.message} {error.hint}"
    assert path.name in error.message
    assert "{" not in error.hint.replace("{1,2}", "")


@pytest.mark.parametrize(
    "damage",
    [
        lambda model: model.replace(b"\n", b"\r\n"),
        lambda model: model.decode("utf-8", "replace").encode(),
    ],
)
def test_a_model_that_was_copied_as_text(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path, whole = tmp_path / "m.tflite", seeds.models()[2]
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole
    error = refusal(path, tmp_path)
    assert "copied as text" in error.message
    assert error.kind is kinds.DAMAGED_MODEL


def test_a_keras_file_that_was_copied_as_text(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", "{\n}")
        archive.writestr("config.json", "{\n}")
    path = tmp_path / "m.keras"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    np.savez(tmp_path / "s.npz", x=np.ones((4, 3)))
    with pytest.raises(InputError, match="copied as text"):
        api.open_run(path, target="sim", samples=tmp_path / "s.npz", build_dir=tmp_path / "build")


def test_the_way_out_of_a_c_array_works(tmp_path: Path, tiny_model: bytes) -> None:
    (tmp_path / "m.cc").write_bytes(c_array(tiny_model))
    words = refusal(tmp_path / "m.cc", tmp_path).hint.partition(": ")[2]
    command = shlex.split(words)
    assert command[:2] == ["python3", "-c"]
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, check=True)
    assert (tmp_path / "model.tflite").read_bytes() == tiny_model


def test_folders_and_what_is_no_file(tmp_path: Path, tiny_model: bytes) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/saved_model.pb").write_bytes(b"")
    assert "SavedModel" in refusal(tmp_path / "saved", tmp_path).message
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.TFLITE").write_bytes(tiny_model)
    assert "a folder, with a.TFLITE" in refusal(tmp_path / "models", tmp_path).message
    (tmp_path / "none").mkdir()
    assert "has no model file" in refusal(tmp_path / "none", tmp_path).message
    os.mkfifo(tmp_path / "pipe.tflite")
    assert "a pipe" in refusal(tmp_path / "pipe.tflite", tmp_path).message
    (tmp_path / "link.keras").symlink_to("nowhere")
    assert "leads nowhere" in refusal(tmp_path / "link.keras", tmp_path).message
    assert "did you mean" in refusal(tmp_path / "models/a.keras", tmp_path).hint
    for name in ("./nothing", "~/m", "a\\b", "nothing.model", str(tmp_path / "x")):
        assert "there is no file" in refusal(name, tmp_path).message
    for name, why in {
        f"{tmp_path}/{'a' * 300}.tflite": "File name too long",
        f"{'a/' * 3000}.keras": "File name too long",
        "a\0b.tflite": "null byte",
    }.items():
        assert why in refusal(name, tmp_path).message


def test_a_suffix_in_capitals_is_a_model(tmp_path: Path, tiny_model: bytes) -> None:
    (tmp_path / "MODEL.TFLITE").write_bytes(tiny_model)
    assert api.open_run(tmp_path / "MODEL.TFLITE", target="sim", build_dir=tmp_path / "build").name == "model"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "sin"}, "did you mean sine?"),
        ({"model": "Sine"}, "did you mean sine?"),
        ({"model": "digit"}, "did you mean digits?"),
        ({"model": "sine", "target": "qemu-m5"}, "did you mean qemu-m"),
        ({"model": "sine", "target": "qemu-m4", "engine": "tlfm"}, "did you mean tflm?"),
        ({"model": "sine", "target": "sim", "scheme": "int-8"}, "did you mean int8?"),
    ],
)
def test_a_name_that_is_nearly_one(tmp_path: Path, options: dict[str, str], words: str) -> None:
    named = dict(options)
    with pytest.raises(InputError) as caught:
        api.open_run(named.pop("model"), build_dir=tmp_path / "build", **named)  # type: ignore[arg-type]
    assert caught.value.kind is kinds.UNKNOWN_NAME
    assert words in caught.value.hint


def test_a_model_named_without_its_ending(tmp_path: Path, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.tflite").write_bytes(tiny_model)
    with pytest.raises(InputError) as caught:
        api.open_run("mine", target="sim")
    assert caught.value.hint == "did you mean mine.tflite?"
