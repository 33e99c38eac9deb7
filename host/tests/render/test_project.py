"""The project on disk: the same input gives the same bytes, and what has not changed is not touched."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import resources
from tinyhil.affine import DType
from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import Project, QuantizedModel
from tinyhil.config.recipe import Demo
from tinyhil.errors import ConfigError, ModelError, StorageError
from tinyhil.render import render
from tinyhil.targets.model import Target

Quantized = Callable[[Path, bytes], QuantizedModel]
Build = Callable[..., bytes]

INFO = "src/model_info.cpp"


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """What changes when a file is written again: inode and time."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_input_gives_the_same_bytes(
    project: Project, tiny_model: bytes, quantized_model: Quantized, qemu_m4: Target, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    other, _ = render(quantized_model(tmp_path / "elsewhere", tiny_model), qemu_m4, "compiled", tmp_path / "x" / "y")
    files = resources.read_tree(project.folder)
    assert resources.read_tree(other.folder) == files
    assert replace(other, folder=project.folder) == project
    assert not [name for name, data in files.items() if str(tmp_path).encode() in data]


RENDER_AGAIN = """
import sys
from dataclasses import replace
from pathlib import Path
from tinyhil.artifacts.types import QuantizedModel, Vectors
from tinyhil import tflite
from tinyhil.render import render
from tinyhil.targets import registry

path, folder, sha256 = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
facts = tflite.read(path.read_bytes(), path.name)
vectors = Vectors((), (), None, False)
model = QuantizedModel("tiny", path, sha256, "int8", facts.inputs, facts.outputs, facts.ops, vectors, "", "")
print(render(model, registry.get("qemu-m4"), "compiled", folder)[0].sha256)
"""


