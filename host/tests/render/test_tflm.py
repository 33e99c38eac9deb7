"""What is rendered for the engine tflm: the model file, exactly its operators, and an arena."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import resources
from tinyhil.artifacts.types import Project, QuantizedModel
from tinyhil.config import toml
from tinyhil.errors import ConfigError, ModelError
from tinyhil.preflight import nearest
from tinyhil.render import arena, render, tflm
from tinyhil.targets import registry
from tinyhil.targets.model import Chip, Engine, Target

Build = Callable[..., bytes]

HEADER = "lib/model/model_tflm.h"


@pytest.fixture
def engine(qemu_m4: Target) -> Engine:
    return qemu_m4.engines["tflm"]


@pytest.fixture
def interpreted(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> Project:
    made, found = render(model, qemu_m4, "tflm", tmp_path / "tflm" / "project")
    assert not found
    return made


def arena_bytes(project: Project) -> int:
    found = re.search(r"kArenaBytes = (\d+);", (project.folder / HEADER).read_text())
    assert found
    return int(found[1])


def test_the_model_file_is_in_the_project_byte_by_byte(interpreted: Project, model: QuantizedModel) -> None:
    text = (interpreted.folder / "lib/model/model_data.cpp").read_text()
    assert "alignas(16) const uint8_t kModel[]" in text
    body = text[text.index("= {") + 3 : text.index("};")]
    assert bytes(int(value) for value in body.replace("\n", "").rstrip(", ").split(",")) == model.path.read_bytes()


def test_it_builds_with_the_engine_it_names_and_without_the_other(interpreted: Project, project: Project) -> None:
    ours, compiled = resources.read_tree(interpreted.folder), resources.read_tree(project.folder)
    assert {path for path in ours if "/tflm/" in path or path.startswith("lib/model/")} == {
        HEADER,
        "lib/model/library.json",
        "lib/model/model_data.cpp",
        "lib/model/model_operators.cpp",
        "lib/tinyhil_engine/tflm/bare_metal.cpp",
        "lib/tinyhil_engine/tflm/engine_tflm.cpp",
    }
    assert not [path for path in ours if "compiled" in path or "bknn" in path or path.startswith("engines")]
    assert not [path for path in compiled if "tflm" in path or path.startswith("engines")]
    assert b'"tflm", false' in ours["src/model_info.cpp"]
    assert b"-Werror" in ours["lib/model/library.json"]


def test_only_a_project_with_a_library_names_one(
    interpreted: Project, project: Project, engine: Engine, qemu_m4: Target
) -> None:
    ini = (interpreted.folder / "platformio.ini").read_text().splitlines()
    assert f"lib_deps = {engine.library}" in ini
    of_target = qemu_m4.compiles.flags
    assert f"build_flags = {' '.join((*of_target, *engine.flags))}" in ini
    assert f"custom_leave_out = {' '.join(engine.leave_out)}" in ini
    other = (project.folder / "platformio.ini").read_text()
    assert "lib_deps" not in other
    assert "custom_leave_out" not in other
    assert f"build_flags = {' '.join(of_target)}" in other.splitlines()


@pytest.mark.parametrize("name", ["qemu-m33", "qemu-m7"])
def test_the_larger_cores_have_it_as_their_files_say(
    name: str, model: QuantizedModel, interpreted: Project, tmp_path: Path
) -> None:
    """It is offered beside the engine that is theirs by default, and what is rendered of the model is the same."""
    target = registry.get(name)
    said = toml.read(registry.SHIPPED / f"{name}.toml")["engines"]["tflm"]
    facts = toml.read(registry.ENGINES / f"{said['facts']}.toml")
    assert (target.default_engine, set(target.engines)) == ("compiled", {"compiled", "tflm"})
    assert (name, "tflm") in nearest(model.path.read_bytes(), "m.tflite", target)
    made, _ = render(model, target, "tflm", tmp_path / "project")
    ini = (made.folder / "platformio.ini").read_text().splitlines()
    assert f"board = {target.compiles.board}" in ini
    assert f"lib_deps = {facts['library']}" in ini
    assert f"build_flags = {' '.join((*target.compiles.flags, *said['flags']))}" in ini
    assert f"custom_leave_out = {' '.join(said['leave_out'])}" in ini
    for part in ("lib/model", "lib/tinyhil_engine"):
        ours, of_m4 = (resources.read_tree(each.folder / part) for each in (made, interpreted))
        assert {path: text.replace(name.encode(), b"qemu-m4") for path, text in ours.items()} == of_m4


def test_both_sides_of_the_library_have_the_same_flags(interpreted: Project) -> None:
    """TF_LITE_STATIC_MEMORY on one side only faults at the first inference."""
    lines = (interpreted.folder / "platformio.ini").read_text().splitlines()
    setting = [line.partition(" = ")[0] for line in lines if "TF_LITE" in line]
    assert setting == ["build_flags"]  # which the library gets as well as the project
    assert b"TF_LITE_STATIC_MEMORY" not in b"".join(resources.read_tree(interpreted.folder / "lib").values())


def test_the_same_input_gives_the_same_bytes(
    interpreted: Project, model: QuantizedModel, qemu_m4: Target, tmp_path: Path
) -> None:
    again, found = render(model, qemu_m4, "tflm", interpreted.folder)
    assert found
    assert again == interpreted
    other, _ = render(model, qemu_m4, "tflm", tmp_path / "elsewhere" / "project")
    assert resources.read_tree(other.folder) == resources.read_tree(interpreted.folder)


def test_each_operator_is_registered_once(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    ops = ("FULLY_CONNECTED", "RESHAPE", "FULLY_CONNECTED", "L2_POOL_2D")
    made, _ = render(replace(model, ops=ops), qemu_m4, "tflm", tmp_path / "project")
    calls = re.findall(r"resolver\.(\w+)\(\)", (made.folder / "lib/model/model_operators.cpp").read_text())
    assert calls == ["AddFullyConnected", "AddL2Pool2D", "AddReshape"]
    header = (made.folder / HEADER).read_text()
    assert "MicroMutableOpResolver<3>" in header
    assert "kOperators = 4;" in header


def test_all_that_cannot_be_computed_is_named_at_once(
    model: QuantizedModel, qemu_m4: Target, tmp_path: Path, engine: Engine
) -> None:
    lacking = next(op for op in tflm.ADD if op not in engine.ops)
    ops = ("ADD", "CUSTOM(Mine)", "BUILTIN_999", "WHILE", lacking, "CUSTOM(Mine)")
    with pytest.raises(ModelError) as caught:
        render(replace(model, ops=ops), qemu_m4, "tflm", tmp_path / "project")
    said = caught.value.message
    assert said.count("'Mine' is a custom one") == 1
    assert "the operator BUILTIN_999" in said
    assert "the operator WHILE" in said
    assert f"no operator {lacking}" in said
    assert "ADD " not in said
    assert not (tmp_path / "project").exists()


def test_every_operator_of_every_target_can_be_registered() -> None:
    known = {name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    assert set(tflm.ADD) <= known
    for name in registry.paths():
        facts = registry.get(name).engines.get("tflm")
        if facts is not None:
            assert set(facts.ops) <= set(tflm.ADD), name
            assert len(set(facts.ops)) == len(facts.ops)


@pytest.mark.parametrize("op", sorted(tflm.STATEFUL))
def test_a_model_that_keeps_something_says_so(model: QuantizedModel, qemu_m4: Target, tmp_path: Path, op: str) -> None:
    made, _ = render(replace(model, ops=("FULLY_CONNECTED", op)), qemu_m4, "tflm", tmp_path / "project")
    assert '"tflm", true' in (made.folder / "src/model_info.cpp").read_text()


def test_an_engine_of_an_unknown_name_is_refused(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    other = msgspec.structs.replace(qemu_m4, engines={"other": qemu_m4.engines["tflm"]})
    with pytest.raises(ConfigError, match="names the engine 'other', which tinyhil does not know"):
        render(model, other, "other", tmp_path / "project")


def test_a_measured_arena_is_taken(interpreted: Project, model: QuantizedModel, qemu_m4: Target) -> None:
    measured = arena.StoredArena(bytes=1334, smallest=1200, said=900, model_sha256=model.sha256)
    assert arena_bytes(interpreted) == arena.estimate(model.path.read_bytes())
    arena.keep(interpreted.folder.parent, measured)
    again, found = render(model, qemu_m4, "tflm", interpreted.folder)
    assert not found
    assert arena_bytes(again) == 1344  # a multiple of 16
    assert again.sha256 != interpreted.sha256


def test_what_was_measured_for_another_model_is_not_taken(
    interpreted: Project, model: QuantizedModel, qemu_m4: Target
) -> None:
    measured = arena.StoredArena(bytes=1334, smallest=1200, said=900, model_sha256="0" * 64)
    arena.keep(interpreted.folder.parent, measured)
    again, found = render(model, qemu_m4, "tflm", interpreted.folder)
    assert found
    assert again == interpreted


@pytest.mark.parametrize("text", ["", "{}", '{"bytes": 0}', '{"bytes": "many"}', '{"bytes": 1, "more": 2}', "\xff"])
def test_a_damaged_measurement_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / arena.FILE).write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"arena\.json is damaged"):
        arena.found(tmp_path, "0" * 64)


def test_the_targets_limits_hold(tiny_model: bytes, engine: Engine) -> None:
    chip = Chip(cpu="small", flash_bytes=1, ram_bytes=2000)
    assert arena.choose(tiny_model, engine, chip, None).bytes == 1488  # three quarters, a multiple of 16
    narrow = msgspec.structs.replace(engine, max_arena=1000)
    assert arena.choose(tiny_model, narrow, chip, None).bytes == 992
    with pytest.raises(ConfigError, match="an arena of 1100 bytes is asked for, the target has 992"):
        arena.choose(tiny_model, narrow, chip, 1100)
    fixed = msgspec.structs.replace(engine, default_arena=1200)
    assert arena.choose(tiny_model, fixed, chip, None).bytes == 1200
    assert arena.choose(tiny_model, fixed, chip, 600).bytes == 608


def test_the_estimate_grows_with_what_is_computed(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        model.subgraphs[0].tensors[3].shape = [1, 2 + 1024]

    # 1,024 bytes more, and a quarter on top.
    assert arena.estimate(build_tflite(edit)) - arena.estimate(build_tflite()) == 1280
    for size in (arena.estimate(build_tflite(edit)), arena.estimate(build_tflite())):
        assert size % arena.ALIGNMENT == 0
