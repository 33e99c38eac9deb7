"""What a sketch may do: nothing with a model that a host has, or that the engine has not accepted."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_the_model_belongs_to_one_at_a_time(sketch_driver: Path) -> None:
    done = subprocess.run([sketch_driver], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    states = set()
    for line in done.stdout.splitlines():
        state, _, found = line.partition(": ")
        works, held, fails = map(int, state.split())
        states.add((works, held, fails))
        polled, in0, in1, invoked, out0, out1, resets, invokes, written = map(int, found.split())
        usable = int(works and not held)
        assert polled == held
        assert (in0, out0, invokes, resets) == (usable, usable, usable, usable)
        assert (in1, out1) == (0, 0), "the model has one of each"
        assert invoked == int(usable and not fails)
        assert written == (0 if held else len("four"))
    assert len(states) == 8
