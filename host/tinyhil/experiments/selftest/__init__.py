"""Faults planted in copies of a model and of a firmware: would tinyhil notice?"""

from tinyhil.experiments.selftest.faults import Check, Edit, Fault, LeftOut
from tinyhil.experiments.selftest.plan import KINDS, Plan, plan
from tinyhil.experiments.selftest.scoring import Outcome, Score, of_error, of_report, of_trial
from tinyhil.experiments.selftest.selftest import SelfTestResult, jobs_by_default, self_test

__all__ = [
    "KINDS",
    "Check",
    "Edit",
    "Fault",
    "LeftOut",
    "Outcome",
    "Plan",
    "Score",
    "SelfTestResult",
    "jobs_by_default",
    "of_error",
    "of_report",
    "of_trial",
    "plan",
    "self_test",
]
