"""What the table of a folder is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyhil.errors import ConfigError
from tinyhil.experiments.models import ALL, placements, plan
from tinyhil.targets import registry


def test_model_files_in_their_order_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.tflite", "A.TFLITE", "c.Keras", "c.npz", "notes.md", "tflite"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/d.tflite").write_bytes(b"")
    cases = plan(tmp_path, (("sim", "tflm-host"), ("native", "compiled")))
    assert [(case.path.name, case.target) for case in cases] == [
        *(("A.TFLITE", "sim"), ("A.TFLITE", "native")),
        *(("b.tflite", "sim"), ("b.tflite", "native")),
        *(("c.Keras", "sim"), ("c.Keras", "native")),
    ]
    assert [case.engine for case in cases[:2]] == ["tflm-host", "compiled"]
    assert [case.keras for case in cases[::2]] == [False, False, True]
    assert [case.samples for case in cases[::2]] == [None, None, tmp_path / "c.npz"]


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"there is no \.tflite, \.keras or \.h5 file"):
        plan(tmp_path, (("sim", "tflm-host"),))


@pytest.mark.parametrize("name", ["notes.md", "missing"])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.md").write_bytes(b"")
    with pytest.raises(ConfigError, match="cannot list the folder"):
        plan(tmp_path / name, (("sim", "tflm-host"),))


def test_each_target_has_its_own_engine_where_none_is_named() -> None:
    wanted = tuple((name, registry.get(name).default_engine) for name in ("qemu-m4", "sim"))
    assert placements(["qemu-m4", "sim", "qemu-m4"], []) == wanted


def test_all_engines_of_each_target() -> None:
    wanted = tuple((name, engine) for name in ("qemu-m4", "sim") for engine in registry.get(name).engines)
    assert len(wanted) > 2
    assert placements(["qemu-m4", "sim"], [ALL]) == wanted


def test_an_engine_is_for_the_targets_that_have_it() -> None:
    assert placements(["qemu-m4", "sim"], ["tflm", "tflm-host"]) == (("qemu-m4", "tflm"), ("sim", "tflm-host"))


@pytest.mark.parametrize(
    ("targets", "engines", "message"),
    [
        (["nowhere"], [], "nowhere"),
        (["sim"], ["tflm"], "target sim has no engine 'tflm'"),
        (["qemu-m4", "sim"], ["tflm"], "target sim has no engine 'tflm'"),
        (["qemu-m4"], ["tflm", "none"], "no target of qemu-m4 has an engine 'none'"),
    ],
)
def test_what_does_not_exist_is_refused_before_anything_runs(
    targets: list[str], engines: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        placements(targets, engines)
