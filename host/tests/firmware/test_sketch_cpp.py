"""What a sketch may do: nothing with a model that a host has, or that the engine has not accepted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


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


def registered(raw: str, firmware: Path) -> str:
    """What the compiler says of a sketch that registers such a raw sample; nothing where it takes it."""
    sketch = f'#include "tinyhil.h"\n{raw};\nvoid make() {{}}\nvoid setup() {{ tinyhil_preprocess(make, raw); }}\n'
    include = [f"-I{firmware / 'lib' / each}" for each in ("sketch", "engine", "link")]
    command = ["g++", "-std=gnu++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *include, "-x", "c++", "-"]
    return subprocess.run(command, input=sketch, capture_output=True, text=True).stderr


@pytest.mark.parametrize("raw", ["int raw[4]", "int32_t raw[2]", "short raw", "uint8_t raw[2][3]", "float raw[8]"])
def test_a_raw_sample_is_of_any_name_of_its_type(raw: str, firmware: Path) -> None:
    """Where int32_t is a long, as on a Cortex-M, an int is none of the types with a width in their names."""
    assert registered(raw, firmware) == ""


@pytest.mark.parametrize("raw", ["double raw[4]", "uint16_t raw", "int64_t raw[4]", "unsigned raw[2][2]"])
def test_another_raw_sample_is_refused_in_words(raw: str, firmware: Path) -> None:
    assert "a number or an array of int8_t, uint8_t, int16_t, int32_t or float" in registered(raw, firmware)


def test_a_raw_sample_has_five_dimensions_at_most(firmware: Path) -> None:
    assert registered("float raw[1][1][1][1][1]", firmware) == ""
    assert "five dimensions at most" in registered("float raw[1][1][1][1][1][1]", firmware)
