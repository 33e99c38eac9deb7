"""Whether an engine can compute a model on a target, before anything is built."""

from tinyhil.preflight.check import check, refusal, summary

__all__ = ["check", "refusal", "summary"]
