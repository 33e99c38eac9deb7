"""Reports of all kinds, whole and blocked, for what has to hold for every report."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tinyhil.artifacts.retries import Retries
from tinyhil.artifacts.types import Beside, Problem, Resources
from tinyhil.compare import health
from tinyhil.compare.bisection import Bisection, DeviceSide, Layer, Probe
from tinyhil.compare.blame import Blame
from tinyhil.compare.classification import Agreement, Average, ClassFigures, Classification
from tinyhil.compare.fidelity import Mismatch
from tinyhil.compare.health import Finding
from tinyhil.compare.layer import LayerDifference
from tinyhil.compare.preprocessing import Apart, Preprocessing
from tinyhil.compare.regression import RegressionFigures
from tinyhil.compare.scope import Scope
from tinyhil.compare.search import Element, Example, Search
from tinyhil.compare.verdict import (
    SCHEMA,
    Accuracy,
    Blocked,
    Bound,
    Classifier,
    ErrorSplit,
    Fidelity,
    OperatorCost,
    OutputErrors,
    Points,
    Report,
    Size,
    Speed,
    TopK,
    Training,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""With control characters: the output of a tool may have any."""
REAL = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 2**40)
LSB = st.integers(-(2**33), 2**33)
SHA256 = st.text("0123456789abcdef", min_size=64, max_size=64)

MAYBE = st.none() | REAL
FIGURES = st.builds(RegressionFigures, COUNT, COUNT, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE)
MISMATCHES = st.lists(st.builds(Mismatch, COUNT, COUNT, COUNT, REAL, REAL, COUNT), max_size=2).map(tuple)
EXAMPLE = st.builds(
    Example,
    elements=st.lists(st.builds(Element, COUNT, COUNT, LSB, LSB), max_size=10).map(tuple),
    mismatches=MISMATCHES,
    max_lsb=COUNT,
    tried=COUNT,
)
SEARCH = st.builds(Search, COUNT, COUNT, COUNT, COUNT, st.none() | EXAMPLE)
FIDELITY = st.builds(
    Fidelity,
    passed=st.booleans(),
    vectors=COUNT,
    mismatches=COUNT,
    max_lsb=COUNT,
    tolerance_lsb=COUNT,
    exhaustive=st.booleans(),
    reference=TEXT,
    first_mismatches=MISMATCHES,
    search=st.none() | SEARCH,
    not_finite=COUNT,
    detectable=st.none() | st.floats(0, 1),
)
APART = st.builds(Apart, COUNT, COUNT)
PREPROCESSING = st.builds(
    Preprocessing,
    passed=st.booleans(),
    samples=COUNT,
    tolerance_lsb=COUNT,
    unit=TEXT,
    host=TEXT,
    features=APART,
    model=APART,
    end_to_end=APART,
    first_mismatches=MISMATCHES,
    cost=MAYBE,
)
SPLIT = st.builds(ErrorSplit, training=MAYBE, quantization=REAL, device=REAL, total=REAL)
ERRORS = st.builds(
    OutputErrors,
    name=TEXT,
    device_vs_float=FIGURES,
    reference_vs_float=FIGURES,
    device_vs_reference=FIGURES,
    device_vs_truth=st.none() | FIGURES,
    float_vs_truth=st.none() | FIGURES,
    split=st.none() | SPLIT,
    split_lsb=st.none() | SPLIT,
)
AVERAGE = st.builds(Average, REAL, REAL, REAL)
CLASSIFICATION = st.builds(
    Classification,
    vectors=COUNT,
    unclassified=COUNT,
    accuracy=REAL,
    classes=st.lists(st.builds(ClassFigures, TEXT, REAL, REAL, REAL, COUNT, COUNT), min_size=2, max_size=2).map(tuple),
    macro=AVERAGE,
    weighted=AVERAGE,
    confusion=st.tuples(st.tuples(COUNT, COUNT), st.tuples(COUNT, COUNT)),
)
CLASSIFIER = st.builds(
    Classifier,
    float_model=st.none() | CLASSIFICATION,
    reference=CLASSIFICATION,
    device=CLASSIFICATION,
    top_k=st.lists(st.builds(TopK, COUNT, MAYBE, REAL, REAL), max_size=2).map(tuple),
    agreement=st.builds(Agreement, MAYBE, MAYBE, REAL),
    top1_drop=MAYBE,
)
ACCURACY = st.builds(
    Accuracy,
    passed=st.booleans(),
    vectors=COUNT,
    truth=st.sampled_from(["function", "test set", None]),
    overall=st.none() | ERRORS,
    outputs=st.lists(ERRORS, max_size=2).map(tuple),
    classifier=st.none() | CLASSIFIER,
    bounds=st.lists(st.builds(Bound, TEXT, MAYBE, REAL, st.booleans()), max_size=2).map(tuple),
)


