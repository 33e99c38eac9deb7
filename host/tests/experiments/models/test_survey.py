"""Every case becomes a row, whatever happens; and what is finished is not run again. On ``sim``, with real runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.errors import MissingToolError, ToolError
from tinyhil.experiments.models import Outcome, Row, plan, survey
from tinyhil.options import Options
from tinyhil.pipeline import opening
from tinyhil.pipeline.observer import SilentObserver

from ...chain.one_operator import T, model_of

SIM = (("sim", "tflm-host"),)
FIELDS = ("outcome", "exact", "vectors", "exhaustive", "max_lsb")


class Warned(SilentObserver):
    """Remembers the warnings."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def warning(self, text: str) -> None:
        self.texts.append(text)


@dataclass
class Table:
    """A folder with models, and a build folder.

    Attributes:
        folder: the models' folder.
        options: of all runs.
        observer: who is told.
    """

    folder: Path
    options: Options
    observer: Warned

    def __call__(self, *, again: bool = False, **changes: Any) -> dict[str, Row]:
        """The rows by their file."""
        options = replace(self.options, **changes)
        return {row.file: row for row in survey(plan(self.folder, SIM), options, self.observer, again=again)}


@pytest.fixture
def table(tmp_path: Path, tiny_model: bytes) -> Table:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.tflite").write_bytes(tiny_model)
    return Table(folder, Options(build_dir=tmp_path / "build", search=0), Warned())


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Makes every run, or that of some files, raise an error; returns the list of those that were begun."""
    real = opening.open_run

    def make(error: BaseException | None = None, name: str = "") -> list[str]:
        begun: list[str] = []

        def open_run(model: str, *arguments: Any) -> Any:
            begun.append(Path(model).name)
            if error is not None and name in model:
                raise error
            return real(model, *arguments)

        monkeypatch.setattr(opening, "open_run", open_run)
        return begun

    return make


def finished(row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in FIELDS)


def test_a_model_that_passes(table: Table) -> None:
    row = table()["tiny.tflite"]
    assert row.outcome is Outcome.PASS
    assert row.exact == row.vectors == 261
    assert row.exhaustive is False
    assert (row.max_lsb, row.searched) == (0, 0)
    assert row.seconds > 0
    assert row.reason == ""
    assert (table.options.build_dir.parent / row.report).is_file()
    assert row.flash_bytes is row.instructions is None, "sim compiles nothing and counts nothing"


def test_a_search_is_in_its_row(table: Table) -> None:
    assert table(search=64)["tiny.tflite"].searched == 64


@pytest.mark.long
def test_a_refused_model_has_its_cause_and_the_engine_that_takes_it(
    table: Table, build_tflite: Callable[..., bytes]
) -> None:
    def custom(model: Any) -> None:
        code = model.operatorCodes[0]
        code.builtinCode, code.deprecatedBuiltinCode, code.customCode = 32, 32, "MyOp"
        model.subgraphs[0].operators[0].builtinOptionsType = 0
        model.subgraphs[0].operators[0].builtinOptions = None

    (table.folder / "custom.tflite").write_bytes(build_tflite(custom))
    floor = model_of("FLOOR", [T("float32", (1, 4))], [T("float32", (1, 4))])
    (table.folder / "float.tflite").write_bytes(floor)
    rows = table()
    row = rows["custom.tflite"]
    assert row.outcome is Outcome.REFUSED
    assert "MyOp" in row.cause
    assert row.step == "no engine of any target takes it"
    assert row.error == "TH-122"
    assert rows["tiny.tflite"].outcome is Outcome.PASS
    cases = plan(table.folder, (("qemu-m4", "compiled"),))
    (row,) = (row for row in survey(cases, table.options, table.observer, again=False) if row.file == "float.tflite")
    assert row.outcome is Outcome.REFUSED
    assert "FLOOR" in row.cause
    assert row.step == "--target sim takes it (tflm-host)"
    assert row.takers[0] == "tflm-host on sim"
    assert rows["float.tflite"].outcome is Outcome.PASS, "and it does"


def test_what_cannot_be_read_is_a_row(table: Table, tiny_model: bytes) -> None:
    (table.folder / "cut.tflite").write_bytes(tiny_model[:200])
    (table.folder / "empty.tflite").write_bytes(b"")
    (table.folder / "folder.tflite").mkdir()
    (table.folder / "gone.keras").symlink_to("nowhere")
    os.mkfifo(table.folder / "pipe.tflite")
    (table.folder / "zip.keras").write_bytes(b"no archive")
    np.savez(table.folder / "zip.npz", x=np.zeros((4, 3), np.float32))
    rows = table()
    assert rows.pop("tiny.tflite").outcome is Outcome.PASS
    assert {row.outcome for row in rows.values()} == {Outcome.REFUSED}
    assert len(rows) == 6
    for name, row in rows.items():
        assert name in row.cause
        assert "\n" not in row.reason
        assert str(table.folder) not in row.reason
        assert ("it is no file" in row.cause) == (name in ("folder.tflite", "gone.keras", "pipe.tflite"))


def test_a_keras_file_needs_samples_of_its_name(table: Table) -> None:
    (table.folder / "mine.keras").write_bytes(b"")
    np.savez(table.folder / "other.npz", x=np.zeros((4, 3), np.float32))
    row = table()["mine.keras"]
    assert row.outcome is Outcome.REFUSED
    assert "there is no mine.npz beside it" in row.cause
    assert "numpy.savez('mine.npz', x=..., y=...)" in row.step


def test_samples_beside_a_tflite_file_are_taken(table: Table) -> None:
    drawn = table()["tiny.tflite"]
    np.savez(table.folder / "tiny.npz", x=np.random.default_rng(1).uniform(-50, 50, (9, 3)))
    given = table()["tiny.tflite"]
    assert given.outcome is Outcome.PASS
    assert given.vectors is not None
    assert drawn.vectors is not None
    assert given.vectors < drawn.vectors


def test_what_was_rewritten_is_in_its_row(table: Table, build_tflite: Callable[..., bytes]) -> None:
    def open_batch(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors[::3]:
            tensor.shapeSignature = [-1, *list(tensor.shape)[1:]]

    (table.folder / "tiny.tflite").write_bytes(build_tflite(open_batch))
    row = table()["tiny.tflite"]
    assert row.outcome is Outcome.PASS
    assert any("the batch" in note for note in row.notes)
    assert table.observer.texts == [], "a warning would stand between the rows"


@pytest.mark.parametrize(
    ("error", "outcome", "cause"),
    [
        (ZeroDivisionError("division by\nzero"), Outcome.FAULT, "ZeroDivisionError: division by zero"),
        (SystemExit(7), Outcome.FAULT, "SystemExit: 7"),
        (RecursionError(), Outcome.FAULT, "RecursionError"),
        (PermissionError(13, "Permission denied", "x"), Outcome.BLOCKED, "x: Permission denied"),
        (ToolError("the child ended with signal SIGSEGV"), Outcome.BLOCKED, "signal SIGSEGV"),
        (MissingToolError("g++ is not installed", hint="apt"), Outcome.BLOCKED, "g++ is not installed"),
    ],
)
def test_what_is_not_foreseen_in_one_file_does_not_end_the_table(
    table: Table, broken: Callable[..., list[str]], error: BaseException, outcome: Outcome, cause: str
) -> None:
    (table.folder / "bad.tflite").write_bytes((table.folder / "tiny.tflite").read_bytes())
    broken(error, "bad")
    rows = table()
    assert (rows["bad.tflite"].outcome, rows["tiny.tflite"].outcome) == (outcome, Outcome.PASS)
    assert cause in rows["bad.tflite"].cause
    begun = broken()
    assert table()["bad.tflite"].outcome is Outcome.PASS, "it is not kept: the computer may be another now"
    assert begun == ["bad.tflite"]


def test_ctrl_c_ends_the_table_and_leaves_its_rows(table: Table, broken: Callable[..., list[str]]) -> None:
    (table.folder / "z.tflite").write_bytes((table.folder / "tiny.tflite").read_bytes())
    broken(KeyboardInterrupt(), "z.tflite")
    with pytest.raises(KeyboardInterrupt):
        table()
    begun = broken()
    rows = table()
    assert begun == ["z.tflite"]
    assert rows["tiny.tflite"].found
    assert not rows["z.tflite"].found


def test_a_finished_row_is_found_until_something_changes_that_it_depends_on(
    table: Table, broken: Callable[..., list[str]], tiny_model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (table.folder / "cut.tflite").write_bytes(tiny_model[:200])
    first = table()
    begun = broken()
    second = table()
    assert begun == []
    assert {name: replace(row, found=False) for name, row in second.items()} == first
    assert all(row.found for row in second.values())

    assert finished(table(again=True)["tiny.tflite"]) == finished(first["tiny.tflite"])
    assert begun == ["cut.tflite", "tiny.tflite"]
    begun.clear()
    table(search=64)
    assert begun == ["cut.tflite", "tiny.tflite"], "another option"
    begun.clear()
    table()
    assert begun == [], "the first options' rows are still there"
    (table.folder / "cut.tflite").write_bytes(tiny_model[:300])
    table()
    assert begun == ["cut.tflite"], "another content"
    begun.clear()
    np.savez(table.folder / "tiny.npz", x=np.zeros((9, 3), np.float32))
    table()
    assert begun == ["tiny.tflite"], "samples"
    begun.clear()
    monkeypatch.setattr("tinyhil.experiments.models.kept._own_sources", lambda: "another version")
    table()
    assert begun == ["cut.tflite", "tiny.tflite"], "another version of tinyhil"


def test_a_kept_row_that_is_damaged_is_made_again(table: Table, broken: Callable[..., list[str]]) -> None:
    first = table()["tiny.tflite"]
    (file,) = (table.options.build_dir / "_models").iterdir()
    file.write_text(file.read_text()[:100])
    begun = broken()
    assert finished(table()["tiny.tflite"]) == finished(first)
    assert begun == ["tiny.tflite"]


def test_a_row_that_cannot_be_kept_is_shown_all_the_same(table: Table) -> None:
    table.options.build_dir.mkdir()
    (table.options.build_dir / "_models").write_text("in the way")
    assert table()["tiny.tflite"].outcome is Outcome.PASS
    (text,) = table.observer.texts
    assert "_models" in text
