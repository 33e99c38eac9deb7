"""How a bisection is kept, and how it gets into the report of the same firmware."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from tinyhil.artifacts import foreign, store
from tinyhil.compare.bisection import Bisection
from tinyhil.compare.verdict import Report
from tinyhil.errors import ConfigError
from tinyhil.pipeline.layout import Layout
from tinyhil.report import files


def save(found: Bisection, layout: Layout) -> Path:
    """Keeps a bisection, and adds it to the report that lies in the folder, if that is of the same firmware.

    Args:
        layout: of the run.

    Returns:
        The file.

    Raises:
        StorageError: the folder cannot be written.
    """
    place = layout.bisection
    store.write_json(place, found)
    try:
        report = files.read(layout.results)
    except ConfigError:
        return place
    files.write(_joined(report, found), layout.results)
    return place


def with_bisection(report: Report, layout: Layout) -> Report:
    """The report with what a bisection has found of the same model and firmware against the reference, if one has."""
    try:
        found = msgspec.json.decode(layout.bisection.read_bytes(), type=Bisection)
    except foreign.UNREADABLE:
        return report
    return _joined(report, found)


def _joined(report: Report, found: Bisection) -> Report:
    """The report with a bisection, if that is of the same model and firmware."""
    sides = [side.project_sha256 for side in found.sides]
    same = found.model_sha256 == report.model_sha256 and sides == [report.project_sha256]
    return replace(report, bisection=found if same else None)
