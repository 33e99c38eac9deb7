"""``import tinyhil`` costs nothing, and offers a small set of names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tinyhil

CODE = """
import sys
import tinyhil
assert set(tinyhil.__all__) <= set(dir(tinyhil))
print(sorted({name for name in sys.modules if name.startswith("tinyhil.")}
      | {"numpy", "msgspec", "typer", "rich", "pathlib", "dataclasses", "typing"} & set(sys.modules)))
"""


def test_it_imports_nothing(package: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(package.parent)!r})\n{CODE}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_an_error_and_the_options_are_had_without_the_rest(child_environment: dict[str, str]) -> None:
    code = "import sys, tinyhil; tinyhil.TinyhilError, tinyhil.Options; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=child_environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_every_name_is_there() -> None:
    assert len(tinyhil.__all__) <= 12
    assert all(getattr(tinyhil, name) is not None for name in tinyhil.__all__)
    assert issubclass(tinyhil.BlockedError, tinyhil.TinyhilError)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'tinyhil' has no attribute 'nothing'"):
        tinyhil.nothing  # noqa: B018
