"""The digest of a verdict: what was judged and found is inside; how it came about stays outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tinyhil.artifacts import hashing

if TYPE_CHECKING:
    from tinyhil.compare.verdict import Report

JUDGED = (
    *("verdict", "summary", "blocked", "recipe", "target", "engine", "kernels", "scheme", "ops", "forced", "training"),
    *("fidelity", "litert", "accuracy", "points", "model_sha256", "project_sha256", "firmware_sha256"),
    *("size", "resources", "operators", "instructions_per_inference", "microseconds_per_inference", "speed"),
)
"""The fields that the verdict's digest includes: what was judged and found; and ``preprocessing``, if there is any.

A field stays outside until it is named here. Files, tools, the line, and what was found later are no part of it.
"""


def digest(report: Report) -> str:
    """SHA-256 over what a run has found: equal where the same was found of the same firmware, in the same way.

    A run, the resumed run, and the replay of its recording have the same.
    """
    inside = (*JUDGED, *(("preprocessing",) if report.preprocessing is not None else ()))
    return hashing.of_json({name: value for name, value in msgspec.to_builtins(report).items() if name in inside})
