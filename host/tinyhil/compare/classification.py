"""How well a model classifies: predicted classes against the true ones, and the three computations with one another.

The predicted class is the one with the highest score; **of equal scores the lowest index wins**, as in NumPy's argmax
and in the usual loop on a device. An int8 output has 256 values, so ties are common. A vector whose scores hold NaN
has no class: it is ``UNCLASSIFIED``, wrong in every figure, and counted.

For a class c, TP, FP and FN are the vectors of c predicted as c, of another predicted as c, and of c not predicted so:

==============  ==========================  ===================================
``precision``   TP / (TP + FP)              of what was called c, how much is
``recall``      TP / (TP + FN)              of what is c, how much was called so
``f1``          2 TP / (2 TP + FP + FN)     harmonic mean of the two
==============  ==========================  ===================================

A quotient with denominator 0 is 0, as in scikit-learn's report; ``predicted`` and ``support`` are the denominators, so
that it can be told from a real 0. *Macro* is the mean over the classes, *weighted* the mean weighted by support.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]

UNCLASSIFIED = -1
"""In place of a class where the scores hold NaN."""


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class.

    Attributes:
        name: of the class.
        precision: share of the vectors predicted as this class that are of it.
        recall: share of the vectors of this class that are predicted as it.
        f1: harmonic mean of the two.
        support: vectors of this class.
        predicted: vectors predicted as this class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True)
class Average:
    """An average of the classes' figures."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Classification:
    """What a classifier does with vectors of known classes.

    Attributes:
        vectors: how many there are.
        unclassified: how many have no predicted class.
        accuracy: share of the vectors predicted as what they are.
        classes: the figures of each class, in the order of the indices.
        macro: mean over the classes.
        weighted: mean over the classes, weighted by support.
        confusion: vectors by true class (row) and predicted class (column).
    """

    vectors: int
    unclassified: int
    accuracy: float
    classes: tuple[ClassFigures, ...]
    macro: Average
    weighted: Average
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Agreement:
    """Share of the vectors to which two computations give the same class, right or wrong.

    Attributes:
        float_reference: float model and integer reference; None without a float model.
        float_device: float model and device; None without a float model.
        reference_device: integer reference and device.
    """

    float_reference: float | None
    float_device: float | None
    reference_device: float


def predictions(scores: npt.ArrayLike, threshold: float = 0.5) -> Labels:
    """The predicted class of each vector.

    Args:
        scores: (vectors, classes), quantized or real: quantization keeps their order. Or (vectors, 1), real: the
            score of class 1 of two.
        threshold: what a single score has to exceed for class 1.

    Returns:
        Class indices (vectors,); ``UNCLASSIFIED`` where a score is NaN.

    Raises:
        ValueError: another shape.
    """
    table = _table(scores)
    best = (table[:, 0] > threshold if table.shape[1] == 1 else table.argmax(axis=1)).astype(np.int64)
    best[np.isnan(table).any(axis=1)] = UNCLASSIFIED
    return best


def labels(targets: npt.ArrayLike, classes: int) -> Labels | None:
    """Targets as classes, (samples,): whole numbers below the number of outputs, one a sample; None if they are not.

    Args:
        targets: (samples,) or (samples, 1), of any number type.
        classes: how many outputs the model has.
    """
    values = np.asarray(targets)
    if classes < 2 or values.size != len(values) or values.size == 0:
        return None
    flat = values.reshape(-1)
    whole = flat.astype(np.int64)
    if not ((flat == whole).all() and (whole >= 0).all() and (whole < classes).all()):
        return None
    return whole


def classification(predicted: npt.ArrayLike, truth: npt.ArrayLike, names: Sequence[str]) -> Classification:
    """All figures of predicted classes.

    Args:
        predicted: class indices, (vectors,), or ``UNCLASSIFIED``.
        truth: class indices, (vectors,).
        names: of the classes.

    Raises:
        ValueError: not the same number of vectors, none, or an index that has no name.
    """
    p, t = _labels(predicted), _labels(truth)
    _same_count(p, t)
    known = np.arange(len(names))
    if not (np.isin(t, known).all() and np.isin(p, [UNCLASSIFIED, *known]).all()):
        raise ValueError(f"a class index is not one of the {len(names)} classes")
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (t[p != UNCLASSIFIED], p[p != UNCLASSIFIED]), 1)
    return of_counts(confusion, np.bincount(t, minlength=len(names)), names)


def of_counts(confusion: Labels, support: Labels, names: Sequence[str]) -> Classification:
    """All figures that follow from counts.

    Args:
        confusion: (classes, classes), as in ``Classification``.
        support: (classes,), vectors of each class, those without a predicted one included; at least one in all.
        names: of the classes.
    """
    right, predicted_as = confusion.diagonal(), confusion.sum(axis=0)
    vectors = int(support.sum())
    precision, recall = _quotient(right, predicted_as), _quotient(right, support)
    f1 = _quotient(2 * right, predicted_as + support)
    columns = (precision, recall, f1)
    return Classification(
        vectors=vectors,
        unclassified=vectors - int(confusion.sum()),
        accuracy=int(right.sum()) / vectors,
        classes=tuple(
            ClassFigures(
                name,
                float(precision[c]),
                float(recall[c]),
                float(f1[c]),
                support=int(support[c]),
                predicted=int(predicted_as[c]),
            )
            for c, name in enumerate(names)
        ),
        macro=Average(*(float(column.mean()) for column in columns)),
        weighted=Average(*(float(np.average(column, weights=support)) for column in columns)),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )


