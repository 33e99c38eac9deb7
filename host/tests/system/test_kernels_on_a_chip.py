"""The kernels on emulated chips: what they do with a CPU's own instructions is what they do without.

The tests of host/tests/chain hold every kernel against TFLM on this computer. Some have code of their own for a CPU
with Arm's DSP extension, and CMSIS-NN's for Helium; so random operators of each go through a whole run here.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tinyhil import tflite
from tinyhil.chain import compile_model
from tinyhil.targets import registry

from ..chain.comparing import joined
from ..chain.makers import layers, rows
from ..chain.makers.elements import of_two
from .cli import Cli

SHAPES = ((1, 4, 5), (1, 4, 5))
WANTED = 36
HALF = 4


def operators() -> list[bytes]:
    """Random models of one operator, with a batch of 1, in which every kernel with instructions of its own is used."""
    rng = np.random.default_rng(5)
    found: list[bytes] = []
    while len(found) < WANTED:
        made = [
            layers.dense(rng, "int8"),
            layers.dense(rng, "int16"),
            layers.conv(rng, "int8"),
            layers.conv(rng, "int16"),
            layers.depthwise(rng, "int8"),
            layers.transpose_conv(rng, "int8"),
            rows.matmul(rng, "int8"),
            of_two(rng, "ADD", "int8", SHAPES, 2),
            of_two(rng, "SUB", "int16", SHAPES, 2),
            of_two(rng, "MUL", "int8", SHAPES, 2),
            of_two(rng, "PRELU", "int8", SHAPES, 1),
        ]
        found += [data for data in made if _of_one_sample(data)]
    return found[:WANTED]


def _of_one_sample(data: bytes) -> bool:
    """Whether the link can carry its inputs and outputs."""
    graph = tflite.parse(data, "m").main
    ends = graph.of((*graph.inputs, *graph.outputs))
    return all(tensor.shape and tensor.shape[0] == 1 and len(tensor.shape) <= tflite.MAX_RANK for tensor in ends)


def run_exactly(tinyhil: Cli, tmp_path: Path, target: str, models: list[bytes]) -> set[str]:
    """Runs the models of one operator as one, and returns the names of its operators."""
    facts = registry.get(target)
    assert facts.emulator is not None
    needed = [facts.emulator.program, *(program.name for program in facts.compiles.programs)]
    if missing := [name for name in needed if shutil.which(name) is None]:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed; tools/system-packages emulators installs it")
    file = tmp_path / "operators.tflite"
    file.write_bytes(joined(models))
    done = tinyhil("run", file.name, "--target", target, "--vectors", "64", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    report = json.loads((tmp_path / "out.json").read_text())
    assert (report["fidelity"]["vectors"], report["fidelity"]["mismatches"]) == (64, 0)
    return set(report["ops"])


def convolutions_of_helium() -> list[bytes]:
    """Random convolutions that CMSIS-NN computes, half of them with more memory than a CPU with DSP needs."""
    rng = np.random.default_rng(7)
    found: dict[bool, list[bytes]] = {True: [], False: []}
    while min(map(len, found.values())) < HALF:
        for make in (layers.conv, layers.depthwise):
            data = make(rng, "int8")
            with_dsp, with_mve = (
                compile_model(data, "m", cmsis=True, profile=profile) for profile in ("cortex-m4", "cortex-m55")
            )
            if _of_one_sample(data) and any("ConvolutionFunctions" in path for path in with_mve.files):
                found[with_mve.memory_bytes > with_dsp.memory_bytes].append(data)
    return [data for group in found.values() for data in group[:HALF]]


@pytest.mark.long
def test_cmsis_nn_s_convolutions_are_exact_with_helium(tinyhil: Cli, tmp_path: Path) -> None:
    run_exactly(tinyhil, tmp_path, "qemu-m55", convolutions_of_helium())


@pytest.mark.long
@pytest.mark.parametrize(
    "target",
    [
        "qemu-m4",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("qemu-m33", "qemu-m7", "qemu-m55", "qemu-rv32")),
    ],
)
def test_every_kernel_is_exact(tinyhil: Cli, tmp_path: Path, target: str) -> None:
    ops = run_exactly(tinyhil, tmp_path, target, operators())
    assert {"FULLY_CONNECTED", "CONV_2D", "TRANSPOSE_CONV", "ADD", "MUL", "PRELU"} <= ops
