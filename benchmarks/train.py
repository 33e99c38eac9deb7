"""Trains ``sine`` and ``digits`` twice: by Keras' ``fit`` as the lesson calls it, and by our loop of compiled epochs.

Run it with ``make bench-train``; ``fit`` takes about two minutes for ``sine``, so ``--share 0.1`` trains for a tenth of
the epochs. Both trainings are in one process, after a warm-up of both, from the same weights, on the same data, with
the same optimizer; the time is that of the call, tracing and compiling included. The program ends with 1 if a goal is
missed. Goals count for whole trainings only: compiling costs the same however short the training is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any

# As in the children that train (tinyhil.worker), before TensorFlow is imported.
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
os.environ.setdefault("TINYHIL_OFFLINE", "1")  # the same data on every machine

import keras
import msgspec
import numpy as np

from tinyhil import data
from tinyhil.config import recipe as recipes
from tinyhil.progress import Silent
from tinyhil.train import fit

TOLERANCE = 0.1
"""By how much the figure may be worse than that of ``fit``."""
LAST = 50
"""Epochs at the end whose median is compared: a single one is a draw from a noisy sequence."""


@dataclass(frozen=True)
class Goal:
    """How much faster it has to be, and by which figure of the validation set the results are compared."""

    recipe: str
    faster: float
    figure: str
    rising: bool = False


GOALS = (Goal("sine", 15.0, "val_mae"), Goal("digits", 3.0, "val_accuracy", rising=True))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the epochs (default 1)")
    parser.add_argument("recipes", nargs="*", help="of sine and digits (default both)")
    wanted = parser.parse_args()
    missed = False
    print(
        f"{'recipe':<8} {'epochs':>6} {'fit':>9} {'ours':>9} {'faster':>8} {'goal':>6}  validation figure, fit and ours"
    )
    for goal in GOALS:
        if not wanted.recipes or goal.recipe in wanted.recipes:
            missed |= not measure(goal, wanted.share)
    sys.exit(missed and wanted.share >= 1)


def measure(goal: Goal, share: float) -> bool:
    """Trains both ways and prints a row; returns whether the goal was met."""
    path = recipes.find(goal.recipe)
    recipe = recipes.load(path)
    code = recipes.load_code(recipes.code_path(path, recipe))
    settings = msgspec.structs.replace(recipe.train, epochs=max(1, round(recipe.train.epochs * share)))
    sets = _sets(code, settings.seed)
    for epochs, show in ((1, False), (settings.epochs, True)):
        now = msgspec.structs.replace(settings, epochs=epochs)
        theirs, their_seconds = _by_fit(code, sets, now)
        ours, our_seconds = _by_us(code, sets, now)
        if show:
            return _row(goal, theirs, ours, their_seconds, our_seconds)
    raise AssertionError


def _sets(code: Any, seed: int) -> dict[str, data.Pair]:
    made = code.dataset(seed)
    sets = made.sets if isinstance(made, data.Dataset) else made
    prepare = getattr(code, "prepare", lambda inputs, targets: (inputs, targets))
    return {name: prepare(*sets[name]) for name in data.SETS}


def _by_fit(code: Any, sets: dict[str, data.Pair], settings: recipes.Train) -> tuple[dict[str, list[float]], float]:
    """The lesson's own call."""
    keras.utils.set_random_seed(settings.seed)
    model = code.model()
    fit.compile_as(model, settings)
    started = time.perf_counter()
    history = model.fit(
        *sets["train"],
        validation_data=sets["validation"],
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        verbose=0,
    )
    return history.history, time.perf_counter() - started


def _by_us(code: Any, sets: dict[str, data.Pair], settings: recipes.Train) -> tuple[dict[str, list[float]], float]:
    """What the stage does, with the recipe's settings."""
    keras.utils.set_random_seed(settings.seed)
    model = code.model()
    started = time.perf_counter()
    trained = fit.fit(model, sets["train"], sets["validation"], settings, Silent())
    seconds = time.perf_counter() - started
    if trained.fallback:
        sys.exit(f"nothing to compare: {trained.fallback}")
    return trained.history, seconds


def _row(goal: Goal, theirs: Any, ours: Any, their_seconds: float, our_seconds: float) -> bool:
    last = {name: statistics.median(of[goal.figure][-LAST:]) for name, of in (("fit", theirs), ("ours", ours))}
    best = max if goal.rising else min
    worst = last["fit"] * (1 - TOLERANCE if goal.rising else 1 + TOLERANCE)
    good = last["ours"] >= worst if goal.rising else last["ours"] <= worst
    factor = their_seconds / our_seconds
    met = factor >= goal.faster and bool(good) and bool(np.isfinite(last["ours"]))
    print(
        f"{goal.recipe:<8} {len(ours['loss']):>6} {their_seconds:>7.1f} s {our_seconds:>7.1f} s {factor:>7.1f}x"
        f" {goal.faster:>5.0f}x  {goal.figure} {last['fit']:.4f} and {last['ours']:.4f} (median of the last {LAST}),"
        f" {best(theirs[goal.figure]):.4f} and {best(ours[goal.figure]):.4f} (best): {'met' if met else 'missed'}",
        flush=True,
    )
    return met


if __name__ == "__main__":
    main()
