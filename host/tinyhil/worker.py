"""Work in a child process: TensorFlow and the reference interpreter, which log, crash or stay in memory.

The parent calls :func:`call`, or keeps a :class:`Worker` for several requests; the child's module ends in
``serve(work)``. A request is one line of JSON on standard input; the answers are lines on the child's output that
start with a marker, which the parent has drawn, so that whatever libraries or recipes print is kept apart. What a child
tells beside its progress (:meth:`Channel.tell`) goes to whoever asked for it. A
TinyhilError in the child is raised again in the parent; any other end without a result is a ToolError with the child's
output and a next step.

Code of a recipe may do to the child what it likes. While it runs the parent knows whose it is (:func:`recipe_runs`), so
an end of the process is an error of the recipe; and a child that has run any is ended with its result, because what
such code leaves behind, threads or exit hooks, may never end.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tinyhil import errors, kinds, process
from tinyhil.process import UNLIMITED, Limits
from tinyhil.progress import Reporter

_WORD = "TINYHIL_CHILD"
"""The variable with the word that begins every line of a child which is meant for its parent."""

_QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONUNBUFFERED": "1",
}
# oneDNN off: its results depend on the number of threads; no accelerator: the same numbers on every computer.


def call(
    module: str, request: dict[str, Any], *, what: str, reporter: Reporter, limits: Limits = UNLIMITED
) -> dict[str, Any]:
    """Runs ``python -m module`` with a request and returns its result.

    Args:
        what: the work in words, for the error: "train the model".
        limits: what the child may take.

    Raises:
        TinyhilError: as the child raised it.
        InputError: the child has taken more than it may.
        CrashError: a signal ended the child.
        ToolError: it ended without a result, or not as it should.
    """
    with Worker(module, what=what, reporter=reporter, limits=limits) as child:
        result = child.ask(request)
        child.finish()
    return result


def _marker(word: str) -> str:
    return f"@tinyhil {word} "


class Worker:
    """A child process that is asked again and again, and keeps what it has loaded between two requests.

    Ownership: whoever opens it closes it, or uses it as a context manager. After an error it is of no use any more.

    Args:
        module: what it runs: ``python -m module``.
        what: the work in words, for errors.
        reporter: told the command, and what the child tells.
        limits: what it may take.
        on_told: called with each value that the child tells.
    """

    def __init__(
        self,
        module: str,
        *,
        what: str,
        reporter: Reporter,
        limits: Limits = UNLIMITED,
        on_told: Callable[[Any], None] | None = None,
    ) -> None:
        argv = [sys.executable, "-m", module]
        reporter.command(argv)
        self._what = what
        self._reporter = reporter
        self._limits = limits
        self._on_told = on_told
        self._recipe: _Recipe | None = None
        word = secrets.token_hex(8)
        self._marker = _marker(word)
        self._child = process.spawn(argv, env={**_QUIET, _WORD: word}, stdin=True, limits=limits)
        self._printed = process.lines(self._child)
        self._log: list[str] = []

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Sends a request and waits for its result.

        Raises:
            TinyhilError: as the child raised it.
            ConfigError: code of a recipe ended the child.
            CrashError: a signal ended the child.
            ToolError: it ended without a result.
        """
        assert self._child.stdin is not None
        self._log.clear()  # what was printed for an earlier request is no evidence of this one
        # If it died before it read, its output says why.
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.write(json.dumps(request) + "\n")
            self._child.stdin.flush()
        for event in self._events():
            if "error" in event:
                failure = event["error"]
                error = getattr(errors, failure["type"])(
                    failure["message"], hint=failure["hint"], detail=failure["detail"]
                )
                error.kind = kinds.of_id(failure["kind"]) or error.kind
                raise error
            if "result" in event:
                result: dict[str, Any] = event["result"]
                return result
        raise self._ended()

    def finish(self) -> None:
        """Lets the child end by itself, with all that it has to tear down, unless it has run a recipe's code.

        Raises:
            ToolError: it ended in another way.
        """
        if self._recipe is not None:
            process.end(self._child, gently=False)
            return
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.close()
        for _ in self._events():
            pass
        if self._child.wait() != 0:
            raise self._ended()

    def send_signal(self, number: signal.Signals) -> None:
        """Sends the child a signal, from another thread than the one that asks it, which notices what comes of it."""
        self._child.send_signal(number)

    def close(self) -> None:
        """Ends the child if it still runs."""
        process.end(self._child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _events(self) -> Iterator[dict[str, Any]]:
        """What the child sends, but for its progress and its noise, which are passed on."""
        for line in self._printed:
            if not line.startswith(self._marker):
                self._log.append(line)
                if line.strip():
                    self._reporter.text(line.rstrip("\n"))
                continue
            event = json.loads(line[len(self._marker) :])
            if "progress" in event:
                self._reporter.progress(*event["progress"])
            elif "told" in event:
                if self._on_told is not None:
                    self._on_told(event["told"])
            elif "recipe" in event:
                self._recipe = _Recipe(**event["recipe"])
            else:
                yield event

    def _ended(self) -> errors.TinyhilError:
        code = self._child.wait()
        taken = self._too_much(code)
        if taken:
            return errors.InputError(
                f"could not {self._what}: {taken}",
                hint="use a smaller model, or fewer samples; this one is larger than its file should make it",
                detail="".join(self._log),
                kind=kinds.TOO_MUCH,
            )
        recipe = self._recipe
        if recipe is not None and (recipe.running or code == 0):
            return errors.ConfigError(
                f"{recipe.running or recipe.path} ended the process it runs in, with {process.describe_exit(code)}",
                hint=f"let {recipe.path} return, or raise an exception; if it does nothing of the kind, a library that "
                "it calls has crashed, or memory was short",
                detail="".join(self._log),
                kind=kinds.RECIPE_CODE,
            )
        made, hint = (errors.CrashError, _AFTER.get(-code, _CRASHED)) if code < 0 else (errors.ToolError, _FAILED)
        ending = process.describe_exit(code)
        return made(f"could not {self._what}: the process ended with {ending}", hint=hint, detail="".join(self._log))

    def _too_much(self, code: int) -> str:
        """Which limit the child has reached; empty if none."""
        memory, seconds = self._limits.memory_bytes, self._limits.processor_seconds
        if seconds is not None and code == -signal.SIGXCPU:
            return f"it takes more than {seconds:,} s of the processor"
        if memory is not None and code != 0 and any(word in line for line in self._log for word in _NO_MEMORY):
            return f"it takes more than {memory // 2**20:,} MB of memory"
        return ""


_APART = 64
"""The least number of the descriptors of the conversation: above those that programs count on."""
_NO_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "ResourceExhausted", "OOM when allocating")
"""What Python, C++, the operating system and TensorFlow say where there is no more of it."""
_FAILED = "what it printed last says why; if that names nothing of yours, please report it"
_CRASHED = "a library in it has crashed: leave out layer by layer to find the one that it does not take, and report it"
_AFTER: dict[int, str] = {
    signal.SIGKILL: "the system ends processes where memory is short: close other programs, or use a smaller model",
    signal.SIGTERM: "somebody has ended it: start again",
    signal.SIGXCPU: "its limit of processor time is used up: raise it with ulimit -t",
}
"""Next steps after the signals that come from outside."""


