"""Runs a recipe's code, which may raise, exit or interrupt: each of it is an error of the recipe, and never our end.

It runs in child processes only, because no process can keep such code from ending it (``os._exit``); what becomes of
the child then is in ``tinyhil.worker``.
"""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from tinyhil import kinds, worker
from tinyhil.errors import ConfigError, TinyhilError


def guarded(path: Path, module: ModuleType, names: Iterable[str]) -> ModuleType:
    """The module with functions that raise nothing but errors of ours; see :func:`running`.

    Its own code goes on with the functions as they are.

    Args:
        path: its file.
        names: of the functions, as far as it has them.
    """
    made = ModuleType(module.__name__, module.__doc__)
    vars(made).update(vars(module))
    for name in names:
        if hasattr(module, name):
            setattr(made, name, _guarded(path, name, getattr(module, name)))
    return made


def _guarded(path: Path, name: str, function: Callable[..., Any]) -> Callable[..., Any]:

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        with worker.recipe_runs(path, f"{path}: {name}()"), running(path, f"{path}: {name}() failed"):
            return function(*arguments, **named)

    return call


@contextlib.contextmanager
def looking_at(path: Path, wrong: str) -> Iterator[None]:
    """Looks at what a recipe's code has made, which may be an object of any class of its own.

    Args:
        path: the code's file.
        wrong: what is wrong, if that fails.

    Raises:
        As :func:`running`.
    """
    with worker.recipe_runs(path, f"{path}, when its results were looked at,"), running(path, f"{path}: {wrong}"):
        yield


@contextlib.contextmanager
def running(path: Path, what: str) -> Iterator[None]:
    """Runs code of a recipe.

    Args:
        path: its file.
        what: what has happened, if it fails.

    Raises:
        ConfigError: it raised, exited, or interrupted itself; ``detail`` is the traceback from its own first line on.
        KeyboardInterrupt: the user did.
        TinyhilError: what it has called did.
    """
    with _sees_signals() as signals:
        try:
            yield
        except TinyhilError:
            raise
        except BaseException as error:
            if signals and isinstance(error, KeyboardInterrupt):
                raise
            frames = traceback.extract_tb(error.__traceback__)
            own = [index for index, frame in enumerate(frames) if Path(frame.filename) == path]
            shown = frames[own[0] :] if own else frames[-1:]
            place = f", line {frames[own[-1]].lineno}" if own else ""
            said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
            raise ConfigError(
                f"{what}: {said}{place}",
                hint=f"correct {path}: the lines above say where it was",
                detail="".join(["Traceback of the recipe:\n", *traceback.format_list(shown)]) + said,
                kind=kinds.RECIPE_CODE,
            ) from error


@contextlib.contextmanager
def _sees_signals() -> Iterator[list[int]]:
    """Lists the signals by which a user ends us, which go on to whoever handles them."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    ours = [number for number, handler in handlers.items() if callable(handler)]
    for number in ours:
        signal.signal(number, note)
    try:
        yield seen
    finally:
        for number in ours:
            if signal.getsignal(number) is note:
                signal.signal(number, handlers[number])
