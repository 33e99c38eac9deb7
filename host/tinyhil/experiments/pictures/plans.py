"""Which pictures a model gets, and what they hold. A plan names a picture and says how to draw it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinyhil import kinds, worker
from tinyhil.artifacts import arrays, store
from tinyhil.artifacts.types import Array, Capture, FloatModel, QuantizedModel, Reals
from tinyhil.compare import classification
from tinyhil.errors import ConfigError
from tinyhil.pipeline.run import Run
from tinyhil.plots import confusion, curves, predictions, quantization
from tinyhil.progress import Silent
from tinyhil.quantize.evaluation import TestSet, on_test_set
from tinyhil.quantize.inspection import read_inspection as inspection

FIRST = 100
"""Epochs that flatten all later ones, and are left out of a second picture."""
REPORT = "classification"
"""A text: the only plan that draws nothing."""
_LOSSES = {"mse": "mean squared error", "mae": "mean absolute error"}
_ERRORS = ("mae", "mean_absolute_error")
_ACCURACIES = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")


@dataclass(frozen=True)
class Shown:
    """A float model that is shown.

    Attributes:
        title: of its panels.
        loss: name of its loss.
        model: the float model.
        history: its figures by epoch; empty for a .keras file, of whose training nothing is known.
        test: what the float model makes of the test set.
        inputs: the test set's inputs, (samples,), where each is one number; else None.
    """

    title: str
    loss: str
    model: FloatModel
    history: dict[str, list[float]]
    test: TestSet
    inputs: Array | None


Draw = Callable[[Path], object]
Plan = Iterator[tuple[str, str, Draw]]
"""File name without suffix, what it shows, and what draws it there."""


def shown_of(run: Run) -> Shown:
    """The float model of ``run``, and what it makes of the test set."""
    model, quantized = run.train(), run.quantize()
    recipe = run.source.recipe
    inputs, _ = arrays.read_set(model.dataset, "test")
    return Shown(
        title=recipe.title,
        loss=_LOSSES.get(recipe.train.loss, _words(recipe.train.loss)),
        model=model,
        history={} if model.history is None else json.loads(model.history.read_text(encoding="utf-8")),
        test=on_test_set(quantized, model),
        inputs=inputs.reshape(-1) if inputs.size == len(inputs) else None,
    )


def training(code: Path | None, shown: Sequence[Shown], folder: Path) -> Plan:
    """Pictures of the training; none where nothing is known of it.

    Args:
        code: the recipe's Python file; None for a .keras file.
        shown: the models, the run's own last.
        folder: where a recipe's own pictures are drawn.
    """
    history = shown[-1].history
    if not history:
        return
    model = shown[-1].model
    if code is not None and model.history is not None and "pictures" in model.functions:
        yield from _own(code, model.history, folder)
    elif "train" in model.functions:
        title = f"Trace of the training: {shown[-1].title}"
        yield "trace", f"{_listed(history)} by step", lambda stem: curves.trace(history, stem, title=title)
    else:
        yield from _curves(shown)


def _own(code: Path, history: Path, folder: Path) -> Plan:
    """What the recipe draws itself, at once; it is the user's code, so what is wrong with it is a ConfigError."""
    store.make_folder(folder)
    drawn = worker.call(
        "tinyhil.experiments.pictures.own_child",
        {"code": str(code), "history": str(history), "folder": str(folder)},
        what="draw the recipe's pictures",
        reporter=Silent(),
    )
    for name, shows in drawn["shows"].items():
        missing = [f"{name}{suffix}" for suffix in (".png", ".svg") if not (folder / f"{name}{suffix}").is_file()]
        if missing:
            raise ConfigError(
                f"the recipe's pictures() did not write {' and '.join(missing)}",
                hint="write both into the folder that it is given",
                kind=kinds.RECIPE_CODE,
            )
        yield name, shows, lambda stem: None


