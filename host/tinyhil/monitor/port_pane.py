"""One port on the screen: its lines, its plot, and what is typed to it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from tinyhil.api.asking import Answer, line_of
from tinyhil.api.live_error import DemoCheck, LiveError
from tinyhil.errors import TinyhilError
from tinyhil.monitor import picture
from tinyhil.monitor.error_pane import ErrorPane
from tinyhil.monitor.lines_pane import LinesPane
from tinyhil.monitor.plot_pane import ASKED, WINDOWS, PlotPane, window_text
from tinyhil.monitor.prompt import Command, Prompt
from tinyhil.plain_text import plain
from tinyhil.stream.appearance import TimeStyle
from tinyhil.stream.events import Answered, Event, Source
from tinyhil.stream.model import Stream
from tinyhil.stream.query import Query
from tinyhil.stream.reading import Reading
from tinyhil.stream.series import Curve
from tinyhil.stream.source import pass_on
from tinyhil.stream.typing import LF, Encoder

BUDGET_S = 0.03
"""How long what has come is worked on before keys are looked at again."""

_STAYING = ("send", "model")
"""What the prompt goes on asking for until it is left."""

ROOMY = (100, 29)
"""Columns and rows from which on there is room for the differences beside the plot; else they take its place."""

PLOTTED_EVERY_S = 0.2
"""How often the plot is drawn anew: that takes longer than lines."""


class PortPane(Vertical):
    """Shows one port.

    Args:
        source: its bytes, open already.
        stream: what is in them.
        encode: makes bytes of each line that is typed.
        times: what stands in front of a line at first.
        only: the filter at first, None for all lines.
        ask: answers what is typed to the model, a row for each input; None where there is no model.
        beside: curves of the model, which are drawn with x over y.
        commands: what the device can be told at the prompt, by name.
        errors: counts how far the device is from the reference; None where there is no model.
        demo: compares what the model's demo prints; None where it has none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "pause"),
        Binding("slash", "ask('search')", "search"),
        Binding("ampersand", "ask('filter')", "filter", show=False),
        Binding("n", "find(False)", "next", show=False),
        Binding("N", "find(True)", "previous", show=False),
        Binding("i", "ask('send')", "send"),
        Binding("m", "ask('model')", "ask model"),
        Binding("e", "ask('export')", "export", show=False),
        Binding("v", "view", "view"),
        Binding("d", "errors", "differences"),
        Binding("f", "freeze", "freeze", show=False),
        Binding("w", "window", "window", show=False),
        Binding("x", "xy", "x over y", show=False),
        Binding("t", "times", "times", show=False),
        Binding("c", "clear", "clear", show=False),
        Binding("up", "scroll_lines(-1)", show=False),
        Binding("down", "scroll_lines(1)", show=False),
        Binding("pageup", "scroll_lines(-20)", show=False),
        Binding("pagedown", "scroll_lines(20)", show=False),
        Binding("home", "scroll_lines(-1000000000)", show=False),
        Binding("end", "scroll_lines(1000000000)", show=False),
        Binding("escape", "leave", show=False),
        *(Binding(str(number), f"series({number})", show=False) for number in range(1, 9)),
    ]
    DEFAULT_CSS = """
    PortPane { width: 1fr; }
    PortPane .status { height: 1; background: $panel; }
    PortPane Input { display: none; }
    PortPane Input.open { display: block; }
    PortPane.lines PlotPane { display: none; }
    PortPane.plot LinesPane { display: none; }
    PortPane .below { height: 1fr; }
    PortPane.lines .below { display: none; }
    PortPane.small .below { height: 2fr; }
    PortPane ErrorPane { display: none; }
    PortPane.errors ErrorPane { display: block; }
    PortPane.small.errors ErrorPane { width: 1fr; }
    PortPane.small.errors .below { display: block; }
    PortPane.small.errors LinesPane, PortPane.small.errors PlotPane { display: none; }
    """
    _VIEWS = ("both", "lines", "plot")
    _PROMPTS: ClassVar[dict[str, str]] = {
        "search": "search for a regular expression",
        "filter": "show only lines with a regular expression; empty for all",
        "send": "send a line",
        "model": "x> a number, a vector, sweep 0..6.28 100, sample 17, random 10, save FILE, help",
        "export": "write the plot to NAME.png or NAME.svg, or the series to NAME.csv or NAME.npz",
    }

    def __init__(
        self,
        source: Source,
        stream: Stream,
        encode: Encoder = LF,
        times: TimeStyle = TimeStyle.NONE,
        only: Query | None = None,
        ask: Callable[[str], list[Answer]] | None = None,
        beside: Mapping[str, Curve] = MappingProxyType({}),
        commands: Mapping[str, Command] = MappingProxyType({}),
        errors: LiveError | None = None,
        demo: DemoCheck | None = None,
    ) -> None:
        super().__init__()
        self.source = source
        self.stream = stream
        self.lines_pane = LinesPane(stream.lines, stream.stamps)
        self.lines_pane.times = times
        self.lines_pane.view.set_filter(only)
        self.plot_pane = PlotPane(stream.table, stream.stamps.start, beside)
        self.plot_pane.xy = bool(beside)
        self.errors = errors or LiveError()
        self.error_pane = ErrorPane(self.errors)
        self._demo = demo
        if demo is not None:
            stream.listeners.append(self._compare)
        self._wants_errors = errors is not None
        self._status_line = Static(classes="status")
        self._prompt = Input(compact=True)
        self.typed = Prompt(self, commands)
        self._ask = ask
        self.message = ""
        self._encode = encode
        self._events: deque[Event] = deque()
        self._asking = ""
        self._view = 0
        self._plotted = 0.0
        self._history: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Lines above, the plot below, then the state of the port and the prompt."""
        yield self.lines_pane
        with Horizontal(classes="below"):
            yield self.plot_pane
            yield self.error_pane
        yield self._status_line
        yield self._prompt

    def on_mount(self) -> None:
        """Keys are the lines' at first."""
        self.lines_pane.focus()

    def on_resize(self, event: Resize) -> None:
        """Differences are beside the plot at first, where there is room for both."""
        small = event.size.width < ROOMY[0] or event.size.height < ROOMY[1]
        self.set_class(small, "small")
        self.set_class(self._wants_errors and not small, "errors")

    def on_unmount(self) -> None:
        """What was begun at the prompt ends with the screen."""
        self.typed.close()

    def work(self) -> None:
        """Takes in what has come, for no longer than ``BUDGET_S``, and draws it."""
        if not (self.plot_pane.picture.is_mounted and self.is_attached):
            return  # it is being made, or taken away
        began = time.monotonic()
        until = began + BUDGET_S
        if not self._events:
            self._events.extend(self.source.take())
        while self._events and time.monotonic() < until:
            for fired in pass_on([self._events.popleft()], self.stream):
                self.message = f"triggered: {plain(fired.name)} at {fired.level:g}"
                self.plot_pane.frozen = True
        self.lines_pane.draw()
        if began - self._plotted >= PLOTTED_EVERY_S:
            self._plotted = began
            self.plot_pane.draw()
            self.error_pane.draw()
        self._status_line.update(self._status())

    def _status(self) -> Text:
        counts, view = self.stream.counts, self.lines_pane.view
        parts = [plain(self.source.address), self.source.state.value, f"{counts.lines:,} lines"]
        if view.paused:
            parts.append(f"paused, {view.missed:,} more")
        if view.query is not None:
            parts.append(f"filter {view.query.text}")
        if self.plot_pane.frozen:
            parts.append("plot frozen")
        if counts.dropped:
            parts.append(f"{counts.dropped:,} bytes dropped")
        parts.append(window_text(self.plot_pane.window))
        if self.message:
            parts.append(self.message)
        return Text("  ".join(parts), no_wrap=True, overflow="ellipsis")

    def action_pause(self) -> None:
        """Stops at the last line, or goes along again."""
        view = self.lines_pane.view
        if view.paused:
            view.follow()
        else:
            view.pause()
        self.lines_pane.draw()

    def action_scroll_lines(self, by: int) -> None:
        """Moves the lines; at the prompt for the model, goes through what was typed before."""
        if self._asking == "model" and abs(by) == 1:
            self._prompt.value = self.typed.recall(by)
            self._prompt.cursor_position = len(self._prompt.value)
            return
        self.lines_pane.scroll_lines(by)

    def action_ask(self, what: str) -> None:
        """Opens the prompt."""
        prompt = self._prompt
        self._asking = what
        prompt.placeholder = self._PROMPTS[what]
        prompt.suggester = SuggestFromList(self.typed.words) if what == "model" else None
        prompt.value = "" if what in _STAYING else self._history.get(what, "")
        prompt.add_class("open")
        self.screen.set_focus(prompt)  # at once: the next keys are for it

    def action_leave(self) -> None:
        """Closes the prompt, and takes the marks of a search away."""
        if not self._asking:
            self.lines_pane.query_marked = None
        self._asking = ""
        self.message = ""
        self._prompt.remove_class("open")
        self.screen.set_focus(self.lines_pane)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Does what the prompt was opened for; what is wrong with it is told in the line above."""
        event.stop()
        what, text = self._asking, event.value
        self._history[what] = text
        self.action_leave()
        try:
            if what == "search":
                self.lines_pane.query_marked = Query(text, regex=True) if text else None
                self.action_find(True)
            elif what == "filter":
                self.lines_pane.view.set_filter(Query(text, regex=True) if text else None)
            elif what == "send":
                self.source.send(self._encode(text))
            elif what == "model" and not self.typed.take(text):
                self._ask_model(text)
            elif what == "export":
                self.message = picture.save(Path(text), self.plot_pane, self.stream.table)
        except TinyhilError as error:
            self.message = plain(f"{error.message}; {error.hint}")
        if what in _STAYING:
            self.action_ask(what)

    def _ask_model(self, text: str) -> None:
        """Asks in a thread of its own: a device may take its time."""
        ask = self._ask
        if ask is None:
            self.message = "there is no model: start the monitor with one"
            return

        def asked() -> None:
            answers: list[Answer] = []
            message = ""
            try:
                answers = ask(text)
            except TinyhilError as error:
                message = plain(f"{error.message}; {error.hint}")
            self.app.call_from_thread(self._answered, answers, message)

        self.run_worker(asked, thread=True, exclusive=True)

    def _answered(self, answers: list[Answer], message: str) -> None:
        """Shows answers as lines of ours, and as points where they are one number for one number."""
        now = time.monotonic()
        for answer in answers:
            parts = (answer.inputs, answer.device, answer.reference)
            point = tuple(float(values[0]) for values in parts if len(values) == 1)
            names, values = (ASKED, point) if len(point) == len(parts) else ((), ())
            pass_on([Answered(line_of(answer), names, values, now)], self.stream)
        self.message = message
        self.work()

    def action_find(self, back: bool) -> None:
        """Goes to the next line that matches, or the one before."""
        query = self.lines_pane.query_marked
        if query is not None and not self.lines_pane.view.find(query, back=back):
            self.message = f"no line {'before' if back else 'behind'} has {plain(query.text)}"

    def action_view(self) -> None:
        """Lines and plot, lines only, plot only."""
        self.remove_class(self._VIEWS[self._view])
        self._view = (self._view + 1) % len(self._VIEWS)
        self.add_class(self._VIEWS[self._view])
        # Keys go to what has the focus, which has to be on the screen.
        pane = self.plot_pane.picture if self._VIEWS[self._view] == "plot" else self.lines_pane
        pane.focus()

    def _compare(self, reading: Reading) -> None:
        """Counts a line of the demo."""
        assert self._demo is not None
        answer = self._demo.answer(reading)
        if answer is not None:
            self.errors.add([answer])

    def action_errors(self) -> None:
        """Shows how far the device is from its reference, or shows it no more."""
        self.toggle_class("errors")
        self._wants_errors = self.has_class("errors")
        self.error_pane.draw()
        covered = self._wants_errors and self.has_class("small")
        self.screen.set_focus(self.error_pane if covered else self.lines_pane)

    def action_freeze(self) -> None:
        """Keeps the picture as it is, or lets it go on; a trigger that has fired is armed again."""
        self.plot_pane.frozen = not self.plot_pane.frozen
        if not self.plot_pane.frozen:
            self.message = ""
            for trigger in self.stream.table.triggers:
                trigger.arm()

    def action_window(self) -> None:
        """The next of the windows."""
        at = WINDOWS.index(self.plot_pane.window)
        self.plot_pane.window = WINDOWS[(at + 1) % len(WINDOWS)]
        self.plot_pane.draw(again=True)

    def action_xy(self) -> None:
        """One series over another, or all over time."""
        self.plot_pane.xy = not self.plot_pane.xy
        self.plot_pane.draw(again=True)

    def action_series(self, number: int) -> None:
        """Hides a series, or shows it again."""
        names = list(self.stream.table.series)
        if number <= len(names):
            self.plot_pane.hidden ^= {names[number - 1]}
            self.plot_pane.draw(again=True)

    def action_times(self) -> None:
        """The next form of times in front of lines."""
        styles = list(TimeStyle)
        self.lines_pane.times = styles[(styles.index(self.lines_pane.times) + 1) % len(styles)]
        self.lines_pane.draw()

    def action_clear(self) -> None:
        """Forgets lines and series."""
        self.stream.lines.clear()
        self.stream.table.clear()
        self.errors.clear()
        self.lines_pane.view.follow()
        self.plot_pane.draw(again=True)
