"""A search for an input that the device gets wrong, longer than the one that a run makes by itself.

The device runs and answers round after round of inputs; the integer reference is asked for the same ones. What is found
is reduced to a minimal example, and kept::

    build/<recipe>/<target>/search.json   seed, figures, the example
    build/<recipe>/<target>/search.npz    the example's inputs as integers: input_0, input_1, ...
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyhil.artifacts import arrays, store
from tinyhil.compare.search import Search, Wanted, inputs_of
from tinyhil.errors import ConfigError
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.run_search import RunSearch, why_not

INPUTS = "search.npz"


@dataclass(frozen=True)
class SearchResult:
    """What a search has found, and of what.

    Attributes:
        recipe: name of the recipe.
        target: name of the target.
        engine: name of the engine.
        model_sha256: of the model.
        reference: what computed the reference.
        exhaustive: whether a run sends all inputs there are, so that there was nothing to search.
        search: what was found; None where there was nothing to search.
    """

    recipe: str
    target: str
    engine: str
    model_sha256: str
    reference: str
    exhaustive: bool
    search: Search | None


def search(run: Run, count: int, seed: int) -> tuple[SearchResult, Path]:
    """Searches, and writes what was found.

    Args:
        run: of the model on its target.
        count: how many inputs to try.
        seed: of all that is drawn.

    Returns:
        What was found, and where it is kept.

    Raises:
        BlockedError: the device cannot be had, or the reference not be computed.
        ConfigError: the model keeps a state, or its inputs are no quantized integers.
    """
    model = run.quantize()
    place = run.layout.search
    found = None
    if not model.vectors.exhaustive:
        if why := why_not(model):
            raise ConfigError(
                f"there is nothing to search: {why}", hint="tinyhil run judges the model without a search"
            )
        with run.running_device() as device, device.session() as session, run.observer.stage("search") as reporter:
            wanted = Wanted(count, seed, run.fidelity.max_lsb)
            climb = RunSearch(model, wanted, reporter)
            answers = session.infer(*model.vectors.inputs).outputs
            found = climb.search(answers, lambda inputs: session.infer(*inputs).outputs)
            run.observer.result(f"{found.tried:,} inputs tried, at most {found.max_lsb:,} LSB apart", found=False)
    if found is not None and found.example is not None:
        example = inputs_of(found.example, model.inputs)
        arrays.write_tensors(place.with_name(INPUTS), "input", example)
    searched = SearchResult(
        recipe=run.name,
        target=run.target.name,
        engine=run.engine,
        model_sha256=model.sha256,
        reference=model.reference,
        exhaustive=model.vectors.exhaustive,
        search=found,
    )
    store.write_json(place, searched)
    return searched, place