def _curves(shown: Sequence[Shown]) -> Plan:
    """One picture for each figure that all of them have kept by epoch."""
    losses = _panels(shown, ("loss",))
    name = shown[-1].loss
    yield "loss", "loss by epoch", lambda stem: curves.loss(losses, stem, name=name)
    if all(len(one.history["loss"]) > FIRST for one in shown):
        shows = f"loss by epoch, without the first {FIRST}, which flatten the rest"
        yield f"loss-after-{FIRST}", shows, lambda stem: curves.loss(losses, stem, name=name, skip=FIRST)
    if errors := _panels(shown, _ERRORS):
        yield "mae", "mean absolute error by epoch", lambda stem: curves.mae(errors, stem)
    if accuracies := _panels(shown, _ACCURACIES):
        yield "accuracy", "accuracy by epoch", lambda stem: curves.accuracy(accuracies, stem)


def _panels(shown: Sequence[Shown], names: Sequence[str]) -> list[curves.Curves]:
    """A panel of each, by the first of the names that it has kept; none if one has kept none of them."""
    panels = []
    for one in shown:
        name = next((name for name in names if name in one.history), None)
        if name is None:
            return []
        last = len(one.history[name])
        kept = one.model.epoch if one.model.epoch != last else None
        panels.append(curves.Curves(one.title, one.history[name], one.history.get(f"val_{name}"), kept))
    return panels


def floats(run: Run, shown: Sequence[Shown]) -> Plan:
    """What the float models make of the test set."""
    if shown[-1].test.labels is not None:
        yield from _classes(run, shown[-1].test, shown[-1].test.floats, "float model")
        return
    panels = [_panel(one, one.title) for one in shown]
    yield from _predictions([panel for panel in panels if panel is not None], "the float model")


def quantized(run: Run, shown: Shown | None, capture: Capture | None) -> Plan:
    """What the quantized model makes of the test set, on the host and on the device, and at which cost.

    Args:
        shown: its float model; None where there is none, and so no test set.
        capture: the device's answers; None where it is not asked.
    """
    if shown is not None:
        yield from _on_test_set(run, shown, capture)
    model = run.quantize()
    yield from _inside(model)
    yield from _lsb(run, model, capture)


def _on_test_set(run: Run, shown: Shown, capture: Capture | None) -> Plan:
    model = run.quantize()
    if capture is None:
        on_device, who = None, "integer reference" if model.outputs[0].quantized else "reference"
    else:
        answered = replace(model, vectors=replace(model.vectors, reference=capture.outputs))
        on_device, who = on_test_set(answered, shown.model), run.target.name
    if shown.test.labels is not None:
        yield from _classes(run, shown.test, (on_device or shown.test).outputs, who)
    else:
        panel = _panel(shown, f"{shown.title}: {model.scheme}, {who}", shown.test, on_device)
        everyone = "float model and reference" if capture is None else "float model, reference and device"
        yield from _predictions([] if panel is None else [panel], everyone)


def _panel(
    shown: Shown, title: str, reference: TestSet | None = None, device: TestSet | None = None
) -> predictions.Predictions | None:
    """The panel of one model; None where the targets do not fit its outputs."""
    truth = shown.test.truth
    if truth is None:
        return None
    return predictions.Predictions(
        title=title,
        actual=truth.reshape(-1),
        inputs=shown.inputs if truth.shape[1] == 1 else None,
        float_model=shown.test.floats.reshape(-1),
        reference=None if reference is None else reference.outputs.reshape(-1),
        device=None if device is None else device.outputs.reshape(-1),
    )


def _predictions(panels: list[predictions.Predictions], who: str) -> Plan:
    if not panels:
        return
    shows = f"what {who} predict{'s' if who.startswith('the ') else ''}, test set"
    if all(panel.inputs is not None for panel in panels):
        yield "over-input", f"{shows}, over the input", lambda stem: predictions.over_input(panels, stem)
    yield (
        "predicted-vs-actual",
        f"{shows}, over what is actual",
        lambda stem: predictions.against_actual(panels, stem),
    )


