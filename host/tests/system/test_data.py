"""Data from the command line: what cannot be had or used ends with a clear message and the right exit code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from .cli import Cli


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYHIL_OFFLINE", "1")


@pytest.mark.long
def test_clothes_without_a_network_name_both_ways(tinyhil: Cli) -> None:
    done = tinyhil("train", "fashion")
    assert done.code == 3
    assert "Fashion-MNIST cannot be downloaded" in done.err
    assert "--data FILE.npz" in done.err
    assert "network" in done.err


@pytest.mark.long
def test_pickled_samples_are_refused(tinyhil: Cli, tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=np.array([None] * 20, dtype=object), y=np.arange(20))
    done = tinyhil("run", "digits", "--data", "mine.npz")
    assert done.code == 2
    assert "x holds pickled Python objects, which are never loaded" in done.err
    assert tinyhil("train", "digits", "--data", "none.npz").code == 2


@pytest.mark.long
def test_a_users_samples_are_trained_on(tinyhil: Cli, tmp_path: Path) -> None:
    x = np.linspace(-1, 4, 40, dtype=np.float32).reshape(-1, 1)
    np.savez(tmp_path / "mine.npz", x=x, y=3 * x + 1)
    done = tinyhil("train", "linear", "--data", "mine.npz", "--json", "out.json")
    assert done.code == 0, done.err
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["data"] == "mine.npz; 28/6/6 training/validation/test, at random with seed 1"
    assert abs(told["figures"]["w"] - 3) < 0.05
    assert told["diagnosis"]["kind"] == "converged"
    assert told["metrics"]["test_loss"] < 0.01
    # The same samples, the same model.
    assert "unchanged" in tinyhil("train", "linear", "--data", "mine.npz").out
