"""A history of a test's own, in SQLite and in PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

import postgresql
from tinyhil.history import place as places
from tinyhil.history.place import Place

_numbers = itertools.count()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty place in a file, which the environment names too."""
    return _named(str(tmp_path / "kept/history.db"), monkeypatch)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[postgresql.Server | None]:
    """A server of PostgreSQL; None for SQLite, which needs none."""
    folder = postgresql.programs()
    if request.param == "sqlite":
        yield None
    elif folder is None:
        pytest.skip("blocked: postgresql is not installed")
    else:
        with postgresql.running(folder) as found:
            yield found


@pytest.fixture
def any_place(server: postgresql.Server | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty place of either kind, which the environment names too."""
    monkeypatch.chdir(tmp_path)
    named = "history.db" if server is None else server.database(f"history{next(_numbers)}")
    return _named(named, monkeypatch)


def _named(value: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv(places.VARIABLE, value)
    made = places.place()
    assert made is not None
    return made
