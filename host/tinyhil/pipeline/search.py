"""A search for an input that the device gets wrong, beyond the vectors that every run sends.

The device runs and answers round after round of inputs; the integer reference is asked for the same ones. What is found
is reduced to a minimal example, and kept::

    build/<recipe>/<target>/search.json   seed, figures, the example
    build/<recipe>/<target>/search.npz    the example's inputs as integers: input_0, input_1, ...
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from tinyhil.artifacts import store
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.compare import climb, fidelity
from tinyhil.compare.climb import Apart, Inputs
from tinyhil.errors import ConfigError
from tinyhil.pipeline.expected import expected
from tinyhil.pipeline.request import Observer
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.session import LiveSession

RESULT, INPUTS = "search.json", "search.npz"


@dataclass(frozen=True)
class Element:
    """One element of an example that is not the zero point."""

    input: int
    element: int
    value: int
    zero_point: int


@dataclass(frozen=True)
class Example:
    """A small input that the device gets wrong.

    Attributes:
        elements: those of its elements that are not the zero point.
        mismatches: its wrong outputs, the first ones of them.
        lsb: the largest difference.
        tried: how many inputs it took to reduce it.
    """

    elements: tuple[Element, ...]
    mismatches: tuple[fidelity.Mismatch, ...]
    lsb: int
    tried: int


@dataclass(frozen=True)
class Searched:
    """What a search has found.

    Attributes:
        recipe: name of the recipe.
        target: name of the target.
        engine: name of the engine.
        model_sha256: of the model.
        reference: what computed the reference.
        seed: of the search; the same finds the same.
        tried: how many inputs were tried beyond the vectors of a run.
        exhaustive: whether those are all inputs that there are, so that there was nothing to search.
        max_lsb: the largest difference of any input, the run's vectors included.
        tolerance_lsb: what the recipe allows.
        example: where a difference is beyond it.
    """

    recipe: str
    target: str
    engine: str
    model_sha256: str
    reference: str
    seed: int
    tried: int
    exhaustive: bool
    max_lsb: int
    tolerance_lsb: int
    example: Example | None


def search(run: Run, observer: Observer, count: int, seed: int) -> tuple[Searched, Path]:
    """Searches, and writes what was found.

    Args:
        run: of the model on its target.
        observer: told of the stages.
        count: how many inputs to try, rounded up to whole rounds.
        seed: of all that is drawn.

    Returns:
        What was found, and where it is kept.

    Raises:
        BlockedError: the device cannot be had, or the reference not be computed.
        ConfigError: the model keeps a state, or its inputs are no quantized integers.
    """
    model = run.quantize()
    if not all(spec.quantized for spec in model.inputs):
        raise ConfigError("a search changes integers, and this model's inputs are none", hint="quantize it: --scheme")
    place = run.folder / RESULT
    with run.running() as device, device.session() as session, observer.stage("search") as reporter:
        if session.welcome.stateful:
            raise ConfigError("the model keeps a state: what it answers depends on all inputs before, not on one")
        found, example = _search(run, model, session, reporter, (count, seed))
        observer.result(f"{found.tried:,} inputs tried, at most {found.max_lsb:,} LSB apart", found=False)
    if example is not None:
        with store.storage(place):
            np.savez(place.with_name(INPUTS), **{f"input_{index}": part for index, part in enumerate(example)})  # type: ignore[arg-type]
    store.write_bytes(place, msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    return found, place


def _search(
    run: Run, model: QuantizedModel, session: LiveSession, reporter: Reporter, asked: tuple[int, int]
) -> tuple[Searched, Inputs | None]:
    count, seed = asked
    tolerance = run.recipe.fidelity.max_lsb
    tried = 0

    def ask(inputs: Inputs) -> Apart:
        nonlocal tried
        answers = session.infer(*inputs).outputs
        wanted = expected(model, inputs, stateful=False, floats=False).reference
        tried += len(inputs[0])
        reporter.progress(min(tried, count), count, "inputs")
        return _apart(answers, wanted)

    start = model.vectors.inputs
    apart = _apart(session.infer(*start).outputs, model.vectors.reference)
    worst = int(apart.argmax())
    top, climbed = tuple(part[worst : worst + 1] for part in start), int(apart[worst])
    if not model.vectors.exhaustive:
        found = climb.climb(ask, model.inputs, start, apart, count, seed)
        top, climbed = found.worst, found.lsb
    searched = tried
    example, inputs = None, None
    if climbed > tolerance:
        smallest = climb.reduce(ask, model.inputs, top, tolerance)
        inputs = smallest.inputs
        example = _example(model, session, inputs, tolerance, smallest.tried)
    return Searched(
        recipe=run.recipe.name,
        target=run.target.name,
        engine=run.engine,
        model_sha256=model.sha256,
        reference=model.reference,
        seed=seed,
        tried=searched,
        exhaustive=model.vectors.exhaustive,
        max_lsb=climbed,
        tolerance_lsb=tolerance,
        example=example,
    ), inputs


def _apart(answers: Inputs, wanted: Inputs) -> Apart:
    parts = [
        np.abs(fidelity.differences(one, other)).reshape(len(one), -1)
        for one, other in zip(answers, wanted, strict=True)
    ]
    largest: Apart = np.concatenate(parts, axis=1).max(axis=1)
    return largest


def _example(model: QuantizedModel, session: LiveSession, inputs: Inputs, tolerance: int, tried: int) -> Example:
    answers = session.infer(*inputs).outputs
    wanted = expected(model, inputs, stateful=False, floats=False).reference
    found = fidelity.compare(answers, wanted, model.outputs, tolerance)
    elements = [
        Element(index, int(place), int(part.reshape(-1)[place]), spec.zero_point)
        for index, (spec, part) in enumerate(zip(model.inputs, inputs, strict=True))
        for place in np.flatnonzero(part.reshape(-1).astype(np.int64) != spec.zero_point)
    ]
    return Example(tuple(elements), found.first, found.max_lsb, tried)
