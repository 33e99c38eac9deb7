"""From a Capture to a Verification."""

from tinyhil.verify.stage import operator_costs, verify

__all__ = ["operator_costs", "verify"]
