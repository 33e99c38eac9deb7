"""The outputs that differ, as a table for people: index, input, float model, reference, device, difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyhil.affine import TensorSpec, unit_of_difference
from tinyhil.artifacts.types import Array, Reals
from tinyhil.compare import fidelity
from tinyhil.compare.fidelity import Mismatch

_HEADINGS = ("index", "input", "float", "reference", "device")
_INPUTS_SHOWN = 3
"""Elements of an input that are shown; the vector's index says the rest."""


def table(
    inputs: tuple[Sequence[TensorSpec], Sequence[Array]],
    outputs: tuple[Sequence[TensorSpec], Sequence[Array]],
    reference: Sequence[Array],
    floats: Sequence[Reals] | None,
    tolerance_lsb: int,
) -> str:
    """The first outputs that differ by more than the tolerance, and how many there are; empty where none does.

    Reference and device are shown in real units, with the tensor's own value in brackets. The index is the vector's,
    followed by the output's number where there are several, and by the element's where a tensor has several.

    Args:
        inputs: the input tensors, and what they were given, (vectors, *shape) each.
        outputs: the output tensors, and what the device has answered, likewise.
        reference: what the integer reference computes, likewise.
        floats: what the float model computes, likewise in real units; None where there is none.
        tolerance_lsb: differences up to this many LSB are none; of floats, units in the last place.

    Raises:
        ValueError: device and reference do not have the same shapes.
    """
    specs, device = outputs
    unit = unit_of_difference(spec.dtype for spec in specs)
    found = fidelity.compare(device, reference, specs, tolerance_lsb)
    if not found.mismatches:
        return ""
    rows = [(*_HEADINGS, unit)]
    for mismatch in found.first:
        spec = specs[mismatch.output]
        pair = [np.asarray([value], spec.dtype.numpy) for value in (mismatch.actual, mismatch.expected)]
        rows.append(
            (
                _index(mismatch, specs),
                _input(mismatch.vector, *inputs),
                "-" if floats is None else _number(_element(floats, mismatch)),
                _value(mismatch.expected, spec),
                _value(mismatch.actual, spec),
                f"{int(fidelity.differences(pair[0], pair[1])[0]):+,}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    wrong = f"{found.mismatches:,} of {found.vectors:,} outputs wrong, by up to {found.max_lsb:,} {unit}"
    shown = len({mismatch.vector for mismatch in found.first})
    rest = found.mismatches - shown
    return "\n".join(
        [f"{wrong} ({tolerance_lsb:,} allowed)", *lines, *([f"... and {rest:,} more vectors"] if rest else [])]
    )


def _index(mismatch: Mismatch, specs: Sequence[TensorSpec]) -> str:
    output = f" output {mismatch.output}" if len(specs) > 1 else ""
    element = f"[{mismatch.element}]" if specs[mismatch.output].elements > 1 else ""
    return f"{mismatch.vector}{output}{element}"


def _input(vector: int, specs: Sequence[TensorSpec], values: Sequence[Array]) -> str:
    reals = np.concatenate(
        [spec.dequantize(part[vector]).reshape(-1) for spec, part in zip(specs, values, strict=True)]
    )
    shown = " ".join(_number(value) for value in reals[:_INPUTS_SHOWN])
    return shown if len(reals) <= _INPUTS_SHOWN else f"{shown} ... ({len(reals):,} values)"


def _element(arrays: Sequence[Reals], mismatch: Mismatch) -> float:
    return float(arrays[mismatch.output][mismatch.vector].reshape(-1)[mismatch.element])


def _value(value: float, spec: TensorSpec) -> str:
    real = _number(float(spec.dequantize(value)))
    return f"{real} [{int(value)}]" if spec.quantized else real


def _number(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e6 or value == 0 else f"{value:.4g}"