@dataclass(frozen=True)
class _Recipe:
    """Whose code a child has run.

    Attributes:
        path: the code's file.
        running: what of it runs at this moment, in words; empty for nothing.
    """

    path: str
    running: str


class Channel:
    """The child's reporter: sends what it is told to the parent, by a descriptor that nobody else closes.

    Args:
        descriptor: of the pipe to the parent.
        marker: how lines begin that are meant for the parent.
    """

    def __init__(self, descriptor: int, marker: str) -> None:
        self._descriptor = descriptor
        self._marker = marker
        self.recipe = _Recipe("", "")

    def tell(self, value: Any) -> None:
        """Tells the parent something beside progress and result; plain values, as JSON has them."""
        self.send({"told": value})

    def send(self, event: dict[str, Any]) -> None:
        """Sends an event, in a line of its own."""
        # One write call, and a newline first: a library may have left a line unfinished on the same pipe.
        os.write(self._descriptor, f"\n{self._marker}{json.dumps(event)}\n".encode())

    def runs(self, recipe: _Recipe) -> None:
        """Whose code runs from now on."""
        self.recipe = recipe
        self.send({"recipe": asdict(recipe)})

    def progress(self, done: int, total: int, note: str = "") -> None:
        """How far the work is."""
        self.send({"progress": [done, total, note]})

    def command(self, argv: Any) -> None:
        """A program is about to be started."""
        self.text(" ".join(argv))

    def text(self, line: str) -> None:
        """A line that is no event."""
        os.write(self._descriptor, f"{line}\n".encode())


_channel: Channel | None = None
"""Of a child that serves; None in every other process."""


@contextlib.contextmanager
def recipe_runs(path: Path, running: str) -> Iterator[None]:
    """Tells the parent that code of a recipe runs, so that an end of this process is that code's. Contexts may nest.

    Whatever ends the process on its way through here, such as an interrupt, is the recipe's as well. In a process that
    is no child, nothing is told.

    Args:
        path: the code's file.
        running: what of it, in words: "FILE: dataset()".
    """
    if _channel is None:
        yield
        return
    before = _channel.recipe.running
    _channel.runs(_Recipe(str(path), running))
    try:
        yield
    except Exception:
        _channel.runs(_Recipe(str(path), before))
        raise
    _channel.runs(_Recipe(str(path), before))


def serve(work: Callable[[dict[str, Any], Channel], dict[str, Any]]) -> None:
    """The child's main: reads requests to their end, does the work, sends for each the result or the error."""
    global _channel
    # Code that reads standard input, or closes or replaces one of the streams, has no part in the conversation.
    requests = os.fdopen(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, _APART), encoding="utf-8")
    marker = _marker(os.environ.pop(_WORD, ""))
    channel = _channel = Channel(fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _APART), marker)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for line in requests:
        try:
            result = work(json.loads(line), channel)
        except errors.TinyhilError as error:
            channel.send(
                {
                    "error": {
                        "type": type(error).__name__,
                        "kind": error.kind.id,
                        "message": error.message,
                        "hint": error.hint,
                        "detail": error.detail,
                    }
                }
            )
        else:
            channel.send({"result": result})
