"""What is rendered and built for a target that runs the model file itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tinyhil import resources, tflite
from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import FirmwareImage, Project, QuantizedModel
from tinyhil.build import build, prebuilt
from tinyhil.errors import ConfigError, InputError
from tinyhil.progress import Silent
from tinyhil.render import render
from tinyhil.sim import facts
from tinyhil.targets.model import Target

from .conftest import ENGINE


def test_the_project_is_the_model_and_what_the_device_says_of_it(project: Project, model: QuantizedModel) -> None:
    files = resources.read_tree(project.folder)
    assert set(files) == {"README.md", facts.FACTS, facts.MODEL}
    assert files[facts.MODEL] == model.path.read_bytes()
    assert b"python -m tinyhil.sim ." in files["README.md"]
    known, data = facts.load(project.folder)
    assert data == files[facts.MODEL]
    assert tuple(tensor.spec for tensor in known.inputs) == model.inputs
    assert tuple(tensor.spec for tensor in known.outputs) == model.outputs
    assert (known.model_sha256, known.project_sha256) == (model.sha256, project.sha256)
    assert not known.stateful
    assert project.kernels.startswith("tflite-micro ")


def test_the_projects_hash_is_over_all_files_with_itself_as_zeros(project: Project) -> None:
    files = resources.read_tree(project.folder)
    described = files[facts.FACTS]
    assert described.count(project.sha256.encode()) == 1
    zeros = described.replace(project.sha256.encode(), b"0" * 64)
    assert hashing.of_tree({**files, facts.FACTS: zeros}) == project.sha256


def test_the_same_input_gives_the_same_bytes_and_another_payload_others(
    project: Project, model: QuantizedModel, sim: Target, tmp_path: Path
) -> None:
    again, found = render(model, sim, ENGINE, project.folder)
    assert (again, found) == (project, True)
    link = msgspec.structs.replace(sim.link, max_payload=sim.link.max_payload // 2)
    other, _ = render(model, msgspec.structs.replace(sim, link=link), ENGINE, tmp_path / "other")
    assert other.sha256 != project.sha256


def test_a_long_name_is_cut_as_the_link_carries_it(model: QuantizedModel, sim: Target, tmp_path: Path) -> None:
    long = replace(model.inputs[0], name="x" * 62 + "ö")
    render(replace(model, inputs=(long,)), sim, ENGINE, tmp_path / "long")
    assert facts.load(tmp_path / "long")[0].inputs[0].name == "x" * 62


def test_a_model_with_a_variable_keeps_state(model: QuantizedModel, sim: Target, tmp_path: Path) -> None:
    for op in tflite.STATEFUL:
        render(replace(model, ops=("ADD", op)), sim, ENGINE, tmp_path / op)
        assert facts.load(tmp_path / op)[0].stateful


def test_the_image_has_no_size_and_is_found_the_second_time(
    image: FirmwareImage, project: Project, sim: Target
) -> None:
    assert (image.flash_bytes, image.ram_bytes, image.sections) == (None, None, {})
    assert "tflite-micro" in image.tool_versions
    assert build(project, sim, image.elf.parent, Silent()) == (image, True)
    assert image.sha256 == hashing.of_file(image.elf)
    assert set(image.tool_sha256) == set(image.tool_versions)
    unknown = prebuilt(image.elf, project, sim)
    assert (unknown.tool_versions, unknown.tool_sha256) == ({}, {})
    assert replace(unknown, tool_versions=image.tool_versions, tool_sha256=image.tool_sha256) == image


@pytest.mark.parametrize("name", [facts.FACTS, facts.MODEL])
def test_an_image_that_was_changed_is_made_again(
    image: FirmwareImage, project: Project, sim: Target, name: str
) -> None:
    path = image.elf.with_name(name)
    whole = path.read_bytes()
    path.write_bytes(whole + b" ")
    assert build(project, sim, image.elf.parent, Silent()) == (image, False)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[:-40], "is not a description of a device, or damaged"),
        (lambda text: text.replace('"INT8"', '"INT4"', 1), "'INT4' is no element type"),
        (lambda text: text.replace('"recipe"', '"receipt"', 1), "`receipt`|`recipe`"),
    ],
)
def test_a_damaged_description(
    image: FirmwareImage, project: Project, sim: Target, damage: Callable[[str], str], message: str
) -> None:
    image.elf.write_text(damage(image.elf.read_text()))
    with pytest.raises(ConfigError, match=message):
        prebuilt(image.elf, project, sim)


def test_an_image_whose_model_is_another(image: FirmwareImage, project: Project, sim: Target) -> None:
    model = image.elf.with_name(facts.MODEL)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(ConfigError, match=r"is not the model that device\.json describes"):
        prebuilt(image.elf, project, sim)
    model.unlink()
    with pytest.raises(ConfigError, match="cannot read"):
        prebuilt(image.elf, project, sim)
    with pytest.raises(InputError, match="there is no firmware image"):
        prebuilt(image.elf.with_name("absent.json"), project, sim)
