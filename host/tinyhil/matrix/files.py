"""Writes what became of a matrix beside the folders of its models: a page, JUnit, Markdown, and JSON.

They have names of their own, so that whoever collects every report of a build folder does not take them for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tinyhil.artifacts import store
from tinyhil.matrix import junit, views
from tinyhil.matrix.cells import Plan
from tinyhil.matrix.results import Result, exit_code, verdict
from tinyhil.plain_text import for_log

HTML, XML, MARKDOWN, JSON = "matrix.html", "matrix.xml", "matrix.md", "matrix.json"
NAMES = (HTML, XML, MARKDOWN, JSON)
SCHEMA = 1
"""Of the JSON."""


def as_values(made: Plan, results: Sequence[Result]) -> Any:
    """For JSON; a cell that was not carried out is not among the cells."""
    cells = []
    for result in results:
        row = msgspec.to_builtins(result.row)
        del row["found"]
        row["model_sha256"] = None if result.report is None else result.report.model_sha256
        cells.append({"model": row.pop("file"), **row})
    planned = len(made.cells)
    return {
        "schema": SCHEMA,
        "verdict": verdict(results, planned),
        "exit_code": int(exit_code(results)) if len(results) == planned else None,
        "planned": planned,
        "left_out": list(made.left_out),
        "cells": cells,
    }


def write(made: Plan, results: Sequence[Result], folder: Path) -> None:
    """Writes all files.

    Args:
        made: what was to be run.
        results: what became of it so far.
        folder: the build folder.

    Raises:
        StorageError: the folder cannot be written.
    """
    store.write_text(folder / HTML, for_log(views.to_html(made, results, folder)))
    store.write_text(folder / MARKDOWN, views.to_markdown(made, results))
    store.write_text(folder / XML, junit.to_junit(made.cells, results))
    store.write_json(folder / JSON, as_values(made, results))
