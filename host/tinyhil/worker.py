"""F1: work in a child process: TensorFlow and the reference interpreter, which log, crash or stay in memory.

The parent calls :func:`call`, the child's module ends in ``serve(work)``. The request is one line of JSON on standard
input; the answers are lines on the child's output that start with a marker, so that whatever a library logs between
them is kept apart. A TinyhilError in the child is raised again in the parent; any other end without a result is a
ToolError with the child's output.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from tinyhil import errors, process
from tinyhil.progress import Reporter

MARKER = "@tinyhil "

_QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONUNBUFFERED": "1",
}
# oneDNN off: its results depend on the number of threads; no accelerator: the same numbers on every desk.


def call(module: str, request: dict[str, Any], *, what: str, reporter: Reporter) -> dict[str, Any]:
    """Runs ``python -m module`` with a request and returns its result.

    Args:
        what: the work in words, for the error: "train the model".

    Raises:
        TinyhilError: as the child raised it.
        ToolError: the child ended without a result.
    """
    argv = [sys.executable, "-m", module]
    reporter.command(argv)
    child = process.spawn(argv, env=_QUIET, stdin=True)
    log: list[str] = []
    result: dict[str, Any] | None = None
    failure: dict[str, str] | None = None
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.close()
        except BrokenPipeError:
            pass  # it died before it read: its output says why
        for line in child.stdout:
            if not line.startswith(MARKER):
                log.append(line)
                if line.strip():
                    reporter.text(line.rstrip("\n"))
                continue
            event = json.loads(line[len(MARKER) :])
            if "progress" in event:
                reporter.progress(*event["progress"])
            failure = event.get("error", failure)
            result = event.get("result", result)
        code = child.wait()
    finally:
        process.end(child)
    if failure is not None:
        kind = getattr(errors, failure["type"])
        raise kind(failure["message"], hint=failure["hint"], detail=failure["detail"])
    if result is None or code != 0:
        ending = process.describe_exit(code)
        raise errors.ToolError(f"could not {what}: the process ended with {ending}", detail="".join(log))
    return result


class _Channel:
    """The child's reporter: sends what it is told to the parent."""

    def send(self, event: dict[str, Any]) -> None:
        # One write call, and a newline first: a library may have left a line unfinished on the same pipe.
        os.write(1, f"\n{MARKER}{json.dumps(event)}\n".encode())

    def progress(self, done: int, total: int, note: str = "") -> None:
        self.send({"progress": [done, total, note]})

    def command(self, argv: Any) -> None:
        self.text(" ".join(argv))

    def text(self, line: str) -> None:
        os.write(1, f"{line}\n".encode())


def serve(work: Callable[[dict[str, Any], Reporter], dict[str, Any]]) -> None:
    """The child's main: reads the request, does the work, sends the result or the error."""
    channel = _Channel()
    try:
        result = work(json.loads(sys.stdin.readline()), channel)
    except errors.TinyhilError as error:
        channel.send(
            {
                "error": {
                    "type": type(error).__name__,
                    "message": error.message,
                    "hint": error.hint,
                    "detail": error.detail,
                }
            }
        )
    else:
        channel.send({"result": result})
