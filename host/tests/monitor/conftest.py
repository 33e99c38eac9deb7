"""An application whose screen is drawn when a test says so: Textual's pilot waits until nothing happens."""

from __future__ import annotations

import pytest

from tinyhil.monitor import app


@pytest.fixture(autouse=True)
def drawn_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time between two drawings is longer than any test."""
    monkeypatch.setattr(app, "_DRAWN_EVERY_S", 3600.0)
