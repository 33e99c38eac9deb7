"""The table of outputs that differ."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.affine import DType, TensorSpec
from tinyhil.compare import diff, fidelity

INPUT = TensorSpec("in", DType.INT8, (1, 1), 0.5, -4)
OUTPUT = TensorSpec("out", DType.INT8, (1, 1), 0.25, 8)


def column(*values: int) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    return np.asarray(values, np.int8).reshape(-1, 1, 1)


def lines(device: list[int], reference: list[int], tolerance: int = 0, *, floats: bool = True) -> list[str]:
    count = len(device)
    table = diff.table(
        ((INPUT,), (column(*range(count)),)),
        ((OUTPUT,), (column(*device),)),
        (column(*reference),),
        (np.linspace(-1.0, 1.0, count).reshape(-1, 1, 1),) if floats else None,
        tolerance,
    )
    return table.split("\n") if table else []


def test_nothing_differs() -> None:
    assert lines([1, 2, 3], [1, 2, 3]) == []
    assert lines([1, 2, 3], [0, 3, 3], 1) == []


def test_a_row_has_everything_in_real_units_and_in_integers() -> None:
    head, headings, row = lines([1, -2, 3], [1, 12, 3])
    assert head == "1 of 3 outputs wrong, by up to 14 LSB (0 allowed)"
    assert headings.split() == ["index", "input", "float", "reference", "device", "LSB"]
    # input 1 is (1 + 4) / 2; reference 12 is (12 - 8) / 4, device -2 is (-2 - 8) / 4
    assert row.split() == ["1", "2.5000", "0.0000", "1.0000", "[12]", "-2.5000", "[-2]", "-14"]


def test_columns_are_aligned_and_the_rest_is_counted() -> None:
    head, *table, rest = lines([100] * 30, [-100] * 30)
    assert head == "30 of 30 outputs wrong, by up to 200 LSB (0 allowed)"
    assert len(table) == 1 + fidelity.SHOWN
    assert len({len(row) for row in table}) == 1
    assert rest == "... and 20 more vectors"


def test_without_a_float_model_there_is_no_figure_for_it() -> None:
    assert lines([1], [0], floats=False)[2].split()[2] == "-"


def test_several_outputs_of_several_elements_are_told_apart() -> None:
    specs = (TensorSpec("a", DType.INT8, (1, 2), 1.0, 0), TensorSpec("b", DType.FLOAT32, (1, 1), 0.0, 0))
    reference = (np.zeros((2, 1, 2), np.int8), np.zeros((2, 1, 1), np.float32))
    device = (reference[0].copy(), reference[1].copy())
    device[0][1, 0, 1] = 5
    device[1][0, 0, 0] = np.nextafter(np.float32(0), np.float32(1))
    wide = TensorSpec("in", DType.INT8, (1, 4), 1.0, 0)
    table = diff.table(((wide,), (np.ones((2, 1, 4), np.int8),)), (specs, device), reference, None, 0)
    assert "0 output 1  1.0000 1.0000 1.0000 ... (4 values)" in table
    assert re.search(r"1 output 0\[1\] .* 0\.0000 \[0\] +5\.0000 \[5\] +\+5$", table, re.MULTILINE)
    assert re.search(r"0 output 1 .* 0\.0000 +1\.401e-45 +\+1$", table, re.MULTILINE)


@given(
    st.lists(st.tuples(*[st.integers(-128, 127)] * 2), min_size=1, max_size=40),
    st.integers(0, 20),
)
def test_it_says_what_the_verdict_says(pairs: list[tuple[int, int]], tolerance: int) -> None:
    device, reference = ([pair[side] for pair in pairs] for side in (0, 1))
    found = fidelity.compare([column(*device)], [column(*reference)], [OUTPUT], tolerance)
    table = lines(device, reference, tolerance)
    assert bool(table) == bool(found.mismatches)
    if table:
        assert table[0].startswith(f"{found.mismatches} of {found.vectors} outputs wrong, by up to {found.max_lsb} LSB")
        rows = [row.split() for row in table[2 : 2 + fidelity.SHOWN] if not row.startswith("...")]
        wanted = [(index, a - b) for index, (a, b) in enumerate(pairs) if abs(a - b) > tolerance]
        assert [(int(row[0]), int(row[-1])) for row in rows] == wanted[: fidelity.SHOWN]


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="against"):
        lines([1, 2], [1])
