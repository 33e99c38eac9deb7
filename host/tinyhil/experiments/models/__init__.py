"""A whole folder of model files, each on some targets and engines: one row each."""

from tinyhil.experiments.models.kept import KeptRows
from tinyhil.experiments.models.plan import ALL, Case, placements, plan
from tinyhil.experiments.models.rows import Outcome, Row, counts
from tinyhil.experiments.models.survey import found, row_of, survey
from tinyhil.experiments.models.table import COLUMNS, cells, markdown, words

__all__ = [
    "ALL",
    "COLUMNS",
    "Case",
    "KeptRows",
    "Outcome",
    "Row",
    "cells",
    "counts",
    "found",
    "markdown",
    "placements",
    "plan",
    "row_of",
    "survey",
    "words",
]
