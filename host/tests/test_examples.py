"""The Python examples of README and docs run as they are written.

A block ``python`` that imports ``tinyhil`` is run by a Python of its own. All of them run in one folder, so that a
recipe is trained once. Other blocks are parts of recipes or tests.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # each example has a Python of its own, and some train

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    """Page and code of each example."""
    return [
        (page.name, code)
        for page in PAGES
        for code in _BLOCK.findall(page.read_text(encoding="utf-8"))
        if re.search(r"^import tinyhil$", code, re.MULTILINE)
    ]


def test_there_are_examples() -> None:
    pages = [page for page, _ in examples()]
    assert pages.count("api.md") >= 5
    assert "README.md" in pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples run."""
    return tmp_path_factory.mktemp("examples")


@pytest.mark.parametrize(("page", "code"), examples(), ids=lambda text: text.split("\n")[0])
def test_an_example_runs(page: str, code: str, folder: Path, child_environment: dict[str, str]) -> None:
    # It is the API that is shown, and not the chip: no emulator is needed.
    code = code.replace('target="qemu-m4"', 'target="sim"')
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=child_environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{page}:\n{code}\n{done.stdout}{done.stderr}"
