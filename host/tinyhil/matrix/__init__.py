"""Several models on several targets and engines: each combination is a cell, and each cell is a run of its own."""

from tinyhil.matrix.cells import Cell, Plan, plan
from tinyhil.matrix.crew import Told, carry_out
from tinyhil.matrix.files import HTML, NAMES, as_values, write
from tinyhil.matrix.results import Result, exit_code, verdict, words
from tinyhil.matrix.views import HEAD, to_markdown

__all__ = [
    "HEAD",
    "HTML",
    "NAMES",
    "Cell",
    "Plan",
    "Result",
    "Told",
    "as_values",
    "carry_out",
    "exit_code",
    "plan",
    "to_markdown",
    "verdict",
    "words",
    "write",
]
