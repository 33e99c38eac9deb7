"""Reads the curves of a training as one is taught to: underfitting, overfitting, unstable, converged.

Only the losses are judged, of the training and the validation set by epoch. They are smoothed first, because a single
epoch is one draw from a noisy sequence; what is left beside the smooth curve is the noise. In this order:

1. *unstable*: a loss that is not finite or ends higher than it began, or a validation loss whose noise in the second
   half is large: ``NOISE_OF_FALL`` of all that was gained, or ``NOISE_OF_LEVEL`` of its level. The learning rate is
   too high, or the validation set too small.
2. *overfitting*: the smooth validation loss has a minimum before its end and has risen by ``RISE`` and by more than
   its noise since, while the training loss did not rise. It began in the epoch after the last one at the minimum.
3. *underfitting*: the training loss ends above ``UNLEARNED`` of what a model that ignores its inputs would have (the
   baseline; the first epoch's loss where that is unknown). The network is too small, or was trained too briefly.
4. *converged*: none of these.

The thresholds are conventions, chosen so that the course's own examples come out as the course names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Kind = Literal["unstable", "overfitting", "underfitting", "converged"]

WINDOW = 0.1
"""Of the epochs: how many are averaged."""
NOISE_OF_FALL = 0.1
NOISE_OF_LEVEL = 0.5
RISE = 0.1
FLAT = 0.01
"""Of the rise since the minimum: what still counts as the minimum."""
UNLEARNED = 0.2


@dataclass(frozen=True)
class Diagnosis:
    """What the curves say.

    Attributes:
        kind: in one word.
        epoch: the first epoch of overfitting, counted from 1; None otherwise.
        reason: the figures that it was concluded from, as a sentence.
    """

    kind: Kind
    epoch: int | None
    reason: str


def diagnose(history: Mapping[str, Sequence[float] | Reals], baseline: float | None = None) -> Diagnosis:
    """Judges a training.

    Args:
        history: ``loss`` and, if there was a validation set, ``val_loss``, one value per epoch.
        baseline: loss of a model that ignores its inputs, see :func:`constant_loss`.

    Raises:
        ValueError: there is no ``loss``, or no epoch.
    """
    loss = np.asarray(history.get("loss", ()), np.float64)
    validation = np.asarray(history.get("val_loss", ()), np.float64)
    if loss.size == 0:
        raise ValueError("there is no loss to judge")
    unstable = _unstable(loss, validation)
    if unstable:
        return Diagnosis("unstable", None, unstable)
    began = _overfitting_since(loss, validation)
    if began is not None:
        return Diagnosis(
            "overfitting",
            began,
            f"the validation loss was lowest until about epoch {began - 1} ({_smooth(validation).min():.4g}) and has "
            f"risen to {_smooth(validation)[-1]:.4g}, while the training loss ended at {_smooth(loss)[-1]:.4g}",
        )
    end = float(_smooth(loss)[-1])
    of_what, against = ("the first epoch's", float(loss[0])) if baseline is None else ("a constant model's", baseline)
    if end > UNLEARNED * against:
        return Diagnosis(
            "underfitting",
            None,
            f"the training loss ended at {end:.4g}, {end / against:.0%} of {of_what} {against:.4g}",
        )
    judged = f" and the validation loss at {_smooth(validation)[-1]:.4g}" if validation.size else ""
    return Diagnosis("converged", None, f"the training loss ended at {end:.4g}{judged}")


def constant_loss(loss: str, targets: npt.ArrayLike) -> float | None:
    """Loss of the best model that always answers the same, for Keras' usual losses; None for others.

    Variance for squared errors, mean deviation from the median for absolute ones, entropy of the classes for
    cross-entropies.

    Args:
        loss: Keras' name, in either spelling: ``mse``, ``SparseCategoricalCrossentropy``.
        targets: (samples, *shape).
    """
    values, name = np.asarray(targets), loss.replace("_", "").lower()
    if values.size == 0:
        return None
    if name in ("mse", "meansquarederror"):
        return float(values.astype(np.float64).var(axis=0).mean())
    if name in ("mae", "meanabsoluteerror"):
        return float(np.abs(values - np.median(values, axis=0)).mean())
    if name == "sparsecategoricalcrossentropy":
        return _entropy(np.unique(values, return_counts=True)[1])
    if name == "categoricalcrossentropy":
        return _entropy(values.reshape(len(values), -1).sum(axis=0))
    if name == "binarycrossentropy":
        ones = float(values.mean())
        return _entropy(np.array([ones, 1.0 - ones]))
    return None


def _unstable(loss: Reals, validation: Reals) -> str:
    """Why the training is unstable; empty if it is not."""
    for name, curve in (("training", loss), ("validation", validation)):
        if not np.isfinite(curve).all():
            return f"the {name} loss is not finite in epoch {int(np.flatnonzero(~np.isfinite(curve))[0]) + 1}"
    if loss.size > 1 and _smooth(loss)[-1] > loss[0]:
        return f"the training loss rose from {loss[0]:.4g} to {_smooth(loss)[-1]:.4g}"
    if validation.size < 4:
        return ""
    noise, smooth = _noise(validation), _smooth(validation)
    fall, level = max(float(validation[0] - smooth.min()), 0.0), float(smooth[-1])
    if noise > NOISE_OF_FALL * max(fall, level) or (noise > NOISE_OF_LEVEL * level and noise > 0.01 * fall):
        return f"the validation loss is {level:.4g} and varies by {noise:.4g} (standard deviation, second half)"
    return ""


def _overfitting_since(loss: Reals, validation: Reals) -> int | None:
    if validation.size < 4:
        return None
    smooth, trained = _smooth(validation), _smooth(loss)
    lowest = int(smooth.argmin())
    risen = float(smooth[-1] - smooth[lowest])
    noise = _noise(validation)
    if risen <= max(RISE * smooth[lowest], 2 * noise) or trained[-1] > trained[lowest]:
        return None
    # The bottom may be flat, and the lowest of it chance: what counts is where the curve leaves it for good.
    lowest = int(np.flatnonzero(smooth <= smooth[lowest] + max(noise, FLAT * risen))[-1])
    return lowest + 2  # the epoch after it, counted from 1


def _smooth(curve: Reals) -> Reals:
    """Means over a window around each epoch; at the ends over as much as there is on both sides."""
    half = round(WINDOW * curve.size / 2)
    sums = np.concatenate([[0.0], np.cumsum(curve)])
    places = np.arange(curve.size)
    reach = np.minimum(np.minimum(places, curve.size - 1 - places), half)
    # The last epoch has nothing after it: it is judged by those before it.
    first = np.where(places + half < curve.size, places - reach, np.maximum(places - half, 0))
    last = np.where(places + half < curve.size, places + reach, curve.size - 1)
    means: Reals = (sums[last + 1] - sums[first]) / (last + 1 - first)
    return means


def _noise(curve: Reals) -> float:
    """Standard deviation of the second half about a straight run from each epoch's neighbour to the other."""
    half = curve[curve.size // 2 :]
    if half.size < 3:
        return 0.0
    beside = half[1:-1] - (half[:-2] + half[2:]) / 2
    return float(np.sqrt(np.mean(beside**2) / 1.5))  # of independent values, the variance of ``beside`` is 1.5 times


def _entropy(counts: npt.NDArray[np.generic]) -> float:
    shares = np.asarray(counts, np.float64) / np.sum(counts)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
