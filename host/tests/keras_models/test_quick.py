"""A few of the models on this computer."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tinyhil.artifacts import lock

from .expected import IMAGES, QUICK, REFUSED, ROWS, run_exactly, run_refused


@pytest.mark.parametrize("name", [QUICK[0], *(pytest.param(each, marks=pytest.mark.long) for each in QUICK[1:])])
def test_it_is_exact(quick_models: Path, tmp_path: Path, name: str) -> None:
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    run_exactly(name, quick_models, "native", tmp_path, suffix=".h5" if name == "two_outputs" else ".keras")


def test_a_lambda_layer_is_refused_by_name(quick_models: Path, tmp_path: Path) -> None:
    run_refused("code_in_a_lambda", quick_models, "native", tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [lock.NAME]


def test_the_page_lists_each_model_with_what_becomes_of_it() -> None:
    page = (Path(__file__).parents[3] / "docs/models.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (\w+)[^|]*\|$", page, re.MULTILINE))
    assert rows == {**dict.fromkeys((*IMAGES, *ROWS), "exact"), **dict.fromkeys(REFUSED, "refused")}
