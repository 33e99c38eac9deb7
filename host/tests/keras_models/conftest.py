"""The models as files, made once for all workers, in a child process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .. import shared
from . import expected

_BUILDERS = Path(__file__).with_name("models.py")


@pytest.fixture(scope="session")
def quick_models(make_once: shared.Shared) -> Path:
    """A folder with a few of the models and their samples."""
    return make_once("keras-quick", lambda folder: _build(folder, *expected.QUICK, "lstm_sequence", "code_in_a_lambda"))


@pytest.fixture(scope="session")
def all_models(make_once: shared.Shared) -> Path:
    """A folder with all of them."""
    return make_once("keras-all", _build)


def _build(folder: Path, *names: str) -> None:
    done = subprocess.run([sys.executable, str(_BUILDERS), str(folder), *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
