"""Several models on several targets and engines: each combination is a cell, and each cell is a run of its own."""

from tinyhil.matrix.cells import Cell, Plan, plan
from tinyhil.matrix.crew import Told, carry_out
from tinyhil.matrix.files import HTML, as_values, refuse_unwritable, write
from tinyhil.matrix.results import Result, exit_code, verdict, words
from tinyhil.matrix.views import HEAD, to_markdown

__all__ = [
    "HEAD",
    "HTML",
    "Cell",
    "Plan",
    "Result",
    "Told",
    "as_values",
    "carry_out",
    "exit_code",
    "plan",
    "refuse_unwritable",
    "to_markdown",
    "verdict",
    "words",
    "write",
]
