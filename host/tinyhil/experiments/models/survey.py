"""The way of the table: each case is a run of its own, and whatever becomes of it is a row."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyhil import kinds, preflight
from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import Problem
from tinyhil.compare.verdict import Report
from tinyhil.errors import BlockedError, ConfigError, StorageError, TinyhilError
from tinyhil.experiments.models.kept import KeptRows
from tinyhil.experiments.models.plan import Case
from tinyhil.experiments.models.rows import Outcome, Row
from tinyhil.options import Options
from tinyhil.pipeline import opening
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.report import files


def survey(cases: Sequence[Case], options: Options, observer: Observer, *, again: bool) -> Iterator[Row]:
    """The row of each case, in their order, as soon as it is there; what was kept of an earlier call is not run again.

    Args:
        cases: what to run.
        options: of all runs; target, engine and samples are those of the cases.
        observer: told of the stages.
        again: whether everything is run, whatever was kept.
    """
    kept = KeptRows(options)
    for case in cases:
        row = None if again else kept.find(case)
        if row is None:
            row = _carried_out(case, options, observer)
            _keep(kept, case, row, observer)
        yield row


def _keep(kept: KeptRows, case: Case, row: Row, observer: Observer) -> None:
    """Keeps a row if that is possible: a full disk must not end the table."""
    try:
        kept.keep(case, row)
    except StorageError as error:
        observer.warning(f"the next row will not be there in another call: {error.message}")


def _carried_out(case: Case, options: Options, observer: Observer) -> Row:
    """Runs a case."""
    row = row_of(case.path.name, case.target, case.engine, lambda notes: _found(case, options, notes), observer)
    cause, step = _one_line(row.cause, case.path), _one_line(row.step, case.path)
    return replace(row, model_sha256=_sha256(case.path), cause=cause, step=step)


def row_of(model: str, target: str, engine: str, work: Callable[[Observer], dict[str, Any]], observer: Observer) -> Row:
    """The row of a run, whatever becomes of it.

    Args:
        model: what the row calls it.
        target: name of the target.
        engine: name of the engine.
        work: carries the run out and returns what it finds, as fields of the row (:func:`found`).
        observer: told of the stages; the warnings are the row's.
    """
    notes = _Notes(observer)
    started = time.monotonic()
    try:
        found: dict[str, Any] = work(notes)
    except TinyhilError as error:
        outcome = Outcome.BLOCKED if isinstance(error, BlockedError) else Outcome.REFUSED
        found = {"outcome": outcome, "cause": error.message, "step": error.hint, "error": error.kind.id}
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        cause = f"the operating system refused: {place}{error.strerror}"
        found = {"outcome": Outcome.BLOCKED, "cause": cause, "error": kinds.STORAGE.id}
    # One file must not end the table of all the others, whatever a library makes of it; only Ctrl-C does.
    except (Exception, SystemExit) as error:
        cause = f"a fault of tinyhil: {type(error).__name__}: {error}"
        found = {"outcome": Outcome.FAULT, "cause": cause, "step": kinds.FAULT.steps[1], "error": kinds.FAULT.id}
    return Row(
        file=model,
        target=target,
        engine=engine,
        seconds=time.monotonic() - started,
        notes=tuple(notes.texts),
        **found,
    )


def _found(case: Case, options: Options, observer: Observer) -> dict[str, Any]:
    """What a run finds, as fields of the row.

    Raises:
        TinyhilError: there is no verdict.
        OSError: the operating system refused something.
    """
    if not case.path.is_file():  # a folder, a pipe, a link to nowhere: it is not samples that are missing
        raise ConfigError(
            f"cannot read {case.path}: it is no file, or leads to none", hint="remove it, or put the file there"
        )
    if case.keras and case.samples is None:
        raise ConfigError(
            f"{case.path} needs samples, which calibrate the quantization: there is no {case.samples_beside.name} "
            "beside it",
            hint=f"write it with numpy.savez({case.samples_beside.name!r}, x=..., y=...)",
            kind=kinds.SAMPLES,
        )
    own = replace(options, target=case.target, engine=case.engine, samples=case.samples)
    if not case.keras:
        own = replace(own, scheme=None)  # it is quantized already
    return found(opening.open_run(str(case.path), own, observer))


def found(run: Run) -> dict[str, Any]:
    """What a run finds, as fields of its row.

    Raises:
        TinyhilError: there is no verdict.
    """
    if not run.options.force and (problems := run.problems()):
        return _of_problems(run, problems)
    return _of_report(run.verify(), run.layout.results)


def _of_report(report: Report, folder: Path) -> dict[str, Any]:
    fidelity, size = report.fidelity, report.size
    assert fidelity is not None  # there is no verdict without it
    return {
        "outcome": Outcome(report.verdict),
        "exact": fidelity.vectors - fidelity.mismatches,
        "vectors": fidelity.vectors,
        "exhaustive": fidelity.exhaustive,
        "detectable": fidelity.detectable,
        "searched": 0 if fidelity.search is None else fidelity.search.tried,
        "max_lsb": fidelity.max_lsb,
        "flash_bytes": None if size is None else size.flash_bytes,
        "ram_bytes": None if size is None else size.ram_bytes,
        "instructions": report.instructions_per_inference,
        "microseconds": report.microseconds_per_inference,
        "cause": "" if report.verdict == "pass" else report.summary,
        "report": str(folder / files.HTML),
    }


def _of_problems(run: Run, problems: Sequence[Problem]) -> dict[str, Any]:
    """What pre-flight finds, and which engine takes the model."""
    content, name = run.source.content()
    with run.observer.stage("takers"):
        takers = [
            each for each in preflight.nearest(content, name, run.target) if each != (run.target.name, run.engine)
        ]
    more = len(problems) - 1
    others = f", and {more} problem{'s' if more > 1 else ''} more" if more else ""
    return {
        "outcome": Outcome.REFUSED,
        "cause": f"{problems[0].cause}{others}",
        "step": _way_out(takers, run.target.name),
        "problems": tuple(each.cause for each in problems),
        "takers": tuple(f"{engine} on {target}" for target, engine in takers),
        "error": kinds.REFUSED_MODEL.id,
    }


def _way_out(takers: Sequence[tuple[str, str]], here: str) -> str:
    """The nearest engine that takes the model."""
    if not takers:
        return "no engine of any target takes it"
    target, engine = takers[0]
    return f"--engine {engine} takes it" if target == here else f"--target {target} takes it ({engine})"


def _sha256(path: Path) -> str | None:
    try:
        return hashing.of_file(path) if path.is_file() else None
    except OSError:
        return None


def _one_line(text: str, path: Path) -> str:
    """A text for a cell: the row names the file already, and every line has to fit beside it."""
    return " ".join(text.replace(str(path), path.name).split())


class _Notes:
    """An observer that also keeps the warnings, which belong to the row.

    Args:
        observer: who is told of the stages; a warning would stand between the rows.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.texts: list[str] = []

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        """Passes it on."""
        with self._observer.stage(name) as reporter:
            yield reporter

    def result(self, note: str, *, found: bool) -> None:
        """Passes it on."""
        self._observer.result(note, found=found)

    def announcement(self, text: str) -> None:
        """Passes it on."""
        self._observer.announcement(text)

    def warning(self, text: str) -> None:
        """Keeps it."""
        self.texts.append(text)
