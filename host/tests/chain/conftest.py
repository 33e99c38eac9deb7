"""Where the kernels and chains of these tests are compiled, and how many models each of them tries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Amount = Callable[[int, int], int]
"""``amount(few, many)``: the first in the quick tests, the second in the long ones."""


@pytest.fixture(scope="session")
def chain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests, so that every kernel is compiled once."""
    return tmp_path_factory.mktemp("chain")


@pytest.fixture(params=[pytest.param("few"), pytest.param("many", marks=pytest.mark.long)])
def amount(request: pytest.FixtureRequest) -> Amount:
    """Both run the same test, of the same kinds of models."""
    return (lambda few, many: few) if request.param == "few" else (lambda few, many: many)


@pytest.fixture
def without_bakenn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own kernels for everything, also for what bakenn would take."""
    monkeypatch.setattr("tinyhil.chain.layers.OPERATORS", frozenset())
