"""Our kernels on an emulated Cortex-M4: what they do with its own instructions is what they do without.

The tests of host/tests/chain hold every kernel against TFLM on this computer. Some have code of their own for a CPU
with Arm's DSP extension, which this computer has not; so random operators of each go through a whole run here.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tinyhil import tflite

from ..chain.comparing import joined
from ..chain.makers import layers, rows
from ..chain.makers.elements import of_two
from .cli import Cli

SHAPES = ((1, 4, 5), (1, 4, 5))
WANTED = 36


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


def test_every_kernel_is_exact_on_a_cortex_m4(tinyhil: Cli, tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None:
        pytest.skip("blocked: the cross compiler or QEMU is not installed")
    file = tmp_path / "operators.tflite"
    file.write_bytes(joined(operators()))
    done = tinyhil("run", file.name, "--target", "qemu-m4", "--vectors", "64", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    report = json.loads((tmp_path / "out.json").read_text())
    assert (report["fidelity"]["vectors"], report["fidelity"]["mismatches"]) == (64, 0)
    assert {"FULLY_CONNECTED", "CONV_2D", "TRANSPOSE_CONV", "ADD", "MUL", "PRELU"} <= set(report["ops"])
