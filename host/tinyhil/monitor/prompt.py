"""What is typed at the prompt ``x>`` and is no question to the model: commands of the monitor, and of its device."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tinyhil.errors import InputError, TinyhilError
from tinyhil.monitor import picture
from tinyhil.plain_text import plain
from tinyhil.stream.numbers import is_number, number
from tinyhil.stream.player import Player
from tinyhil.stream.recording import Recorder

if TYPE_CHECKING:
    from tinyhil.monitor.port_pane import PortPane

Command = Callable[[], Iterator[str]]
"""Does something with the device, and tells what becomes of it, a line at a time; it may take its time."""

QUESTIONS = ("sweep ", "sample ", "random ")
HELP = (
    "1.57, a vector, sweep 0..6.28 100, sin(x) over 0..6.28 100, sample 17, random 10, x.npy: asks the model's device",
    "save FILE: the plot, as .png, .svg, .csv or .npz",
    "record FILE.rec: records from here on; record alone ends it",
    "speed FACTOR: of a recording that is played; 0 for as fast as it can be shown",
    "verify, bisect, profile: as the commands of these names, with the model and target of this monitor",
    "flash: puts the firmware on the board again; reset: restarts the device; demo: back to its demo at once",
    "help; quit",
)
_WORDS = ("save", "record", "speed", "help", "quit")


class Prompt:
    """Carries commands out for a port on the screen.

    Args:
        pane: the port.
        commands: what its device can do, by name.
    """

    def __init__(self, pane: PortPane, commands: Mapping[str, Command]) -> None:
        self._pane = pane
        self._commands = commands
        self._recorder: Recorder | None = None
        self._history: list[str] = []
        self._place = 0
        self.running = ""

    @property
    def words(self) -> list[str]:
        """What a line may begin with, for completion; the last ones that were typed first."""
        return [*reversed(self._history), *QUESTIONS, *_WORDS, *self._commands]

    def recall(self, by: int) -> str:
        """The line before, or the one after, of those that were typed; empty behind the last one."""
        self._place = min(max(self._place + by, 0), len(self._history))
        return self._history[self._place] if self._place < len(self._history) else ""

    def take(self, text: str) -> bool:
        """Carries a command out; whether it was one.

        Raises:
            TinyhilError: it cannot be carried out.
        """
        text = text.strip()
        if text and text not in self._history[-1:]:
            self._history.append(text)
        self._place = len(self._history)
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        if word in self._commands and not rest:
            self._start(word)
        elif word == "save" and rest:
            self._pane.message = picture.save(Path(rest), self._pane.plot_pane, self._pane.stream.table)
        elif word == "record":
            self._record(rest)
        elif word == "speed" and is_number(rest):
            self._set_speed(number(rest))
        elif text == "help":
            self._tell(HELP)
        elif text == "quit":
            self._pane.app.exit()
        elif word in (*_WORDS, *NEEDS_MODEL):
            raise InputError(f"{text!r} cannot be done here", hint=_why(word))
        else:
            return False
        return True

    def close(self) -> None:
        """Ends the recording that was begun here. May be called again."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            if recorder in self._pane.stream.writers:
                self._pane.stream.writers.remove(recorder)
            recorder.close()

    def _record(self, name: str) -> None:
        if not name:
            if self._recorder is None:
                raise InputError(
                    "`record` has nothing to end: nothing is being recorded", hint="record FILE.rec begins"
                )
            path = self._recorder.path
            self.close()
            self._pane.message = f"{path} is written"
            return
        stream = self._pane.stream
        recorder = Recorder(Path(name), self._pane.source.address, stream.stamps)
        self.close()
        self._recorder = recorder
        stream.writers.append(recorder)
        self._pane.message = f"recording in {name}; record alone ends it"

    def _set_speed(self, speed: float) -> None:
        source = self._pane.source
        if not isinstance(source, Player) or not speed >= 0:
            raise InputError("`speed` is for recordings", hint="tinyhil monitor FILE.rec; then speed 10, or speed 0")
        source.speed = speed or math.inf
        self._pane.message = f"speed {speed:g}" if speed else "as fast as it can be shown"

    def _start(self, word: str) -> None:
        """Carries a command out in a thread of its own, one at a time."""
        if self.running:
            raise InputError(f"{self.running} is not done yet", hint="wait for it")
        self.running = word
        command, app = self._commands[word], self._pane.app

        def carried_out() -> None:
            message = f"{word}: done"
            try:
                for line in command():
                    app.call_from_thread(self._tell, (line,))
            except TinyhilError as error:
                message = plain(f"{word}: {error.message}; {error.hint}")
            app.call_from_thread(self._done, message)

        self._pane.run_worker(carried_out, thread=True, group="commands", exit_on_error=False)
        self._pane.message = f"{word} ..."

    def _done(self, message: str) -> None:
        self.running = ""
        self._pane.message = message
        self._tell((message,))

    def _tell(self, lines: tuple[str, ...]) -> None:
        now = time.monotonic()
        for line in lines:
            self._pane.stream.notice(plain(line), now)
        self._pane.lines_pane.draw()


NEEDS_MODEL = ("verify", "bisect", "profile", "flash", "demo", "reset")


def _why(word: str) -> str:
    if word in NEEDS_MODEL:
        return "it takes a device of a model, with nothing behind it: tinyhil monitor RECIPE"
    return next(line for line in HELP if line.startswith(word) or word in line)
