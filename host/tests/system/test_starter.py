"""The starter project as its user has it: written, then tested with its own tests on the firmware as a process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from .cli import Cli
from .test_hil_plugin import run_pytest

pytestmark = pytest.mark.long


def test_its_own_tests_pass_on_the_device(tinyhil: Cli, tmp_path: Path) -> None:
    assert tinyhil("new", "thing").code == 0
    project = tmp_path / "thing"
    recipe = project / "recipes" / "thing.toml"
    # Enough epochs to see the way to the device; how well it learns is not the question here.
    recipe.write_text(recipe.read_text().replace("epochs = 200", "epochs = 60").replace("_mae = 0.0", "_mae = 0.9"))
    done = run_pytest(replace(tinyhil, cwd=project), "--target", "native", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
