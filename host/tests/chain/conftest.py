"""Where the kernels and chains of these tests are compiled."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def chain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests, so that every kernel is compiled once."""
    return tmp_path_factory.mktemp("chain")
