"""From a Capture to a Verification."""

from tinyhil.verify.prepare import prepared
from tinyhil.verify.stage import operator_costs, verify
from tinyhil.verify.truth import truth_values

__all__ = ["operator_costs", "prepared", "truth_values", "verify"]
