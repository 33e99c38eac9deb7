"""A few of the models on this computer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .expected import QUICK, run_exactly, run_refused


@pytest.mark.parametrize("name", QUICK)
def test_it_is_exact(quick_models: Path, tmp_path: Path, name: str) -> None:
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    run_exactly(name, quick_models, "native", tmp_path, suffix=".h5" if name == "two_outputs" else ".keras")


def test_a_lambda_layer_is_refused_by_name(quick_models: Path, tmp_path: Path) -> None:
    run_refused("code_in_a_lambda", quick_models, "native", tmp_path)
    assert list(tmp_path.iterdir()) == []
