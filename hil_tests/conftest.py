"""What several of the tests ask a device."""

from __future__ import annotations

import numpy as np
import pytest

from tinyhil.artifacts.types import Array
from tinyhil.pytest_plugin import Dut

FEW = 8


@pytest.fixture
def few(dut: Dut) -> tuple[Array, ...]:
    """A few of the model's vectors, evenly spread, one array per input tensor."""
    chosen = np.linspace(0, dut.model.vectors.count - 1, FEW).round().astype(int)
    return tuple(part[chosen] for part in dut.model.vectors.inputs)
