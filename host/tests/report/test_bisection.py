"""A bisection in words: what was found, what is exact before it, and nothing that was not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.compare.bisection import Bisection, DeviceSide, Layer, Probe
from tinyhil.compare.blame import Blame
from tinyhil.compare.layer import difference
from tinyhil.report import bisection as words

SPEC = TensorSpec("out", DType.INT8, (1, 2, 3), 1.0, 0)
EXPECTED = np.zeros((4, 1, 2, 3), np.int8)
ACTUAL = EXPECTED.copy()
ACTUAL[2, 0, 1, 1:] = 5, -7
EXACT = difference([EXPECTED], [EXPECTED], [SPEC], 0)
WRONG = difference([ACTUAL], [EXPECTED], [SPEC], 0)

LAYERS = tuple(Layer(number, "CONV_2D", f"conv {number};relu;bias", "int8", (1, 2, 3)) for number in (1, 2, 3))
CLEAN = Bisection(
    recipe="r",
    model_sha256="0" * 64,
    reference="the reference",
    sides=(DeviceSide("t", "e", "k", "p"),),
    tolerance_lsb=0,
    every=False,
    exhaustive=False,
    whole=EXACT,
    vectors=(),
    layers=LAYERS,
    tested=(),
    blame=None,
)
FOUND = replace(
    CLEAN,
    whole=WRONG,
    vectors=(0, 3, 8, 9),
    tested=(Probe(1, EXACT), Probe(2, WRONG)),
    blame=Blame(1, (1,), (0,)),
)


def test_the_first_difference_is_named_by_its_place_in_the_whole_model() -> None:
    assert words.finding(FOUND) == (
        "layer 2 of 3, CONV_2D 'conv 2;...': 1 of 4 vectors differ, by up to 7 LSB; in vector 8, 2 of 6 outputs "
        "differ, first at [0, 1, 1]: expected 0, device 5; what it reads, the output of layer 1, is exact"
    )


def test_a_layer_that_could_not_be_tested_stays_a_suspect() -> None:
    tested = (Probe(1, EXACT), Probe(2, None, "too large"), Probe(3, WRONG))
    found = replace(FOUND, tested=tested, blame=Blame(2, (1, 2), (0,)))
    said = words.finding(found)
    assert "the output of layer 1, is exact" in said
    assert "layer 2 in between could not be tested" in said
    assert [row[-1] for row in words.table(found)] == ["exact", "not tested: too large", "differs by up to 7 LSB"]
    assert {len(row) for row in words.table(found)} == {len(words.HEAD)}


def test_the_first_layer_reads_the_inputs() -> None:
    found = replace(FOUND, tested=(Probe(1, WRONG),), blame=Blame(0, (0,), ()))
    assert words.finding(found).endswith("; it reads the inputs")


def test_two_devices_are_each_held_against_the_reference() -> None:
    sides = (DeviceSide("one", "e", "k", "p"), DeviceSide("two", "e", "k", "q"))
    tested = (Probe(1, EXACT), Probe(2, WRONG, against_reference=(EXACT, WRONG)))
    said = words.finding(replace(FOUND, sides=sides, tested=tested))
    assert "A 0, B 5; one (e, k) is exact against the reference; two (e, k) differs in 1 against the reference" in said


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        ({}, "clean", "the whole model is exact over 4 vectors"),
        ({"exhaustive": True}, "clean", "exact over all 4 inputs there are"),
        (
            {"every": True, "vectors": (0, 1), "tested": (Probe(1, EXACT), Probe(2, EXACT), Probe(3, EXACT))},
            "clean",
            "each of 3 layers over 2 vectors",
        ),
        ({"whole": WRONG, "tested": (Probe(3, EXACT),)}, "unexplained", "the whole model differs in 1 of 4 vectors"),
        ({"whole": WRONG, "prebuilt": True}, "not located", "the layer cannot be told"),
        ({"prebuilt": True}, "clean", "its image was built elsewhere, and gives no outputs of layers"),
        ({}, "clean", "a fault that hits 53 % of such inputs is seen with a probability of 95%"),
    ],
)
def test_what_is_said_where_no_layer_is_named(changes: dict[str, object], verdict: str, said: str) -> None:
    bisection = replace(CLEAN, **changes)  # type: ignore[arg-type]
    assert bisection.verdict == verdict
    assert said in words.finding(bisection)


def test_an_index_is_numpys() -> None:
    shape = (2, 3, 4)
    for element in range(24):
        assert words.index(shape, element) == str([int(place) for place in np.unravel_index(element, shape)])
    assert words.index(shape, 24) == "[24]"
