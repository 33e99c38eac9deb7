"""Figures of the difference between two arrays of reals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ErrorFigures:
    """How far one array is from another, in real units.

    Attributes:
        mae: mean absolute error.
        rmse: root of the mean squared error.
        max: largest absolute error.
    """

    mae: float
    rmse: float
    max: float


def figures(actual: npt.ArrayLike, expected: npt.ArrayLike) -> ErrorFigures:
    """Error figures of two arrays of the same shape.

    Raises:
        ValueError: the shapes differ, or there is nothing to compare.
    """
    a, b = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape} cannot be compared")
    if a.size == 0:
        raise ValueError("there is nothing to compare")
    error = np.abs(a - b)
    return ErrorFigures(mae=float(error.mean()), rmse=float(np.sqrt((error**2).mean())), max=float(error.max()))
