"""The report of an earlier run is of what is asked for now, or it is not shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.artifacts import hashing
from tinyhil.compare.verdict import Report
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.options import Options
from tinyhil.pipeline import stored_report
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run import Run
from tinyhil.render import LIBRARY
from tinyhil.report import assemble, files

RECIPE = """
name = "mine"
title = "A recipe"
code = "mine.py"

[train]
seed = 1
epochs = 1
batch_size = 1
optimizer = "adam"
loss = "mse"
"""


def opened(model: Path | str, **options: Any) -> Run:
    asked = Options(**{"target": "sim", "build_dir": Path("build"), **options})
    return open_run(str(model), asked, SilentObserver())


def reported(run: Run) -> Report:
    """Writes the report of a run that was blocked."""
    report = assemble.blocked(run.name, run.target, run.engine, run.evidence, DeviceError("it never answered"))
    files.write(report, run.layout.results)
    return report


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build_tflite: Callable[..., bytes]) -> tuple[Path, Path]:
    """Two different files of one name; the current folder is the one above."""

    def other(model: Any) -> None:
        model.buffers[1].data = [1] * 6

    monkeypatch.chdir(tmp_path)
    for name, edit in (("pb", None), ("pc", other)):
        Path(name).mkdir()
        (Path(name) / "model.tflite").write_bytes(build_tflite(edit))
    return Path("pb/model.tflite"), Path("pc/model.tflite")


def test_two_files_of_one_name_have_a_folder_each(folders: tuple[Path, Path]) -> None:
    one, other = (opened(path) for path in folders)
    assert one.layout.model != other.layout.model
    written = reported(one)
    assert written.source_sha256 == hashing.of_file(folders[0])
    assert stored_report.read(one) == written
    with pytest.raises(ConfigError, match="there is no report in"):
        stored_report.read(other)


def test_a_report_in_the_folder_of_another_file_is_refused(folders: tuple[Path, Path]) -> None:
    """Whoever has put it there."""
    one, other = (opened(path) for path in folders)
    report = reported(one)
    files.write(report, other.layout.results)
    with pytest.raises(ConfigError, match="is of another model: sha256") as caught:
        stored_report.read(other)
    assert hashing.of_file(folders[1]) in caught.value.message
    # An earlier version has written of which model it is, and not of which file.
    files.write(replace(report, source_sha256=None, model_sha256="0" * 64), other.layout.results)
    with pytest.raises(ConfigError, match="is of another model"):
        stored_report.read(other)


def test_a_report_of_another_target_or_engine_is_refused(folders: tuple[Path, Path]) -> None:
    run = opened(folders[0])
    report = reported(run)
    others: list[tuple[dict[str, Any], str]] = [
        ({"target": "native"}, "target: native, asked for is sim"),
        ({"engine": "x"}, "engine: x"),
    ]
    for changes, words in others:
        files.write(replace(report, **changes), run.layout.results)
        with pytest.raises(ConfigError, match=f"is of another {words}"):
            stored_report.read(run)


def test_a_report_of_other_samples_is_refused(folders: tuple[Path, Path]) -> None:
    for name, seed in (("a.npz", 1), ("b.npz", 2)):
        np.savez(name, x=np.random.default_rng(seed).uniform(-9, 9, (9, 3)))
    written = reported(opened(folders[0], samples=Path("a.npz")))
    assert written.samples_sha256 == hashing.of_file(Path("a.npz"))
    assert stored_report.read(opened(folders[0], samples=Path("a.npz"))) == written
    assert stored_report.read(opened(folders[0])) == written, "it says which samples it is of"
    with pytest.raises(ConfigError, match="is of other samples"):
        stored_report.read(opened(folders[0], samples=Path("b.npz")))


def test_a_report_of_other_raw_samples_or_prepared_otherwise_is_refused(folders: tuple[Path, Path]) -> None:
    raw, code = Path("raw.npz"), Path("prepare.py")
    np.savez(raw, raw=np.zeros((3, 3)))
    code.write_text("def prepare(raw):\n    return raw\n")
    library = {"target": "native", "form": LIBRARY}
    written = reported(opened(folders[0], **library, raw=raw, prepare=code))
    assert (written.raw_sha256, written.prepare_sha256) == (hashing.of_file(raw), hashing.of_file(code))
    assert stored_report.read(opened(folders[0], **library, raw=raw, prepare=code)) == written
    assert stored_report.read(opened(folders[0], **library)) == written, "it says which raw samples it is of"
    code.write_text("def prepare(raw):\n    return raw + 1\n")
    with pytest.raises(ConfigError, match="is of raw samples prepared otherwise"):
        stored_report.read(opened(folders[0], **library, raw=raw, prepare=code))
    np.savez(raw, raw=np.ones((3, 3)))
    with pytest.raises(ConfigError, match="is of other raw samples"):
        stored_report.read(opened(folders[0], **library, raw=raw))
    reported(opened(folders[0], **library))
    with pytest.raises(ConfigError, match="is of other raw samples: there is no such file"):
        stored_report.read(opened(folders[0], **library, raw=raw))


def test_a_report_of_a_recipe_that_was_changed_since_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipes").mkdir()
    recipe, code = Path("recipes/mine.toml"), Path("recipes/mine.py")
    recipe.write_text(RECIPE)
    code.write_text("LAYERS = 1\n")
    written = reported(opened("mine"))
    assert stored_report.read(opened("mine")) == written
    for path, text in ((code, "LAYERS = 2\n"), (recipe, RECIPE.replace("epochs = 1", "epochs = 2"))):
        before = path.read_text()
        path.write_text(text)
        with pytest.raises(ConfigError, match="is of another recipe"):
            stored_report.read(opened("mine"))
        path.write_text(before)
    assert stored_report.read(opened("mine")) == written


def test_an_image_that_was_built_elsewhere_has_a_verdict_of_its_own(folders: tuple[Path, Path]) -> None:
    Path("other.elf").write_bytes(b"another image")
    Path("third.elf").write_bytes(b"a third one")
    own, other, third = (
        opened(folders[0], firmware=None if name is None else Path(name)) for name in (None, "other.elf", "third.elf")
    )
    places = [(run.layout.results, run.layout.journal, run.layout.search) for run in (own, other, third)]
    assert len({place for each in places for place in each}) == 9
    assert own.layout.project == other.layout.project, "what is rendered is the same"
    written = reported(own)
    blocked = replace(reported(other), firmware_sha256=hashing.of_file(Path("other.elf")))
    files.write(blocked, other.layout.results)
    assert stored_report.read(own) == written
    assert stored_report.read(other) == blocked
    files.write(blocked, third.layout.results)
    with pytest.raises(ConfigError, match="is of another firmware"):
        stored_report.read(third)
