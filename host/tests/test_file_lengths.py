"""A file is short enough to be read at once."""

from __future__ import annotations

from .conftest import HOST

LONGEST = 400
FOLDERS = ("host", "hil_tests", "benchmarks", "firmware", "templates", "examples", "tools")
SCRIPT = b"#!/usr/bin/env python"


def test_no_python_file_is_longer_than_400_lines() -> None:
    checkout = HOST.parent
    files = [path for folder in FOLDERS for path in (checkout / folder).rglob("*") if path.is_file()]
    python = [
        path for path in files if path.suffix == ".py" or path.read_bytes()[:64].startswith(b"#!/usr/bin/env python")
    ]
    assert len(python) > 100
    lines = {str(path.relative_to(checkout)): path.read_bytes().count(b"\n") for path in python}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
