"""From a Capture to a Verification."""

from tinyhil.verify.stage import operator_costs, verify
from tinyhil.verify.truth import truth_values

__all__ = ["operator_costs", "truth_values", "verify"]
