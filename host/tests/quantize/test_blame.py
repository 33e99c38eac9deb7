"""A converter that dies: the layer is named, where it can be known, and there is always a next step."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from tinyhil import worker
from tinyhil.errors import CrashError, ModelError
from tinyhil.progress import Silent
from tinyhil.quantize import blame

DIED = CrashError("could not quantize m: the process ended with signal SIGSEGV", hint="next", detail="last words")


@pytest.fixture
def planted(tmp_path: Path, child_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module in place of the child that converts each layer."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), child_environment["PYTHONPATH"]]))
    call = worker.call
    monkeypatch.setattr(worker, "call", lambda module, *given, **named: call("planted", *given, **named))
    return tmp_path / "planted.py"


def test_the_layer_that_was_announced_last_is_named(planted: Path) -> None:
    planted.write_text(
        textwrap.dedent("""
            import os, signal
            from tinyhil import worker
            def work(request, reporter):
                reporter.progress(1, 3, "layer 'one' (Dense)")
                reporter.progress(2, 3, "layer 'two' (Strange)")
                os.kill(os.getpid(), signal.SIGSEGV)
            worker.serve(work)
        """)
    )
    found = blame.of_crash(DIED, {"name": "mine.keras"}, Silent())
    assert isinstance(found, ModelError)
    assert found.message == "mine.keras: TensorFlow's converter crashes on layer 'two' (Strange)"
    assert "replace this layer" in found.hint
    assert found.detail == "last words"


@pytest.mark.parametrize("end", ["return {}", "raise errors.ModelError('no')", "os.abort()"])
def test_where_no_layer_crashes_alone_it_is_the_crash_itself(planted: Path, end: str) -> None:
    planted.write_text(
        f"import os\nfrom tinyhil import errors, worker\ndef work(request, reporter):\n    {end}\nworker.serve(work)\n"
    )
    assert blame.of_crash(DIED, {"name": "mine.keras"}, Silent()) is DIED
