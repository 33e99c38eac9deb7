"""What is in a matrix, and what is refused before anything starts."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.matrix.crew import alone
from tinyhil.options import Options, fields

from .conftest import Planned


def test_every_model_on_every_target_with_every_engine_that_is_there(planned: Planned) -> None:
    made = planned(["sine", "a.tflite"], target="qemu-m4, sim", engine="all")
    placed = [("qemu-m4", "compiled"), ("qemu-m4", "tflm"), ("sim", "tflm-host")]
    found = [(cell.model, cell.target, cell.engine) for cell in made.cells]
    assert found == [(model, *place) for model in ("sine", "a.tflite") for place in placed]
    assert made.left_out == ("qemu-m4 has no engine tflm-host", "sim has no engine compiled or tflm")
    assert len({cell.folder for cell in made.cells}) == len(made.cells)


def test_an_engine_is_for_the_targets_that_have_it(planned: Planned) -> None:
    made = planned(["sine"], target="qemu-m4,native", engine="compiled,tflm")
    found = [(cell.target, cell.engine) for cell in made.cells]
    assert found == [("qemu-m4", "compiled"), ("qemu-m4", "tflm"), ("native", "compiled")]
    assert made.left_out == ("native has no engine tflm",)


def test_without_an_engine_each_target_has_its_own_and_nothing_is_left_out(planned: Planned) -> None:
    made = planned(["sine"], target="native,sim")
    assert [cell.engine for cell in made.cells] == ["compiled", "tflm-host"]
    assert made.left_out == ()


def test_a_cell_has_the_folder_of_the_single_run_that_its_command_names(planned: Planned) -> None:
    for cell in planned(["sine", "a.tflite"], target="qemu-m4,sim", engine="all", vectors="7").cells:
        words = shlex.split(alone(cell))
        assert words[:3] == ["tinyhil", "run", cell.model]
        flags = dict(zip(words[3::2], words[4::2], strict=True))
        assert flags.pop("--vectors") == "7"
        single = planned([cell.model], **{name.removeprefix("--"): value for name, value in flags.items()})
        assert [each.folder for each in single.cells] == [cell.folder]


@pytest.mark.parametrize(
    ("models", "options", "said"),
    [
        (["sine", "cosine"], {}, "cosine"),
        (["sine", "c.tflite"], {}, "c.tflite"),
        (["sine"], {"target": "sim,qemu-m5"}, "qemu-m5"),
        (["sine"], {"target": "sim,native", "engine": "onnx"}, "onnx"),
        (["sine"], {"target": "qemu-m4,sim", "engine": "compiled"}, "sim has no engine 'compiled'"),
        (["sine"], {"target": "qemu-m4", "engine": "tflm,onnx"}, "onnx"),
        (["sine"], {"target": "sim,native", "scheme": "int5"}, "int5"),
        (["sine"], {"target": "sim,"}, "--target 'sim,' has an empty name"),
        (["sine"], {"engine": ",tflm"}, "--engine ',tflm' has an empty name"),
    ],
)
def test_unknown_names_are_refused(planned: Planned, models: list[str], options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        planned(models, **options)
    assert caught.value.kind in (kinds.UNKNOWN_NAME, kinds.OTHER_FILE)
    assert not Path("build").exists()


@pytest.mark.parametrize(
    ("models", "options", "said"),
    [
        (["sine", "digits", "sine"], {}, "'sine' twice"),
        (["sine"], {"target": "sim,native,sim"}, "--target names 'sim' twice"),
        (["sine"], {"engine": "tflm,tflm"}, "--engine names 'tflm' twice"),
        (["sine"], {"engine": "all,tflm"}, "--engine names all, and tflm beside it"),
        (["a.tflite", "./a.tflite"], {}, "a.tflite and ./a.tflite are the same model"),
        (["a.tflite", "sine"], {"scheme": "int8"}, "a.tflite is quantized already"),
        (["sine", "a.tflite"], {"samples": Path("x.npz")}, "--samples goes with"),
    ],
)
def test_what_does_not_go_together_is_refused(
    planned: Planned, models: list[str], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        planned(models, **options)


SINGLE: dict[str, Any] = {
    "form": "library",
    "port": "/dev/ttyACM0",
    "firmware": Path("other.elf"),
    "record": Path("run.rec"),
    "raw": Path("raw.npz"),
    "prepare": Path("prepare.py"),
    "features_lsb": 1,
}
"""Options that name what several runs cannot share."""


@pytest.mark.parametrize("name", SINGLE)
def test_options_for_a_single_run_are_refused(planned: Planned, name: str) -> None:
    flag = next(field.flag for field in fields() if field.name == name)
    with pytest.raises(ConfigError, match=f"{flag} is for a single run"):
        planned(["sine", "digits"], **{name: SINGLE[name]})


def test_these_are_all_of_them() -> None:
    assert {field.name for field in fields() if field.about.single} == set(SINGLE)
    assert all(SINGLE[name] != getattr(Options(), name) for name in SINGLE)
