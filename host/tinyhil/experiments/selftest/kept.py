"""Faults in what a run keeps in the build folder: manifests and reports that were edited, damaged or are another's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyhil.artifacts import store
from tinyhil.compare.verdict import Report
from tinyhil.experiments.selftest.faults import Check, Fault, Given
from tinyhil.pipeline import stored_report
from tinyhil.pipeline.device_copy import TrueCopy
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.stages import Stages
from tinyhil.report import files


def kept_faults(true: Run) -> Iterator[Fault]:
    """The faults of a run.

    Args:
        true: the run without a fault.
    """
    yield Fault("manifest", "vectors are said to be all inputs there are, or not", Check.MANIFEST, trial=_other_facts)
    yield Fault("manifest", "one bit of a file that it lists is flipped", Check.MANIFEST, trial=_other_file)
    yield Fault("report", "a pass has 5 wrong outputs", Check.REPORT, trial=_wrong_pass)
    if true.target.build is not None:
        yield Fault("report", "the image has -5 bytes of flash", Check.REPORT, trial=_negative)
    yield Fault("report", "the pass is of another model", Check.ASKED, trial=_of_another)


def _other_facts(given: Given) -> str:
    folder = _kept(given)
    said = json.loads((folder / store.MANIFEST).read_text(encoding="utf-8"))
    said["facts"]["exhaustive"] = not said["facts"]["exhaustive"]
    store.write_json(folder / store.MANIFEST, said)
    return _rejected(folder, said)


def _other_file(given: Given) -> str:
    folder = _kept(given)
    said = json.loads((folder / store.MANIFEST).read_text(encoding="utf-8"))
    file = folder / max(said["files"])
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    store.write_bytes(file, bytes(raw))
    return _rejected(folder, said)


def _kept(given: Given) -> Path:
    """A copy of the quantized model's artifact."""
    folder = given.folder / "model"
    with store.storage(folder):
        shutil.copytree(given.true.quantize().path.parent, folder)
    return folder


def _rejected(folder: Path, said: dict[str, Any]) -> str:
    found = store.load(folder, said["stage"], said["key"])
    return "" if found is not None else f"{said['stage']} is made again: it is not what its manifest was written for"


def _wrong_pass(given: Given) -> str:
    fidelity = given.report.fidelity
    assert fidelity is not None
    return _reread(replace(given.report, fidelity=replace(fidelity, mismatches=5)))


def _negative(given: Given) -> str:
    size = given.report.size
    assert size is not None
    return _reread(replace(given.report, size=replace(size, flash_bytes=-5)))


def _reread(report: Report) -> str:
    """Nothing, or the refusal of a report is raised."""
    files.from_json(files.to_json(report), files.JSON)
    return ""


def _of_another(given: Given) -> str:
    true = given.true
    asked = true.source.asked().source_sha256
    other = replace(given.report, source_sha256=f"{asked[:-1]}{'0' if asked[-1] != '0' else '1'}")
    layout = replace(true.layout, target=given.folder, image="")
    store.write_text(given.folder / files.JSON, files.to_json(other))
    options = replace(true.options, firmware=None)
    stages = Stages(given.observer)
    stored_report.read(Run(true.source, TrueCopy(), true.answers, true.placement, layout, options, stages))
    return ""
