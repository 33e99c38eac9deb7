"""F3: faults to be planted in copies of a model and of a firmware, and how what becomes of each is scored.

What plants them and runs the result is :mod:`tinyhil.pipeline.selftest`.
"""

from tinyhil.selftest.faults import Check, Edit, Fault, LeftOut
from tinyhil.selftest.plan import KINDS, Plan, plan
from tinyhil.selftest.scoring import Outcome, Scored, of_error, of_report

__all__ = [
    "KINDS",
    "Check",
    "Edit",
    "Fault",
    "LeftOut",
    "Outcome",
    "Plan",
    "Scored",
    "of_error",
    "of_report",
    "plan",
]