def test_another_process_gives_the_same_bytes(
    project: Project, model: QuantizedModel, child_environment: dict[str, str], tmp_path: Path
) -> None:
    """Python orders its sets anew in each process."""
    done = subprocess.run(
        [sys.executable, "-c", RENDER_AGAIN, str(model.path), str(tmp_path / "again"), model.sha256],
        env={**child_environment, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == project.sha256, done.stderr
    assert resources.read_tree(tmp_path / "again") == resources.read_tree(project.folder)


def test_a_second_rendering_touches_nothing(project: Project, model: QuantizedModel, qemu_m4: Target) -> None:
    before = stamps(project.folder)
    again, found = render(model, qemu_m4, "compiled", project.folder)
    assert found
    assert again == project
    assert stamps(project.folder) == before


@pytest.mark.parametrize("name", [INFO, "src/main.cpp", "platformio.ini"])
def test_only_an_edited_file_is_written_again(
    project: Project, model: QuantizedModel, qemu_m4: Target, name: str
) -> None:
    files, before = resources.read_tree(project.folder), stamps(project.folder)
    with (project.folder / name).open("a") as stream:
        stream.write("edited")
    again, found = render(model, qemu_m4, "compiled", project.folder)
    assert not found
    assert again == project
    assert resources.read_tree(project.folder) == files
    after = stamps(project.folder)
    assert [path for path in before if after[path] != before[path]] == [name]


def test_what_no_longer_belongs_is_removed_and_what_is_the_users_is_not(
    project: Project, model: QuantizedModel, qemu_m4: Target
) -> None:
    files = resources.read_tree(project.folder)
    stale = ["src/old.cpp", "lib/old/old.h", "lib/model/bknn_old.c", "old.txt"]
    kept = [".pio/build/qemu-m4/firmware.elf", ".vscode/settings.json", ".git/HEAD"]
    for name in stale + kept:
        path = project.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    _, found = render(model, qemu_m4, "compiled", project.folder)
    assert not found
    after = resources.read_tree(project.folder)
    assert {name: data for name, data in after.items() if name not in kept} == files
    assert {name: after[name] for name in kept} == {name: name.encode() for name in kept}
    _, found = render(model, qemu_m4, "compiled", project.folder)
    assert found


def _weight(index: int) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        model.buffers[1].data[index] ^= 1

    return edit


def _scale(model: Any) -> None:
    model.subgraphs[0].tensors[3].quantization.scale = [0.75000006]  # the next float32


@pytest.mark.parametrize("edit", [*map(_weight, range(6)), _scale], ids=[*(f"weight{i}" for i in range(6)), "scale"])
def test_another_model_is_another_project(
    project: Project,
    build_tflite: Build,
    quantized_model: Quantized,
    qemu_m4: Target,
    tmp_path: Path,
    edit: Callable[[Any], None],
) -> None:
    """Even where the model's own hash is left as it was."""
    changed = quantized_model(tmp_path, build_tflite(edit))
    other, found = render(replace(changed, sha256=project.model_sha256), qemu_m4, "compiled", project.folder)
    assert not found
    assert other.sha256 != project.sha256


def test_another_target_is_another_project(
    project: Project, model: QuantizedModel, qemu_m4: Target, tmp_path: Path
) -> None:
    link = msgspec.structs.replace(qemu_m4.link, max_payload=qemu_m4.link.max_payload // 2)
    other, _ = render(model, msgspec.structs.replace(qemu_m4, link=link), "compiled", tmp_path / "other")
    assert other.sha256 != project.sha256
    config = (other.folder / "include" / "tinyhil_config.h").read_text()
    assert f"#define TINYHIL_MAX_PAYLOAD {link.max_payload}\n" in config


def test_the_projects_hash_is_the_one_that_it_says(project: Project) -> None:
    """Over all files, as the comment in the file has it: with the hash itself taken as zeros."""
    files = resources.read_tree(project.folder)
    spelt = ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(project.sha256))
    text = files[INFO].decode()
    assert text.count(spelt) == 1
    zeros = ", ".join(["0x00"] * 32)
    assert hashing.of_tree({**files, INFO: text.replace(spelt, zeros).encode()}) == project.sha256


def test_the_project_stands_alone(project: Project, model: QuantizedModel, qemu_m4: Target) -> None:
    files = resources.read_tree(project.folder)
    ini = configparser.ConfigParser()
    ini.read_string(files["platformio.ini"].decode())
    assert qemu_m4.build is not None
    assert project.environment == qemu_m4.name
    environment = ini[f"env:{project.environment}"]
    assert environment["board"] == qemu_m4.build.board
    # Its own platform, which knows the board.
    platform = f"{ini['platformio']['platforms_dir']}/{environment['platform']}"
    assert json.loads(files[f"{platform}/platform.json"])["name"] == environment["platform"]
    assert f"{platform}/boards/{qemu_m4.build.board}.json" in files
    for name, data in files.items():
        if name.endswith(".json"):
            assert isinstance(json.loads(data), dict), name
        if "/model/" not in name:  # of which only two files are ours
            assert b"{{" not in data, name
            assert b"{%" not in data, name
    assert {name.split("/")[2] for name in files if name.startswith("lib/tinyhil_engine/") and name.count("/") > 2} == {
        "compiled"
    }
    ports = {name.split("/")[2] for name in files if name.startswith("lib/tinyhil_port/") and name.count("/") > 2}
    assert ports == set(qemu_m4.build.ports)
    assert (project.model_sha256, project.engine) == (model.sha256, "compiled")
    assert project.kernels.startswith("bakenn ")
    assert project.kernels.endswith(f"{qemu_m4.engines['compiled'].kernels} with DSP")


CONFIG = "include/tinyhil_config.h"
TURN = Demo(start=-1.0, end=1.0, steps=64)


def _one_number(model: QuantizedModel) -> QuantizedModel:
    """As far as the rendering looks, one number in and one out."""
    inputs, outputs = ((replace(side[0], shape=(1, 1)),) for side in (model.inputs, model.outputs))
    return replace(model, inputs=inputs, outputs=outputs)


def test_a_demo_is_rendered_and_only_where_there_is_one(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    one = _one_number(model)
    without, _ = render(one, qemu_m4, "compiled", tmp_path / "without")
    with_it, _ = render(one, qemu_m4, "compiled", tmp_path / "with", TURN)
    bare, shown = (resources.read_tree(made.folder) for made in (without, with_it))
    assert {name.split("/")[1] for name in set(shown) - set(bare)} == {"tinyhil_demo"}
    assert b"DEMO" not in bare[CONFIG]
    for define in (b"FROM -1.000000000e+00f", b"STEP 3.125000000e-02f", b"STEPS 64"):
        assert b"#define TINYHIL_DEMO_" + define + b"\n" in shown[CONFIG]
    assert with_it.sha256 != without.sha256


def test_a_demo_of_a_model_that_cannot_be_shown(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    one = _one_number(model)
    for wrong in (
        model,
        replace(one, inputs=one.inputs * 2),
        replace(one, outputs=(replace(one.outputs[0], dtype=DType.FLOAT32),)),
    ):
        with pytest.raises(ConfigError, match=r"has a \[demo\], which takes a model with one int8 number"):
            render(wrong, qemu_m4, "compiled", tmp_path / "project", TURN)
    assert not (tmp_path / "project").exists()


def test_an_engine_that_the_target_does_not_have(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="target qemu-m4 has no engine 'abacus'") as caught:
        render(model, qemu_m4, "abacus", tmp_path / "project")
    assert "compiled" in caught.value.hint
    assert not (tmp_path / "project").exists()


def _cumsum(model: Any) -> None:
    code = model.operatorCodes[0]
    code.builtinCode, code.deprecatedBuiltinCode = schema.BuiltinOperator.CUMSUM, 127


def _float_weights(model: Any) -> None:
    model.subgraphs[0].tensors[1].type = 0
    model.buffers[1].data = [0] * 24


@pytest.mark.parametrize("edit", [_cumsum, _float_weights])
def test_a_model_that_the_engine_does_not_compute_is_refused(
    build_tflite: Build, quantized_model: Quantized, qemu_m4: Target, tmp_path: Path, edit: Callable[[Any], None]
) -> None:
    refused = quantized_model(tmp_path, build_tflite(edit))
    with pytest.raises(ModelError, match=r"the engine 'compiled' cannot compute model\.tflite: .") as caught:
        render(refused, qemu_m4, "compiled", tmp_path / "project")
    assert "operator 0" in caught.value.message
    assert not (tmp_path / "project").exists()


def test_a_folder_that_cannot_be_written(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=str(tmp_path / "file")):
        render(model, qemu_m4, "compiled", tmp_path / "file" / "project")


def test_a_folder_where_a_file_should_be(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    (tmp_path / "project" / "platformio.ini").mkdir(parents=True)
    with pytest.raises(StorageError, match=str(tmp_path / "project")):
        render(model, qemu_m4, "compiled", tmp_path / "project")
