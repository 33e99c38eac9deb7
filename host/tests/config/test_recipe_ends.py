"""Code of a recipe that ends its process, or leaves it in another state: an input error, or nothing that matters.

It runs in the child that computes the truth, which imports no TensorFlow; the child that trains is the same worker.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhil import kinds
from tinyhil.config import recipe as recipes
from tinyhil.errors import ConfigError, ExitCode
from tinyhil.progress import Silent
from tinyhil.train import train
from tinyhil.verify import truth_values

INPUTS = np.linspace(0, 1, 5).reshape(-1, 1)


def computed(folder: Path, body: str, head: str = "") -> np.ndarray:
    """What truth() gives for ``INPUTS``, if its code begins like this; twice the input."""
    code = folder / "code.py"
    code.write_text(
        f"import atexit, os, signal, sys, threading, time\ndataset = model = len\n{head}\n"
        f"def truth(inputs):\n    {body}\n    return 2 * inputs\n"
    )
    return truth_values(code, INPUTS, folder / "truth", Silent())


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("os._exit(0)", "exit code 0"),
        ("os.abort()", "signal SIGABRT"),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", "signal SIGKILL", marks=pytest.mark.long),
        pytest.param("os.kill(os.getpid(), signal.SIGINT)", "signal SIGINT", marks=pytest.mark.long),
    ],
)
def test_the_end_of_the_process_is_an_error_of_the_recipe(tmp_path: Path, body: str, how: str) -> None:
    with pytest.raises(ConfigError) as caught:
        computed(tmp_path, body)
    error = caught.value
    assert (error.kind, error.exit_code) == (kinds.RECIPE_CODE, ExitCode.USAGE)
    assert error.message == f"{tmp_path / 'code.py'}: truth() ended the process it runs in, with {how}"
    assert str(tmp_path / "code.py") in error.hint


def test_so_is_its_end_while_the_code_is_imported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"code.py, as it was imported, ended the process .* exit code 0") as caught:
        computed(tmp_path, "", "print('last words', flush=True); os._exit(0)")
    assert "last words" in caught.value.detail


def test_and_the_end_that_a_thread_of_it_makes_later(tmp_path: Path) -> None:
    """Here while the child looks at an array whose class waits for the thread."""
    late = "class Late:\n    def __array__(self, *_, **__):\n        time.sleep(60)\n"
    with pytest.raises(ConfigError, match=r"code.py, when its results were looked at, ended .* exit code 0"):
        computed(tmp_path, "threading.Timer(0.1, os._exit, [0]).start(); return Late()", late)


LEFT_BEHIND = {
    "a thread that never ends": "threading.Thread(target=threading.Event().wait).start()",
    "exit hooks": "atexit.register(os._exit, 3); atexit.register(time.sleep, 3600)",
    "sys.exit in a thread": "t = threading.Thread(target=sys.exit); t.start(); t.join()",
    "standard streams that are closed and replaced": "sys.stdin = sys.stdout = None; os.close(0); os.close(1)",
    "a signal that is ignored": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
}


def test_what_it_leaves_behind_changes_nothing(tmp_path: Path) -> None:
    found = computed(tmp_path, "; ".join(LEFT_BEHIND.values()))
    assert (found == 2 * INPUTS).all()


@pytest.mark.long
def test_standard_input_is_empty_for_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"truth\(\) failed: EOFError"):
        computed(tmp_path, "input()")


@pytest.mark.long
def test_what_it_gave_is_kept_until_code_or_inputs_change(tmp_path: Path) -> None:
    once = "marker = os.path.join(os.path.dirname(__file__), 'ran'); os.mkdir(marker)"
    assert (computed(tmp_path, once) == computed(tmp_path, once)).all()
    (tmp_path / "ran").rmdir()
    computed(tmp_path, f"{once}; 1")
    assert (tmp_path / "ran").is_dir()


def test_what_it_returns_has_to_be_numbers(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"what truth\(\) returns is no array of numbers: ValueError"):
        computed(tmp_path, "return 'no number'")


@pytest.mark.long
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os._exit(0)", "dataset() ended the process it runs in, with exit code 0"),
        ("os.abort()", "dataset() ended the process it runs in, with signal SIGABRT"),
    ],
)
def test_the_child_that_trains_is_the_same(tmp_path: Path, body: str, said: str) -> None:
    recipe = (recipes.SHIPPED / "sine.toml").read_text("utf-8").replace('"sine.py"', '"code.py"')
    (tmp_path / "sine.toml").write_text(recipe)
    (tmp_path / "code.py").write_text(f"import os\ndef dataset(seed):\n    {body}\ndef model():\n    pass\n")
    with pytest.raises(ConfigError) as caught:
        train(tmp_path / "sine.toml", tmp_path / "train", Silent())
    assert caught.value.message == f"{tmp_path / 'code.py'}: {said}"