def _classes(run: Run, test: TestSet, scores: Reals, who: str) -> Plan:
    """The confusion matrix and the classification report of one of the models."""
    count = scores.shape[1]
    names = run.source.recipe.classes or tuple(str(index) for index in range(count))
    if len(names) != count:
        raise ConfigError(
            f"the recipe names {len(names)} classes, but its model has {count}",
            hint="give the recipe as many names as its model has outputs",
        )
    assert test.labels is not None
    found = classification.classification(classification.predictions(scores), test.labels, names)
    title = f"Test set, {who}: {100 * found.accuracy:.1f} % of {found.vectors:,} right"
    yield (
        "confusion",
        f"true and predicted classes, {who}, test set",
        lambda stem: confusion.confusion_matrix(found.confusion, names, stem, title=title),
    )
    yield (
        REPORT,
        f"precision, recall and F1 of each class, {who}, test set",
        lambda stem: store.write_text(stem.with_name(f"{stem.name}.txt"), classification.report(found)),
    )


def _inside(model: QuantizedModel) -> Plan:
    """What quantization did tensor by tensor."""
    uses = [
        quantization.TensorUse(
            name=tensor.made_by.removeprefix("operator "),
            error=np.nan if tensor.error_share is None else tensor.error_share,
            outside=np.nan if tensor.coverage is None else 1.0 - tensor.coverage,
            # Where the lowest number is real 0, as after a ReLU, values there are not cut off.
            saturated_low=0.0 if tensor.lowest_is_zero else tensor.at_lowest,
            saturated_high=tensor.at_highest,
        )
        for tensor in inspection(model).tensors
        if tensor.at_lowest is not None and tensor.at_highest is not None
    ]
    if uses:
        shows = "error, values cut off and values at the ends of their range, tensor by tensor"
        yield "quantization", shows, lambda stem: quantization.calibration(uses, stem)


def _lsb(run: Run, model: QuantizedModel, capture: Capture | None) -> Plan:
    """Errors in LSB over the inputs like the data (reference) and over all inputs (device)."""
    if not all(spec.quantized for spec in model.outputs):
        return
    vectors, one = model.vectors, len(model.inputs) == 1 and model.inputs[0].elements == 1
    places = model.inputs[0].dequantize(vectors.inputs[0]).reshape(-1) if one else None
    if vectors.float_outputs is not None:
        like = np.ones(vectors.count, np.bool_) if vectors.data is None else vectors.data
        expected = [
            (spec.dequantize(part) - floats.reshape(part.shape)) / spec.scale
            for spec, part, floats in zip(model.outputs, vectors.reference, vectors.float_outputs, strict=True)
        ]
        off = quantization.LsbError("Integer reference - float model", _largest(expected)[like])
        where = None if places is None else places[like]
        shows = f"integer reference minus float model in LSB, the {int(like.sum()):,} inputs that are like the data"
        yield "quantization-error", shows, lambda stem: quantization.lsb_error([off], stem, inputs=where)
    if capture is not None:
        answered = [
            one.astype(np.int64) - other.astype(np.int64)
            for one, other in zip(capture.outputs, vectors.reference, strict=True)
        ]
        title = f"{run.target.name} - integer reference"
        wrong = quantization.LsbError(title, _largest(answered), tolerance=run.fidelity.max_lsb)
        shows = f"device minus integer reference in LSB, all {vectors.count:,} inputs that were sent"
        yield "device-error", shows, lambda stem: quantization.lsb_error([wrong], stem, inputs=places)


def _largest(errors: Sequence[Array]) -> Reals:
    """Of each vector, the difference that is largest by absolute value, with its sign."""
    table: Reals = np.concatenate([part.reshape(len(part), -1) for part in errors], axis=1).astype(np.float64)
    most = np.abs(table).argmax(axis=1)
    largest: Reals = table[np.arange(len(table)), most]
    return largest


def _words(name: str) -> str:
    """The name of a Keras class or function in words."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.replace("_", " ").strip()


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
