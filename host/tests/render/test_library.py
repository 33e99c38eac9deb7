"""The library for a project of one's own: nothing in it gets in the way, and all that the target says is there."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tinyhil import resources
from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import Project, QuantizedModel
from tinyhil.errors import ConfigError
from tinyhil.options import Options
from tinyhil.pipeline import placement
from tinyhil.render import LIBRARY, render
from tinyhil.render.library import lay_out
from tinyhil.targets import registry

CASES = [
    ("native", "compiled"),
    ("qemu-m4", "tflm"),
    ("esp32", "tflm"),
    ("nano33ble", "compiled"),
]
TOP = "tinyhil/src/tinyhil"
INFO = f"{TOP}/model_info.cpp"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
SHA256 = re.compile(rb"(kProjectSha256\[32\] = \{)([^}]+)")


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    name, engine = request.param
    return str(name), str(engine)


@pytest.fixture(scope="module")
def rendered(
    case: tuple[str, str],
    tiny_model: bytes,
    quantized_model: Callable[[Path, bytes], QuantizedModel],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    folder = tmp_path_factory.mktemp("library")
    model = quantized_model(folder, tiny_model)
    return render(model, registry.get(case[0]), case[1], folder / "project", form=LIBRARY)[0]


@pytest.fixture(scope="module")
def files(rendered: Project) -> dict[str, bytes]:
    return resources.read_tree(rendered.folder)


def sources(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if path.startswith("tinyhil/src/")}


def test_a_sketch_sees_one_header_and_begins_where_it_wants(files: dict[str, bytes]) -> None:
    assert {path for path in files if PurePosixPath(path).parent.as_posix() == "tinyhil/src"} == {
        "tinyhil/src/tinyhil.h"
    }
    assert {PurePosixPath(path).parent.as_posix() for path in sources(files)} == {"tinyhil/src", TOP}
    assert {PurePosixPath(path).name for path in files} & {"main.cpp", "sketch.cpp"} == set()
    assert all(path.startswith(("tinyhil/", "emulator/")) for path in files)


def test_every_source_finds_its_headers_without_a_flag(files: dict[str, bytes], case: tuple[str, str]) -> None:
    """By the place of who includes: that is all that the Arduino IDE gives."""
    missing = {
        name.decode()
        for path, data in sources(files).items()
        for name in INCLUDE.findall(data)
        if os.path.normpath(PurePosixPath(path).parent / name.decode()) not in files
    }
    elsewhere = {name for name in missing if name.startswith(("tensorflow/lite/", "cmsis_"))}
    assert missing - elsewhere == {"demo.h"}, "a library has no demo"
    assert bool(elsewhere) == (case[1] == "tflm")


def test_what_the_target_says_by_macros_is_in_a_header(files: dict[str, bytes], case: tuple[str, str]) -> None:
    target = registry.get(case[0])
    header = files[f"{TOP}/tinyhil_config.h"].decode()
    own = [flag.removeprefix("-D").partition("=") for flag in target.compiles.flags if flag.startswith("-DTINYHIL_")]
    assert [name for name, _, value in own if f"#define {name} {value or '1'}\n" not in header] == []
    ini = configparser.ConfigParser()
    ini.read_string(files["tinyhil/tinyhil.ini"].decode())
    facts = ini["tinyhil"]
    assert facts["board"] == target.compiles.board
    flags = facts["build_flags"]
    assert "TINYHIL_" not in flags
    assert [flag for flag in target.engines[case[1]].flags if flag not in flags] == []
    ports = [path for path in sources(files) if PurePosixPath(path).name.startswith("port_")]
    assert ports
    assert all(files[path].startswith(b'#include "tinyhil_config.h"\n') for path in ports if path.endswith(".cpp"))


def test_the_arduino_ide_is_told_of_the_engines_library(files: dict[str, bytes], case: tuple[str, str]) -> None:
    lines = dict(line.split("=", 1) for line in files["tinyhil/library.properties"].decode().splitlines())
    assert {
        "name",
        "version",
        "author",
        "maintainer",
        "sentence",
        "paragraph",
        "category",
        "architectures",
    } <= lines.keys()
    assert lines.get("depends", "") == ("Chirale_TensorFLowLite (=2.0.0)" if case[1] == "tflm" else "")


def test_its_identity_is_the_hash_of_its_files(rendered: Project, files: dict[str, bytes]) -> None:
    said = SHA256.search(files[INFO])
    assert said is not None
    assert bytes(int(value, 16) for value in said[2].split(b",")).hex() == rendered.sha256
    zeros = b", ".join([b"0x00"] * 32)
    assert hashing.of_tree({**files, INFO: SHA256.sub(rb"\g<1>" + zeros, files[INFO])}) == rendered.sha256


def test_another_model_is_another_library(
    model: QuantizedModel,
    build_tflite: Callable[..., bytes],
    quantized_model: Callable[[Path, bytes], QuantizedModel],
    tmp_path: Path,
) -> None:
    def edit(model: Any) -> None:
        model.buffers[1].data[0] ^= 1

    (tmp_path / "other").mkdir()
    changed = replace(quantized_model(tmp_path / "other", build_tflite(edit)), sha256=model.sha256)
    both = [
        render(each, registry.get("native"), "compiled", tmp_path / "x", form=LIBRARY)[0] for each in (model, changed)
    ]
    assert both[0].sha256 != both[1].sha256


def test_two_sources_of_one_name_are_no_library() -> None:
    with pytest.raises(ValueError, match="the same name"):
        lay_out({"src/a.h": b"", "lib/b/a.h": b""}, {})


def test_what_cannot_be_a_library_is_refused() -> None:
    for target in ("sim", "esp32-idf"):
        with pytest.raises(ConfigError, match=target):
            placement.chosen(Options(target=target, form=LIBRARY))
    with pytest.raises(ConfigError, match="'sketch'"):
        placement.chosen(Options(form="sketch"))
