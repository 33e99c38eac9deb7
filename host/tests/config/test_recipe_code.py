"""A recipe's code that raises, exits or interrupts is an error of the recipe, with the line that it was."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tinyhil import kinds
from tinyhil.config import recipe as recipes
from tinyhil.errors import ConfigError, MissingToolError

ENDS = {
    "raise ValueError('odd')": "ValueError: odd",
    "import sys; sys.exit(0)": "SystemExit: 0",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise GeneratorExit": "GeneratorExit",
    "[][3]": "IndexError: list index out of range",
    "f = lambda: f(); f()": "RecursionError",
}


def module(folder: Path, body: str) -> Any:
    path = folder / "code.py"
    path.write_text(f"def dataset(seed):\n    {body}\ndef model():\n    return helper()\ndef helper():\n    {body}\n")
    return recipes.load_code(path)


@pytest.mark.parametrize(("body", "said"), ENDS.items())
def test_what_a_function_does_in_place_of_returning(tmp_path: Path, body: str, said: str) -> None:
    code = module(tmp_path, body)
    with pytest.raises(ConfigError) as caught:
        code.dataset(1)
    error = caught.value
    assert error.kind is kinds.RECIPE_CODE
    assert f"code.py: dataset() failed: {said}" in error.message
    assert error.message.endswith(", line 2")
    with pytest.raises(ConfigError) as caught:
        code.model()
    assert next(line for line in caught.value.detail.splitlines() if "code.py" in line).endswith("line 4, in model")
    assert "recipe_code.py" not in caught.value.detail


@pytest.mark.parametrize(("body", "said"), ENDS.items())
def test_what_the_file_does_when_it_is_imported(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "code.py").write_text(f"x = 1\n{body}\n")
    with pytest.raises(ConfigError, match="cannot be imported") as caught:
        recipes.load_code(tmp_path / "code.py")
    assert said in caught.value.message
    assert caught.value.message.endswith(", line 2")


def test_the_user_s_own_interrupt_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = module(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            code.dataset(1)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert os.getpid()


def test_an_error_of_ours_stays_what_it_is(tmp_path: Path) -> None:
    code = module(tmp_path, "from tinyhil.errors import MissingToolError; raise MissingToolError('no tool')")
    with pytest.raises(MissingToolError, match="no tool"):
        code.dataset(1)


@pytest.mark.parametrize("name", ["../x.py", "/etc/x.py", "sub/x.py", "..\\x.py", "C:\\x.py", "./../x.py", ".."])
def test_code_lies_beside_its_recipe(tmp_path: Path, name: str) -> None:
    text = (recipes.SHIPPED / "sine.toml").read_text().replace('"sine.py"', repr(name))
    (tmp_path / "below").mkdir()
    (tmp_path / "below/sine.toml").write_text(text)
    (tmp_path / "x.py").write_text("1 / 0")
    with pytest.raises(ConfigError, match=r"code is .*, a path that leads away|does not exist beside it"):
        recipes.load(tmp_path / "below/sine.toml")
