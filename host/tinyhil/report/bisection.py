"""A bisection in words."""

from __future__ import annotations

import math

from tinyhil.affine import DType, unit_of_difference
from tinyhil.compare.bisection import Bisection, Layer, Probe
from tinyhil.compare.fidelity import CONFIDENCE, detectable
from tinyhil.compare.layer import LayerDifference

HEAD = ("layer", "operator", "output", "shape", "vectors", "differ", "")
"""Of the table of tested layers."""


def table(bisection: Bisection) -> list[tuple[str, ...]]:
    """One row for each layer that was tested, under ``HEAD``."""
    return [_row(bisection.layers[tested.layer - 1], tested) for tested in bisection.tested]


def _row(layer: Layer, tested: Probe) -> tuple[str, ...]:
    found = tested.difference
    cells = (str(layer.number), layer.kind, _short(layer.name), _shape(layer.shape))
    if found is None:
        return (*cells, "-", "-", f"not tested: {tested.why}")
    return (*cells, str(found.vectors), str(found.mismatches), outcome(found, layer.dtype))


def outcome(found: LayerDifference, dtype: str) -> str:
    """Exact, or by how much it differs."""
    return f"differs by up to {found.max_lsb} {unit(dtype)}" if found.differs else "exact"


def unit(dtype: str) -> str:
    """What a difference is counted in."""
    return unit_of_difference([DType.of(dtype)])


def finding(bisection: Bisection) -> str:
    """What was found, in one paragraph."""
    if bisection.verdict == "clean":
        return _clean(bisection)
    if bisection.verdict == "unexplained":
        return (
            f"the whole model differs in {bisection.whole.mismatches} of {bisection.whole.vectors} vectors, but no "
            "layer does when the model is cut after it: the difference depends on the layers that follow, on the "
            "memory layout or on earlier inferences"
        )
    if bisection.verdict == "not located":
        return (
            f"the whole model differs in {bisection.whole.mismatches} of {bisection.whole.vectors} vectors; its image "
            "was built elsewhere, and gives the outputs of the whole model only: the layer cannot be told from it"
        )
    assert bisection.blame is not None
    culprit = bisection.layers[bisection.blame.operator]
    named = f"layer {culprit.number} of {len(bisection.layers)}, {culprit.kind} {_short(culprit.name)!r}"
    tested = bisection.of(culprit.number)
    if tested is not None and tested.difference is not None:
        named += f": {_evidence(bisection, culprit, tested)}"
    return f"{named}; {_surroundings(bisection)}"


def _clean(bisection: Bisection) -> str:
    whole = bisection.whole
    over = f"all {whole.vectors} inputs there are" if bisection.exhaustive else f"{whole.vectors} vectors"
    text = f"clean: the whole model is exact over {over}"
    if not bisection.exhaustive:
        share = f"{100 * detectable(whole.vectors):.2g} % of such inputs"
        text += f" (a fault that hits {share} is seen with a probability of {CONFIDENCE:.0%})"
    if bisection.prebuilt and not bisection.every:
        return f"{text}; its image was built elsewhere, and gives no outputs of layers"
    if not bisection.every:
        return f"{text}; layers were not tested one by one: --every does that"
    untested = sum(tested.difference is None for tested in bisection.tested)
    text += f", and each of {len(bisection.layers) - untested} layers over {len(bisection.vectors)} vectors"
    return f"{text}; {untested} could not be tested" if untested else text


def _short(name: str) -> str:
    """A tensor's name; a converter joins those of all that it has fused, of which the first tells enough."""
    first, more, _ = name.partition(";")
    return f"{first};..." if more else first


def _evidence(bisection: Bisection, layer: Layer, tested: Probe) -> str:
    found = tested.difference
    assert found is not None
    assert found.first is not None
    first = found.first
    expects, answers = sides(bisection)
    text = (
        f"{found.mismatches} of {found.vectors} vectors differ, by up to {found.max_lsb} {unit(layer.dtype)}; "
        f"in vector {bisection.vectors[first.vector]}, {found.wrong_elements} of {found.elements} outputs differ, "
        f"first at {index(layer.shape, first.element)}: {expects} {first.expected:.9g}, {answers} {first.actual:.9g}"
    )
    for side, against in zip(bisection.sides, tested.against_reference, strict=False):
        told = f"differs in {against.mismatches}" if against.differs else "is exact"
        text += f"; {side} {told} against the reference"
    return text


def _surroundings(bisection: Bisection) -> str:
    """What is exact before the culprit, and what could not be told apart from it."""
    assert bisection.blame is not None
    reads = [str(operator + 1) for operator in bisection.blame.reads]
    others = [str(operator + 1) for operator in bisection.blame.suspects if operator != bisection.blame.operator]
    text = f"what it reads, the output of layer {' and '.join(reads)}, is exact" if reads else "it reads the inputs"
    if others:
        plural = "s" if len(others) > 1 else ""
        text += f"; layer{plural} {', '.join(others)} in between could not be tested and may be the cause too"
    return text


def sides(bisection: Bisection) -> tuple[str, str]:
    """Short labels of the two sides that are compared."""
    if len(bisection.sides) == 1:
        return "expected", "device"
    return "A", "B"


def index(shape: tuple[int, ...], element: int) -> str:
    """The place of a flat index in an array of ``shape``; flat where the layer has several outputs."""
    if element >= math.prod(shape):
        return f"[{element}]"
    places = []
    for size in reversed(shape):
        element, place = divmod(element, size)
        places.append(place)
    return str(list(reversed(places)))


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