def _quotient(over: Labels, under: Labels) -> npt.NDArray[np.float64]:
    """``over / under``, 0 where the denominator is 0."""
    made: npt.NDArray[np.float64] = np.divide(over, under, out=np.zeros(len(over)), where=under != 0)
    return made


def report(found: Classification, digits: int = 2) -> str:
    """The classification report as text, letter by letter as scikit-learn's ``classification_report``.

    Its figures are those of ``found``, so a stored result can be shown again. Two things differ: where not one vector
    is right, scikit-learn writes the support as reals (``4.0``); and unclassified vectors, which it has no word for,
    count as wrong in the line ``accuracy``.
    """
    width = max(len("weighted avg"), digits, *(len(one.name) for one in found.classes))
    lines = [" " * width + "  precision    recall  f1-score   support", ""]
    lines += [_row(one.name, width, digits, one.precision, one.recall, one.f1, one.support) for one in found.classes]
    lines += ["", _row("accuracy", width, digits, None, None, found.accuracy, found.vectors)]
    for name, mean in (("macro avg", found.macro), ("weighted avg", found.weighted)):
        lines.append(_row(name, width, digits, mean.precision, mean.recall, mean.f1, found.vectors))
    return "\n".join(lines) + "\n"


def accuracy(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Share of the vectors predicted as what they are; also how often two computations agree (``UNCLASSIFIED`` never).

    Args:
        predicted: class indices, (vectors,).
        truth: class indices, (vectors,).

    Raises:
        ValueError: not the same number of vectors, or none.
    """
    p, t = _labels(predicted), _labels(truth)
    _same_count(p, t)
    return int(np.count_nonzero((p == t) & (t != UNCLASSIFIED))) / len(t)


def top_k(scores: npt.ArrayLike, truth: npt.ArrayLike, k: int) -> float:
    """Share of the vectors whose true class is among the ``k`` with the highest scores.

    Of equal scores the lowest index comes first, so that ``top_k(..., 1)`` is the accuracy of ``predictions``.
    (scikit-learn's ``top_k_accuracy_score`` takes the highest index first.) Scores with NaN are a miss.

    Args:
        scores: (vectors, classes), at least two classes.
        truth: class indices, (vectors,).
        k: 1 to the number of classes.

    Raises:
        ValueError: another shape, an unknown class, or another ``k``.
    """
    table, t = _table(scores), _labels(truth)
    _same_count(table, t)
    classes = table.shape[1]
    if classes < 2 or not 1 <= k <= classes:
        raise ValueError(f"there is no top {k} of {classes} classes")
    if t.min() < 0 or t.max() >= classes:
        raise ValueError(f"a class index is not one of the {classes} classes")
    own = np.take_along_axis(table, t[:, np.newaxis], axis=1)
    earlier = np.arange(classes) < t[:, np.newaxis]
    ahead = ((table > own) | ((table == own) & earlier)).sum(axis=1)
    return int(np.count_nonzero((ahead < k) & ~np.isnan(table).any(axis=1))) / len(t)


def agreement(float_model: npt.ArrayLike | None, reference: npt.ArrayLike, device: npt.ArrayLike) -> Agreement:
    """How often float model, integer reference and device give a vector the same class.

    Args:
        float_model: predicted classes, (vectors,), or None where there is no float model.
        reference: the same.
        device: the same.

    Raises:
        ValueError: not the same number of vectors, or none.
    """
    return Agreement(
        float_reference=None if float_model is None else accuracy(reference, float_model),
        float_device=None if float_model is None else accuracy(device, float_model),
        reference_device=accuracy(device, reference),
    )


def top1_drop(float_model: npt.ArrayLike, device: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Accuracy that is lost between the float model and the device: 0.01 is one point; negative if it is gained.

    Args:
        float_model: predicted classes, (vectors,).
        device: the same.
        truth: class indices, (vectors,).

    Raises:
        ValueError: not the same number of vectors, or none.
    """
    return accuracy(float_model, truth) - accuracy(device, truth)


def _row(
    name: str, width: int, digits: int, precision: float | None, recall: float | None, f1: float, support: int
) -> str:
    cells = ("" if value is None else f"{value:.{digits}f}" for value in (precision, recall, f1))
    return f"{name:>{width}} " + "".join(f" {cell:>9}" for cell in (*cells, str(support)))


def _table(scores: npt.ArrayLike) -> npt.NDArray[np.float64]:
    table = np.asarray(scores, np.float64)
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"scores have the shape (vectors, classes), not {table.shape}")
    return table


def _labels(values: npt.ArrayLike) -> Labels:
    labels = np.asarray(values)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(f"classes are integers of the shape (vectors,), not {labels.dtype} {labels.shape}")
    return labels.astype(np.int64)


def _same_count(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> None:
    if len(one) != len(other):
        raise ValueError(f"{len(one)} and {len(other)} vectors cannot be compared")
    if len(one) == 0:
        raise ValueError("there is nothing to compare")
