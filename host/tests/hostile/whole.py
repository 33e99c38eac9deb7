"""The whole of a run with hostile .tflite files, and the oracle that says which of them may pass.

A changed file may pass only if the reference computes the same twice with a heap that is filled in two ways, all shapes
hold, and the verdict is the same a second time.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from . import seeds, shapes, tflite_mutations
from .pool import Resident

TARGETS = {"run-sim": "sim", "run-native": "native"}
_TWICE = 10
"""Of so many judged files one is judged again."""
_PATIENCE = {"sim": 60.0, "native": 240.0}
"""Seconds for all of a run, whose stages have limits of their own; native is compiled."""


class Oracle:
    """Two interpreters whose heaps differ.

    Ownership: whoever opens it closes it.
    """

    def __init__(self) -> None:
        self._twins = [Resident("reference", environment={"MALLOC_PERTURB_": fill}) for fill in ("85", "170")]

    def forbids(self, path: Path, vectors: Path) -> str:
        """Why a file must not pass; empty where it may."""
        wrong = shapes.contradictions(path.read_bytes())
        if wrong:
            return wrong[0]
        outputs = schema.Model.GetRootAsModel(path.read_bytes(), 0).Subgraphs(0).OutputsLength()
        request = {"model": str(path), "vectors": str(vectors), "outputs": outputs}
        one, other = (twin.ask(request) for twin in self._twins)
        return "" if one == other else f"the reference is not the same twice: {one} and {other}"

    def close(self) -> None:
        """Ends them."""
        for twin in self._twins:
            twin.close()


def judge(target: str, resident: Resident, oracle: Oracle, path: Path, vectors: Path, *, twice: bool) -> dict[str, str]:
    """What becomes of a file in a run, and of its verdict before the oracle.

    Args:
        resident: a ``whole_worker`` of the target.
        vectors: where those of a file that passes are put.
        twice: whether one that is judged is judged again.
    """
    request = {"path": str(path), "vectors": str(vectors)}
    answer = resident.ask(request, _PATIENCE[target])
    if answer["outcome"] == "pass" and (why := oracle.forbids(path, vectors)):
        return {"outcome": "forbidden", "told": why}
    if twice and answer["outcome"] in ("pass", "fail"):
        again = resident.ask(request, _PATIENCE[target])
        if again["outcome"] == "blocked":
            return again
        if again != answer:
            return {"outcome": "unsteady", "told": f"{answer} and then {again}"}
    return answer


def run(
    name: str,
    folder: Path,
    kept: Path,
    options: argparse.Namespace,
    counts: Counter[str],
    state: Path,
) -> Counter[str]:
    """All cases for one target; see ``run.reader``."""
    from .run import BAD, keep

    target, oracle, good = TARGETS[name], Oracle(), seeds.models()
    until = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory(prefix="hostile-") as place, Resident("whole_worker", target) as resident:
        path, vectors = Path(place) / "m.tflite", Path(place) / "vectors.npz"
        while time.monotonic() < until and (options.cases is None or sum(counts.values()) < options.cases):
            number = options.seed * 1_000_000_007 + sum(counts.values())
            rng = random.Random(f"{name} {number}")
            path.write_bytes(tflite_mutations.model(rng, rng.choice(good)))
            answer = judge(target, resident, oracle, path, vectors, twice=number % _TWICE == 0)
            counts[answer["outcome"]] += 1
            if answer["outcome"] in BAD:
                keep(folder, name, number, path.read_bytes(), answer["told"])
            state.write_text(json.dumps(counts), encoding="utf-8")
    oracle.close()
    return counts
