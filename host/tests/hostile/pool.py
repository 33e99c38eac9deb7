"""Asks resident workers, and sees when one dies or hangs."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

CHECKOUT = Path(__file__).parents[3]
HANG_SECONDS = 30


class Resident:
    """A worker that is started again after it has died.

    Ownership: whoever opens it closes it, or uses it as a context manager.

    Args:
        module: what it runs, of this package.
        arguments: of it.
        environment: variables added to ours.
    """

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._argv = [sys.executable, "-m", f"host.tests.hostile.{module}", *arguments]
        self._environment = {**os.environ, "PYTHONPATH": f"{CHECKOUT / 'host'}:{CHECKOUT}", **(environment or {})}
        self._child: subprocess.Popen[str] | None = None

    def ask(self, request: dict[str, Any], patience: float = HANG_SECONDS) -> dict[str, Any]:
        """Its answer; ``outcome`` is ``signal`` where it has died, and ``hang`` where it does not answer in time."""
        child = self._started()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
        except BrokenPipeError:
            return {"outcome": "signal", "told": f"exit code {self._end()}"}
        if not select.select([child.stdout], [], [], patience)[0]:
            self._end()
            return {"outcome": "hang", "told": f"no answer within {patience:g} s"}
        line = child.stdout.readline()
        if not line:
            return {"outcome": "signal", "told": f"exit code {self._end()}"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends it."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(
                self._argv,
                cwd=CHECKOUT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                process_group=0,
            )
        return self._child

    def _end(self) -> int | None:
        child, self._child = self._child, None
        if child is None:
            return None
        try:
            code = child.wait(1)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            code = child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        return code
