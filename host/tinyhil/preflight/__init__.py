"""Whether an engine can compute a model on a target, before anything is built, and which engines can."""

from tinyhil.preflight.check import check, refusal, summary
from tinyhil.preflight.takers import Taker, nearest, takers

__all__ = ["Taker", "check", "nearest", "refusal", "summary", "takers"]
