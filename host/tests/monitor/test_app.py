"""Keys and what they lead to, by Textual's pilot, at a port that is a list of events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tinyhil.api.asking import Answer
from tinyhil.errors import DeviceError, InputError
from tinyhil.monitor.app import MonitorApp
from tinyhil.monitor.port_pane import PortPane
from tinyhil.stream.events import Came, Changed, Dropped, Event, State
from tinyhil.stream.model import Stream
from tinyhil.stream.series import Curve
from tinyhil.stream.trigger import Condition, Trigger


class Source:
    """A port without a port."""

    def __init__(self) -> None:
        self.address = "/dev/ttyACM0"
        self.said = ""
        self.state = State.OPEN
        self.sent: list[bytes] = []
        self._events: list[Event] = []

    def came(self, text: str) -> None:
        self._events.append(Came(text.encode(), time.monotonic()))

    def tell(self, event: Event) -> None:
        self._events.append(event)

    def take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def wait(self, _seconds: float) -> bool:
        return bool(self._events)

    def send(self, data: bytes) -> None:
        if self.state is not State.OPEN:
            raise DeviceError("the port is not open", hint="wait")
        self.sent.append(data)


class Screen:
    """The application under test, with one port."""

    def __init__(self, pilot: Pilot[None], pane: PortPane, source: Source) -> None:
        self.pilot, self.pane, self.source = pilot, pane, source

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.drawn()

    async def type(self, text: str) -> None:
        self.pane.query_one(Input).value = text
        await self.press("enter")

    async def came(self, text: str) -> None:
        self.source.came(text)
        await self.drawn()

    async def drawn(self) -> None:
        self.pane.work()
        while (isinstance(self.source, Source) and self.source._events) or self.pane._events:
            self.pane.work()
        if not self.pane.plot_pane.frozen:
            self.pane.plot_pane.draw(again=True)
        await self.pilot.pause()

    @property
    def lines(self) -> list[str]:
        return [line for line in self.pane.lines_pane.shown if line]

    @property
    def status(self) -> str:
        return str(self.pane._status())


def on_screen(
    scenario: Callable[[Screen], Awaitable[None]], size: tuple[int, int] = (120, 40), source: Any = None, **model: Any
) -> None:
    """Carries a scenario out."""

    async def carried_out() -> None:
        nonlocal source
        source = source or Source()
        stream = Stream(joined=False)
        stream.stamps = getattr(source, "stamps", stream.stamps)
        pane = PortPane(source, stream, **model)
        app = MonitorApp([pane])
        async with app.run_test(size=size) as pilot:
            await scenario(Screen(pilot, pane, source))

    asyncio.run(carried_out())


WAVE = "".join(f"x:{index} y:{np.sin(index / 10):.4f}\n" for index in range(200))
LAST = WAVE.splitlines()[-1]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
def test_lines_and_curves_are_drawn(size: tuple[int, int]) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        assert screen.lines[-1] == LAST
        assert set(screen.pane.plot_pane.curves) == {"x", "y"}
        assert "200 lines" in screen.status
        figures = str(screen.pane.plot_pane._figures())
        assert "max 199" in figures

    on_screen(scenario, size)


def test_pause_scroll_and_follow() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        await screen.press("space")
        await screen.came("x:200 y:0\n")
        assert screen.lines[-1] == LAST
        assert "paused, 1 more" in screen.status
        await screen.press("up")
        assert screen.lines[-1].startswith("x:198 ")
        await screen.press("home")
        assert screen.lines[0].startswith("x:0 ")
        await screen.press("end")
        assert screen.lines[-1] == "x:200 y:0"
        assert "paused" not in screen.status

    on_screen(scenario)


def test_search_filter_and_a_wrong_expression() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        await screen.press("slash")
        await screen.type("x:1[05]0 ")
        assert screen.lines[-1].startswith("x:150 ")
        await screen.press("N")
        assert screen.lines[-1].startswith("x:100 ")
        await screen.press("n")
        assert screen.lines[-1].startswith("x:150 ")
        await screen.press("n")
        assert "no line behind has x:1[05]0" in screen.status
        await screen.press("ampersand")
        await screen.type("x:..5 ")
        assert all(line.startswith("x:") and line[4] == "5" for line in screen.lines)
        await screen.press("slash")
        await screen.type("(")
        assert "is no regular expression" in screen.status
        await screen.press("ampersand")
        await screen.type("")
        assert screen.pane.lines_pane.view.query is None

    on_screen(scenario)


def test_a_line_is_sent_and_the_prompt_stays() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.press("i", "1", "q", "enter")
        assert screen.source.sent == [b"1q\n"]
        await screen.press("2", "enter", "escape")
        assert screen.source.sent == [b"1q\n", b"2\n"]
        screen.source.state = State.WAITING
        await screen.press("i", "3", "enter")
        assert "the port is not open" in screen.status

    on_screen(scenario)


def test_views_windows_times_and_series() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        plot = screen.pane.plot_pane
        await screen.press("v")
        assert not plot.display or not plot.size.height
        await screen.press("v")
        assert not screen.pane.lines_pane.size.height or not screen.pane.lines_pane.display
        await screen.press("v", "w")
        assert len(plot.curves["y"].x) == 100
        await screen.press("1")
        assert set(plot.curves) == {"y"}
        await screen.press("1", "x")
        assert set(plot.curves) == {"y over x"}
        np.testing.assert_array_equal(plot.curves["y over x"].x, np.arange(100, 200))
        await screen.press("t")
        assert screen.lines[-1][2] == ":"
        await screen.press("c")
        assert screen.lines == []
        assert plot.curves == {}

    on_screen(scenario)


def test_a_frozen_plot_and_a_trigger() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        await screen.press("f")
        before = len(screen.pane.plot_pane.curves["x"].x)
        await screen.came("x:200 y:0\n")
        assert len(screen.pane.plot_pane.curves["x"].x) == before
        await screen.press("f")
        screen.pane.stream.table.triggers.append(Trigger("x", Condition.ABOVE, 300.0))
        await screen.came("x:300 y:0\n")
        assert "triggered: x at 300" in screen.status
        assert screen.pane.plot_pane.frozen

    on_screen(scenario)


def test_export(tmp_path: Path) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        await screen.press("e")
        await screen.type(str(tmp_path / "wave.csv"))
        assert "is written" in screen.status
        await screen.press("e")
        await screen.type(str(tmp_path / "wave.xls"))
        assert "ends with none of" in screen.status

    on_screen(scenario)
    assert len((tmp_path / "wave.csv").read_text().splitlines()) == 201


def test_nothing_that_a_device_sends_is_obeyed() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(
            "\x1b[2J\x07[@click=app.quit]x[/]:1\n" * 2 + '{"[@click=app.quit]a": 1}\n\x1b[31mred\x1b[0m\n'
        )
        assert screen.lines == [r"\x1b[2J\x07[@click=app.quit]x[/]:1"] * 2 + ['{"[@click=app.quit]a": 1}', "red"]
        await screen.pilot.click(PortPane)
        assert screen.pilot.app.is_running

    on_screen(scenario)


def test_what_happens_to_the_port_is_seen() -> None:
    async def scenario(screen: Screen) -> None:
        screen.source.state = State.LENT
        screen.source.tell(Changed(State.LENT, "it is lent", time.monotonic()))
        screen.source.tell(Dropped(12_345, time.monotonic()))
        await screen.drawn()
        assert "it is lent" in screen.lines
        assert "lent" in screen.status
        assert "12,345 bytes dropped" in screen.status

    on_screen(scenario)


def test_a_flood_leaves_time_for_keys() -> None:
    async def scenario(screen: Screen) -> None:
        for _ in range(100):
            screen.source.came(WAVE)
        screen.pane.work()
        assert screen.pane._events, "not all of it is taken in at once"
        await screen.press("space")
        assert "paused" in screen.status

    on_screen(scenario)


def test_the_model_is_asked() -> None:
    asked: list[str] = []

    def ask(question: str) -> list[Answer]:
        asked.append(question)
        if question == "hello":
            raise InputError("it is no input", hint="type a number")
        return [Answer(np.array([1.5]), np.array([0.25]), np.array([0.5]), None, 2, None, "")]

    async def scenario(screen: Screen) -> None:
        await screen.press("m", *"1.57", "enter")
        await until(screen, lambda: "x 1.5  device 0.25  reference 0.5  2 LSB apart" in screen.lines)
        assert screen.pane.stream.table.xy("asked x", "device y").y.tolist() == [0.25]
        await screen.press(*"hello", "enter")
        await until(screen, lambda: "it is no input; type a number" in screen.status)
        assert asked == ["1.57", "hello"]
        assert "float model" in screen.pane.plot_pane.curves

    beside = {"float model": Curve(np.arange(3.0), np.arange(3.0))}
    on_screen(scenario, ask=ask, beside=beside)


async def until(screen: Screen, condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < ends
        await screen.pilot.pause(0.01)


def test_without_a_model_it_says_so() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.press("m", "1", "enter")
        assert "there is no model" in screen.status

    on_screen(scenario)


def test_any_value_is_drawn() -> None:
    async def scenario(screen: Screen) -> None:
        for values in (["1"], ["nan"], ["inf"], ["1e308", "-1e308"], ["1e300"], ["-5", "-5"], ["0"]):
            lines = "".join(f"x:{value}\n" for value in values)
            await screen.came(lines + lines)
            assert set(screen.pane.plot_pane.curves) == {"x"}
            await screen.press("c")

    on_screen(scenario)
