"""Reports of all kinds, whole and blocked, for what has to hold for every report."""

from __future__ import annotations

from hypothesis import strategies as st
from tinyhil.compare.metrics import ErrorFigures

from tinyhil.artifacts.types import Problem, Resources
from tinyhil.compare.fidelity import Mismatch
from tinyhil.compare.verdict import (
    SCHEMA,
    Accuracy,
    Blocked,
    Bound,
    ErrorSplit,
    Fidelity,
    OperatorCost,
    Report,
    Size,
    Speed,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""With control characters: the output of a tool may have any."""
REAL = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 2**40)
SHA256 = st.text("0123456789abcdef", min_size=64, max_size=64)

FIGURES = st.builds(ErrorFigures, mae=REAL, rmse=REAL, max=REAL)
FIDELITY = st.builds(
    Fidelity,
    passed=st.booleans(),
    vectors=COUNT,
    mismatches=COUNT,
    max_lsb=COUNT,
    tolerance_lsb=COUNT,
    exhaustive=st.booleans(),
    reference=TEXT,
    first_mismatches=st.lists(st.builds(Mismatch, COUNT, COUNT, COUNT, REAL, REAL), max_size=2).map(tuple),
)
ACCURACY = st.builds(
    Accuracy,
    passed=st.booleans(),
    device_vs_float=FIGURES,
    reference_vs_float=FIGURES,
    device_vs_reference=FIGURES,
    device_vs_truth=st.none() | FIGURES,
    float_vs_truth=st.none() | FIGURES,
    bounds=st.lists(st.builds(Bound, TEXT, REAL, REAL, st.booleans()), max_size=2).map(tuple),
    split=st.builds(ErrorSplit, training=st.none() | REAL, quantization=REAL, device=REAL, total=REAL),
)
SIZE = st.builds(
    Size,
    flash_bytes=COUNT,
    ram_bytes=COUNT,
    arena_bytes=st.none() | COUNT,
    sections=st.dictionaries(TEXT, COUNT, max_size=2),
)
REPORTS = st.builds(
    Report,
    schema=st.just(SCHEMA),
    verdict=st.sampled_from(["pass", "fail", "blocked"]),
    summary=TEXT,
    recipe=TEXT,
    target=TEXT,
    honest_about=TEXT,
    engine=TEXT,
    kernels=st.none() | TEXT,
    scheme=st.none() | TEXT,
    ops=st.lists(TEXT, max_size=2).map(tuple),
    forced=st.lists(st.builds(Problem, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    fidelity=st.none() | FIDELITY,
    accuracy=st.none() | ACCURACY,
    size=st.none() | SIZE,
    instructions_per_inference=st.none() | REAL,
    microseconds_per_inference=st.none() | REAL,
    speed=st.none() | st.builds(Speed, st.sampled_from(["instructions", "microseconds"]), REAL, REAL, REAL, COUNT),
    resources=st.none()
    | st.builds(Resources, st.none() | COUNT, COUNT, st.none() | COUNT, COUNT, st.none() | COUNT, st.none() | COUNT),
    operators=st.lists(st.builds(OperatorCost, TEXT, REAL), max_size=7).map(tuple),
    measured_by=st.none() | TEXT,
    model_sha256=st.none() | SHA256,
    project_sha256=st.none() | SHA256,
    firmware_sha256=st.none() | SHA256,
    tool_versions=st.dictionaries(TEXT, TEXT, max_size=2),
    link=st.dictionaries(TEXT, COUNT, max_size=2),
    blocked=st.none() | st.builds(Blocked, error=TEXT, cause=TEXT, hint=TEXT, detail=TEXT),
)
