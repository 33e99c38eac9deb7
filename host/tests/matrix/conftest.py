"""Model files in an empty folder, and plans of them, of which nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tinyhil.matrix import Plan, plan
from tinyhil.options import Options

Planned = Callable[..., Plan]


@pytest.fixture
def planned(tmp_path: Path, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """Plans models in an empty folder, where a.tflite and b.tflite lie: ``planned(["sine"], target="sim,native")``."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.tflite").write_bytes(tiny_model)

    def make(models: Sequence[str], **options: Any) -> Plan:
        return plan(models, Options(**options))

    return make
