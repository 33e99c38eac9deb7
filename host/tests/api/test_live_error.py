"""What is counted while a device answers, and what its demo should have said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.api.asking import Answer
from tinyhil.api.live_error import LAST, DemoCheck, LiveError
from tinyhil.artifacts.types import QuantizedModel, Vectors
from tinyhil.link.counters import Counters
from tinyhil.sim.demo import PERIOD_S, Demo
from tinyhil.sim.facts import DemoFacts
from tinyhil.stream.model import Stream
from tinyhil.stream.reading import Format, Reading

LEVELS = np.arange(-128, 128, dtype=np.int8)
TABLE = np.random.default_rng(1).permutation(LEVELS)
"""What the model computes: no two neighbours are alike, so that a wrong input shows."""


def answer(distance: int, apart: float = 0.0) -> Answer:
    return Answer(np.array([1.0]), np.array([apart]), np.array([0.0]), np.array([0.0]), distance, None, "")


def test_figures_are_those_of_all_answers() -> None:
    errors = LiveError()
    assert errors.figures().agreement is None
    errors.add([answer(0, 0.5)] * 3)
    errors.add(answer(distance) for distance in range(1, 13))
    errors.add([replace(answer(0), floats=None)])
    errors.add_conversation(Counters(resends=2, bytes_sent=10), 100, 0.5)
    errors.add_conversation(Counters(resends=1), 30, 0.1)
    figures = errors.figures()
    assert (figures.answers, figures.agreement) == (16, 4 / 16)
    assert [each.distance for each in figures.last] == list(range(12, 12 - LAST, -1))
    assert (figures.float_mean, figures.float_largest) == (1.5 / 15, 0.5)
    assert (figures.link.resends, figures.link.bytes_sent) == (3, 10)
    assert figures.goodput == pytest.approx(300)
    errors.clear()
    assert errors.figures() == LiveError().figures()


@pytest.fixture
def model(
    tmp_path: Path, tiny_model: bytes, quantized_model: Callable[[Path, bytes], QuantizedModel]
) -> Callable[..., QuantizedModel]:
    """A model with one number in and one out, that computes TABLE."""

    def make(input_scale: float = 0.025, output_scale: float = 0.008, dtype: DType = DType.INT8) -> QuantizedModel:
        def spec(name: str, scale: float, zero_point: int) -> TensorSpec:
            return TensorSpec(name=name, shape=(1,), dtype=dtype, scale=scale, zero_point=zero_point)

        vectors = Vectors(
            inputs=(LEVELS.reshape(-1, 1),),
            reference=(TABLE.reshape(-1, 1),),
            float_outputs=(TABLE.reshape(-1, 1) * output_scale + 0.001,),
            exhaustive=True,
        )
        made = quantized_model(tmp_path, tiny_model)
        return replace(
            made,
            inputs=(spec("x", input_scale, -128),),
            outputs=(spec("y", output_scale, 3),),
            vectors=vectors,
        )

    return make


def compared(model: QuantizedModel, off: int = 0, steps: int = 997) -> list[Answer]:
    """Each line of a demo whose device is so many LSB off, as the simulated device prints it."""
    level = bytearray(1)

    def output(_index: int) -> bytes:
        computed = int(TABLE[np.frombuffer(level, np.int8)[0].astype(int) + 128])
        return np.array([computed + off if computed + off <= 127 else computed - off], np.int8).tobytes()

    engine = SimpleNamespace(input=lambda _index: level, invoke=lambda: 0, output=output)
    facts = DemoFacts(start=0.0, step=6.3 / steps, steps=steps)
    server = SimpleNamespace(frames=0, parted=False)
    demo = Demo(facts, cast("Any", server), cast("Any", engine), (model.inputs[0], model.outputs[0]))
    check, stream = DemoCheck.of(model), Stream(joined=False)
    assert check is not None
    found: list[Answer | None] = []
    stream.listeners.append(lambda reading: found.append(check.answer(reading)))
    for step in range(1, steps + 1):
        stream.feed(demo.pass_time(step * 2 * PERIOD_S), 0.0)
    answers = [each for each in found if each is not None]
    assert len(answers) == len(found) == steps
    return answers


def test_a_demo_that_is_right_differs_nowhere(model: Callable[..., QuantizedModel]) -> None:
    """At any x: where it lies between two inputs, the four decimals do not tell which of them was computed with."""
    answers = compared(model())
    assert {each.distance for each in answers} == {0}
    apart = [float(abs(each.device[0] - each.floats[0])) for each in answers if each.floats is not None]
    assert len(apart) == len(answers)
    assert len({each.inputs[0] for each in answers}) > 240


@pytest.mark.parametrize("off", [1, 3])
def test_a_demo_that_is_wrong_is_seen(model: Callable[..., QuantizedModel], off: int) -> None:
    distances = [each.distance for each in compared(model(), off)]
    assert max(distances) == off
    assert distances.count(off) > 0.95 * len(distances)


def test_an_output_finer_than_the_decimals_is_given_what_they_leave_open(model: Callable[..., QuantizedModel]) -> None:
    fine = model(output_scale=2e-5)
    assert {each.distance for each in compared(fine)} == {0}
    assert max(each.distance for each in compared(fine, 50)) in range(44, 51)


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (("x", "z"), (1.0, 1.0)),
        (("x", "y", "z"), (1.0, 1.0, 1.0)),
        (("x", "y"), (1.0, float("nan"))),
        (("x", "y"), (float("inf"), 1.0)),
        (("x", "y"), (1.0, 0.0123)),  # between two outputs
        (("x", "y"), (1.0, 1e9)),
    ],
)
def test_other_lines_are_none_of_the_demo(
    model: Callable[..., QuantizedModel], names: tuple[str, ...], values: tuple[float, ...]
) -> None:
    check = DemoCheck.of(model())
    assert check is not None
    assert check.answer(Reading(Format.PAIRS, names, values)) is None


def test_what_has_no_demo(model: Callable[..., QuantizedModel]) -> None:
    assert DemoCheck.of(model(dtype=DType.INT16)) is None
    wide = model()
    assert DemoCheck.of(replace(wide, inputs=(replace(wide.inputs[0], shape=(2,)),))) is None
    coarse = DemoCheck.of(model(input_scale=1e-6))
    assert coarse is not None
    assert coarse.answer(Reading(Format.PAIRS, ("x", "y"), (0.0, 0.0))) is None
