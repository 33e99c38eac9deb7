"""The first layer whose output differs, and a bundle that shows it again."""

from tinyhil.experiments.bisect.bisect import Bisect, BisectOptions, Outcome, choose
from tinyhil.experiments.bisect.bundle import Rerun, rerun

__all__ = ["Bisect", "BisectOptions", "Outcome", "Rerun", "choose", "rerun"]
