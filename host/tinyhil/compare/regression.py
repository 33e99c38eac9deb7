"""How well a model predicts reals: predictions against the truth, in real units.

With the residual e = predicted - truth over n values:

====================  ======================================  =====================================================
``mae``               sum |e| / n                             mean absolute error
``rmse``              sqrt(sum e^2 / n)                       root mean squared error, also called RMSD
``residual_norm``     sqrt(sum e^2)                           Euclidean norm; the same, not divided by n
``max_error``         max |e|
``r2``                1 - sum e^2 / sum (truth - mean)^2      coefficient of determination
``nse``               1 - sum e^2 / sum (truth - mean)^2      Nash-Sutcliffe efficiency
``cosine``            <predicted, truth> / (norms)            cosine similarity
====================  ======================================  =====================================================

scikit-learn has most of them; importing it takes longer than a whole run on an emulator, so they are written out here
and tests hold them against it.

``nse`` and ``r2`` are one number under two names, as two fields know it. Its source: J. E. Nash
and J. V. Sutcliffe, "River flow forecasting through conceptual models, part I: a discussion of principles", Journal of
Hydrology 10 (1970) 282-290, equation 3. It is 1 for a perfect model, and 0 for one no better than the truth's mean.

A figure that is not defined is None, never NaN: ``r2`` and ``nse`` of a truth that is constant, ``cosine`` where
either side is the zero vector, and everything where a prediction is NaN or infinite, which ``not_finite`` counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyhil.artifacts.types import Reals

LARGEST = float(np.finfo(np.float32).max)
"""Beyond it a value counts as infinite: no model of ours computes in more than float32, and squares stay finite."""


@dataclass(frozen=True)
class RegressionFigures:
    """How far predictions are from the truth. The figures are in the truth's units, or without one.

    Attributes:
        values: how many values were compared.
        not_finite: how many predictions are NaN or infinite; unless 0, every figure is None.
        mae: mean absolute error.
        rmse: root mean squared error.
        residual_norm: square root of the sum of the squared errors.
        max_error: largest absolute error.
        r2: coefficient of determination, at most 1; None for a constant truth.
        nse: Nash-Sutcliffe efficiency, at most 1; None for a constant truth.
        cosine: cosine similarity, -1 to 1; None where either side is all zeros.
    """

    values: int
    not_finite: int
    mae: float | None
    rmse: float | None
    residual_norm: float | None
    max_error: float | None
    r2: float | None
    nse: float | None
    cosine: float | None


@dataclass(frozen=True)
class Regression:
    """The figures of a model.

    Attributes:
        overall: of all elements of all outputs, taken as one list.
        outputs: of each output tensor, in the model's order.
    """

    overall: RegressionFigures
    outputs: tuple[RegressionFigures, ...]


def regression(predicted: Sequence[npt.ArrayLike], truth: Sequence[npt.ArrayLike]) -> Regression:
    """Figures per output tensor and over all.

    Args:
        predicted: one array of reals per output tensor, (vectors, *shape).
        truth: the same.

    Raises:
        ValueError: not the same number of outputs, or as ``figures``.
    """
    if len(predicted) != len(truth):
        raise ValueError(f"{len(predicted)} outputs cannot be compared with {len(truth)}")
    pairs = [(np.asarray(p, np.float64), np.asarray(t, np.float64)) for p, t in zip(predicted, truth, strict=True)]
    outputs = tuple(figures(p, t) for p, t in pairs)
    if len(outputs) == 1:
        return Regression(outputs[0], outputs)
    every = [np.concatenate([pair[side].ravel() for pair in pairs]) if pairs else np.empty(0) for side in (0, 1)]
    return Regression(figures(*every), outputs)


def by_element(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[RegressionFigures, ...]:
    """Figures of each element of one output tensor over the vectors, elements in row-major order.

    Args:
        predicted: reals, (vectors, *shape).
        truth: the same.

    Raises:
        ValueError: as ``figures``.
    """
    p, t = _checked(predicted, truth)
    columns = zip(p.reshape(len(p), -1).T, t.reshape(len(t), -1).T, strict=True)
    return tuple(figures(one, other) for one, other in columns)


def figures(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> RegressionFigures:
    """Figures of two arrays of reals, of the same shape.

    Raises:
        ValueError: the shapes differ, there is nothing to compare, or the truth is not finite as float32.
    """
    p, t = (side.ravel() for side in _checked(predicted, truth))
    not_finite = int(np.count_nonzero(~_finite(p)))
    if not_finite:
        return RegressionFigures(p.size, not_finite, None, None, None, None, None, None, None)
    error = p - t
    squares = float((error**2).sum())
    efficiency = _nash_sutcliffe(squares, t)
    return RegressionFigures(
        values=p.size,
        not_finite=0,
        mae=float(np.abs(error).mean()),
        rmse=math.sqrt(squares / p.size),
        residual_norm=math.sqrt(squares),
        max_error=float(np.abs(error).max()),
        r2=efficiency,
        nse=efficiency,
        cosine=_cosine(p, t),
    )


def _checked(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Reals, Reals]:
    p, t = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if p.shape != t.shape:
        raise ValueError(f"shapes {p.shape} and {t.shape} cannot be compared")
    if p.size == 0:
        raise ValueError("there is nothing to compare")
    if not _finite(t).all():
        raise ValueError("a value of the truth is NaN or infinite")
    return p, t


def _finite(values: Reals) -> npt.NDArray[np.bool_]:
    within: npt.NDArray[np.bool_] = np.abs(values) <= LARGEST  # false for NaN
    return within


def _nash_sutcliffe(squares: float, truth: Reals) -> float | None:
    # The mean of equal values may be off by a rounding, which would pass for variation.
    if truth.max() == truth.min():
        return None
    variation = float(((truth - truth.mean()) ** 2).sum())
    # Values may differ by less than can be squared.
    return 1.0 - squares / variation if variation > 0.0 else None


def _cosine(predicted: Reals, truth: Reals) -> float | None:
    lengths = math.sqrt(float(predicted @ predicted)) * math.sqrt(float(truth @ truth))
    if not lengths:
        return None
    return min(1.0, max(-1.0, float(predicted @ truth) / lengths))  # a rounding may carry it out of its range