@st.composite
def _points(draw: st.DrawFn) -> Points:
    """All lists are of one length."""
    count = draw(st.integers(1, 3))

    def values(each: st.SearchStrategy[Any]) -> Any:
        return tuple(draw(st.lists(each, min_size=count, max_size=count)))

    return Points(
        vector=values(COUNT),
        x=(draw(st.booleans()) and values(REAL)) or None,
        reference=values(MAYBE),
        device=values(MAYBE),
        float_model=(draw(st.booleans()) and values(MAYBE)) or None,
        truth=(draw(st.booleans()) and values(MAYBE)) or None,
        lsb=values(LSB),
        like_data=values(st.booleans()),
    )


POINTS = _points()
TRAINING = st.builds(
    Training,
    data=TEXT,
    trained_by=TEXT,
    epoch=COUNT,
    figures=st.dictionaries(TEXT, st.dictionaries(TEXT, REAL, max_size=2), max_size=2),
    diagnosis=TEXT,
)
SIZE = st.builds(
    Size,
    flash_bytes=COUNT,
    ram_bytes=COUNT,
    arena_bytes=st.none() | COUNT,
    sections=st.dictionaries(TEXT, COUNT, max_size=2),
)
LAYER_DIFFERENCE = st.builds(
    LayerDifference,
    vectors=COUNT,
    mismatches=COUNT,
    max_lsb=COUNT,
    elements=COUNT,
    wrong_elements=COUNT,
    first=st.none() | st.builds(Mismatch, COUNT, COUNT, COUNT, REAL, REAL, COUNT),
)


@st.composite
def _bisections(draw: st.DrawFn) -> Bisection:
    """Layers are numbered; those that are tested and the one that is blamed are among them."""
    names = draw(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
    layers = tuple(Layer(place + 1, kind, name, "int8", (1, 2)) for place, (kind, name) in enumerate(names))
    tested = [layer.number for layer in layers if draw(st.booleans())]
    blamed = draw(st.none() | st.sampled_from(range(len(layers))))
    return Bisection(
        recipe=draw(TEXT),
        model_sha256=draw(SHA256),
        reference=draw(TEXT),
        sides=(DeviceSide(draw(TEXT), draw(TEXT), draw(TEXT), draw(SHA256)),),
        tolerance_lsb=draw(COUNT),
        every=draw(st.booleans()),
        exhaustive=draw(st.booleans()),
        whole=draw(LAYER_DIFFERENCE),
        vectors=tuple(draw(st.lists(COUNT, max_size=2))),
        layers=layers,
        tested=tuple(Probe(number, draw(st.none() | LAYER_DIFFERENCE), draw(TEXT)) for number in tested),
        blame=None if blamed is None else Blame(blamed, (blamed,), ()),
    )


KINDS = st.sampled_from(sorted(health.STRICT))
LEVELS = st.sampled_from(["warning", "information"])
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
    training=st.none() | TRAINING,
    fidelity=st.none() | FIDELITY,
    preprocessing=st.none() | PREPROCESSING,
    litert=st.none() | st.builds(Beside, TEXT, COUNT, COUNT),
    accuracy=st.none() | ACCURACY,
    points=st.none() | POINTS,
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
    tool_sha256=st.dictionaries(TEXT, SHA256, max_size=2),
    made_by=TEXT,
    link=st.dictionaries(TEXT, COUNT, max_size=2),
    bisection=st.none() | _bisections(),
    findings=st.lists(st.builds(Finding, TEXT | KINDS, TEXT, TEXT, LEVELS), max_size=2).map(tuple),
    strict=st.booleans(),
    headline=TEXT,
    source_sha256=st.none() | SHA256,
    samples_sha256=st.none() | SHA256,
    test_data_sha256=st.none() | SHA256,
    raw_sha256=st.none() | SHA256,
    prepare_sha256=st.none() | SHA256,
    retries=st.none() | st.builds(Retries, *[st.integers(0, 3)] * 7),
    scope=st.none() | st.builds(Scope, COUNT, COUNT, COUNT, COUNT),
    line=st.none() | st.sampled_from(["uart", "semihosting"]),
    blocked=st.none() | st.builds(Blocked, error=TEXT, cause=TEXT, hint=TEXT, detail=TEXT, id=TEXT),
)
