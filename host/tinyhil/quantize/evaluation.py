"""A quantized model against its float model over the test set: what quantization cost.

The vectors that a device is sent are others where they are all that the model can be given. What the test set gives
follows from the reference's outputs for them, without another run: each quantized sample is one of the vectors. Where
not all vectors are sent, the samples among them stand for the test set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyhil.artifacts import arrays
from tinyhil.artifacts.types import Array, FloatModel, QuantizedModel, Reals
from tinyhil.compare import classification
from tinyhil.compare.regression import figures
from tinyhil.quantize import quantized_folder
from tinyhil.quantize import vectors as choice

_Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TestSet:
    """What two models make of the test set.

    Attributes:
        floats: the float model's outputs, (samples, elements of all outputs).
        outputs: the quantized model's, dequantized, the same shape.
        labels: the class of each sample, (samples,); None for a regression.
        truth: the targets of a regression, (samples, elements); None for a classifier, and where they do not fit.
    """

    floats: Reals
    outputs: Reals
    labels: Array | None
    truth: Reals | None


@dataclass(frozen=True)
class Accuracy:
    """Figures over the test set.

    Attributes:
        samples: how many there are.
        mae_against_float: mean absolute difference of the outputs, in real units.
        mae_float, mae: mean absolute error of the float model and of the quantized one against the targets, for a
            regression.
        accuracy_float, accuracy: share of samples whose largest output is the right class, for a classifier.
        agreement: share of samples for which both models choose the same class, for a classifier.
    """

    samples: int
    mae_against_float: float | None
    mae_float: float | None = None
    mae: float | None = None
    accuracy_float: float | None = None
    accuracy: float | None = None
    agreement: float | None = None

    @property
    def drop(self) -> float | None:
        """How much of the float model's accuracy was lost."""
        if self.accuracy is None or self.accuracy_float is None:
            return None
        return self.accuracy_float - self.accuracy


def on_test_set(model: QuantizedModel, floats: FloatModel) -> TestSet:
    """What ``model`` and the float model it was made from make of the test set."""
    test_x, test_y = arrays.read_set(floats.dataset, "test")
    stored = arrays.read_vectors(model.path.with_name(quantized_folder.VECTORS))
    expected = _side_by_side(stored.test)
    samples, places = _known(model, test_x)
    test_y, expected = test_y[samples], expected[samples]
    outputs = _side_by_side(
        [spec.dequantize(part[places]) for spec, part in zip(model.outputs, model.vectors.reference, strict=True)]
    )
    labels = classification.labels(test_y, outputs.shape[1]) if len(model.outputs) == 1 else None
    fits = labels is None and test_y.size == outputs.size
    return TestSet(expected, outputs, labels, test_y.reshape(outputs.shape).astype(np.float64) if fits else None)


def _side_by_side(outputs: Sequence[Reals]) -> Reals:
    """All outputs of a model, (samples, elements of all)."""
    return np.concatenate([part.reshape(len(part), -1) for part in outputs], axis=1)


def _known(model: QuantizedModel, test_x: Array) -> tuple[_Places, _Places]:
    """The samples of the test set that are among the vectors, and where each is."""
    sent = np.arange(model.vectors.count) if model.vectors.places is None else model.vectors.places
    if choice.exhaustible(model.inputs):
        # All values were vectors to choose from, in their order: a value's place is its distance from the lowest.
        spec = model.inputs[0]
        values = spec.quantize(test_x).reshape(-1).astype(np.int64) - spec.dtype.limits[0]
        samples = np.flatnonzero(np.isin(values, sent))
        return samples, np.searchsorted(sent, values[samples])
    first = (model.vectors.available or model.vectors.count) - len(test_x)
    places = np.flatnonzero(sent >= first)
    return sent[places] - first, places


def accuracy(found: TestSet) -> Accuracy:
    """The figures of what the two models made of the test set."""
    samples = len(found.floats)
    against_float = figures(found.outputs, found.floats).mae
    if found.labels is not None:
        by_float, by_model = found.floats.argmax(axis=1), found.outputs.argmax(axis=1)
        return Accuracy(
            samples,
            against_float,
            accuracy_float=float((by_float == found.labels).mean()),
            accuracy=float((by_model == found.labels).mean()),
            agreement=float((by_model == by_float).mean()),
        )
    if found.truth is not None:
        return Accuracy(
            samples,
            against_float,
            mae_float=figures(found.floats, found.truth).mae,
            mae=figures(found.outputs, found.truth).mae,
        )
    return Accuracy(samples, against_float)
