"""The recipe ``descent``: gradient descent on the loss surface of (w, b), with NumPy and nothing else.

The same start, the same points and the same number of steps with four learning rates. The loss of a line is a bowl
whose steepest curvature for these points is about 11.3: a rate above 2 / 11.3 = 0.177 climbs out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil.data import line
from tinyhil.data.line import dataset, truth
from tinyhil.progress import Reporter

__all__ = ["DESCENTS", "GUESSES", "dataset", "descend", "figures", "model", "pictures", "train", "truth"]

Reals = npt.NDArray[np.float64]
START = (10.0, 10.0)
STEPS = 50


@dataclass(frozen=True)
class Rate:
    """A learning rate; ``decay`` is its factor from one step to the next."""

    first: float
    decay: float = 1.0


DESCENTS = {"right": Rate(0.1), "too_large": Rate(0.18), "too_small": Rate(0.002), "decaying": Rate(0.17, 0.97)}
GUESSES = {"3x - 1": (3.0, -1.0), "2x - 2": (2.0, -2.0), "2x - 1": (2.0, -1.0)}
"""Weight and bias of the lesson's guesses."""


def descend(rate: Rate, inputs: Reals = line.X, targets: Reals = line.Y) -> dict[str, list[float]]:
    """One descent: ``loss`` (mean squared error), ``w`` and ``b`` at the start and after each step, 51 values."""
    inputs, targets = inputs.astype(np.float64).ravel(), targets.astype(np.float64).ravel()
    trace: dict[str, list[float]] = {"loss": [], "w": [], "b": []}
    (w, b), step = START, rate.first
    for _ in range(STEPS + 1):
        error = w * inputs + b - targets
        for name, value in (("loss", (error**2).mean()), ("w", w), ("b", b)):
            trace[name].append(float(value))
        w, b = w - step * 2 * (error * inputs).mean(), b - step * 2 * error.mean()
        step *= rate.decay
    return trace


def model() -> Any:
    """Dense 1: where the right descent ends is what is deployed."""
    return line.dense(*START)


def train(model: Any, data: dict[str, Any], reporter: Reporter) -> tuple[Any, dict[str, list[float]]]:
    """All four descents; the history has ``loss``, ``w``, ``b`` of the right one, and ``too_large_loss``, ..."""
    inputs, targets = data["train"]
    traces = {name: descend(rate, inputs, targets) for name, rate in DESCENTS.items()}
    reporter.progress(STEPS, STEPS)
    right = traces.pop("right")
    model.set_weights([np.array([[right["w"][-1]]]), np.array([right["b"][-1]])])
    others = {f"{name}_{key}": values for name, trace in traces.items() for key, values in trace.items()}
    return model, right | others


def figures(model: Any) -> dict[str, float]:
    """Where each descent ends, and how far each guess is from the points.

    What the lesson calls RMSD, 5.57 for 3x - 1, is the root of the *sum* of the squared differences; the root of their
    mean is that divided by the root of 6. Both are given by their names.
    """
    found: dict[str, float] = {}
    for name, rate in DESCENTS.items():
        trace = descend(rate)
        label = name.replace("_", " ")
        found |= {f"loss, learning rate {label}": trace["loss"][-1]}
        found |= {f"{key}, learning rate {label}": trace[key][-1] for key in ("w", "b")}
    for name, (w, b) in GUESSES.items():
        squares = (w * line.X + b - line.Y) ** 2
        found[f"root of the summed squares, {name}"] = float(np.sqrt(squares.sum()))
        found[f"root of the mean square, {name}"] = float(np.sqrt(squares.mean()))
    return found


def pictures(draw: Any, history: dict[str, list[float]], folder: Path) -> dict[str, str]:
    """The guesses, and the four paths on the loss surface."""
    lines = [draw.linear.Line(f"y = {name}", *guess) for name, guess in GUESSES.items()]
    draw.linear.guesses(line.X, line.Y, lines, folder / "guesses")
    paths = []
    for name, rate in DESCENTS.items():
        before = "" if name == "right" else f"{name}_"
        decay = "" if rate.decay == 1 else f", times {rate.decay} a step"
        label = f"{name.replace('_', ' ')}: learning rate {rate.first}{decay}"
        paths.append(draw.linear.Descent(label, np.transpose([history[f"{before}w"], history[f"{before}b"]])))
    draw.linear.descent(line.X, line.Y, paths, folder / "descent")
    return {
        "guesses": "three guesses of the line, and how far each is from the points",
        "descent": "the way of w and b over the loss, for four learning rates",
    }
