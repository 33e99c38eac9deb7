"""Every key and every prompt, by a table: one that is new fails here until it has a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from textual.binding import Binding
from textual.widgets import Input

from tinyhil.api.live_error import LiveError
from tinyhil.monitor import prompt as commands
from tinyhil.monitor.app import MonitorApp
from tinyhil.monitor.plot_pane import WINDOWS
from tinyhil.monitor.port_pane import PortPane
from tinyhil.stream.appearance import TimeStyle

from .test_app import WAVE, Screen, on_screen


class Key(NamedTuple):
    """What a key leads to.

    Attributes:
        seen: what it changes.
        wanted: what that is afterwards.
        back: keys that lead back.
        before: keys that come first.
    """

    seen: Callable[[Screen], Any]
    wanted: Any
    back: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


def prompt(screen: Screen) -> str:
    """What the open prompt asks for; empty where it is closed."""
    field = screen.pane.query_one(Input)
    return field.placeholder if field.display else ""


def asks(what: str) -> Key:
    return Key(prompt, PortPane._PROMPTS[what], ("escape",))


def last_line(screen: Screen) -> str:
    return screen.lines[-1]


def first_line(screen: Screen) -> str:
    return screen.lines[0]


WANTED = "x:1[05]0 "
"""What is searched for."""


def line(number: int) -> str:
    return WAVE.splitlines()[number]


KEYS = {
    "space": Key(lambda screen: screen.pane.lines_pane.view.paused, True, ("space",)),
    "slash": asks("search"),
    "ampersand": asks("filter"),
    "i": asks("send"),
    "m": asks("model"),
    "e": asks("export"),
    "escape": Key(prompt, "", before=("i",)),
    "n": Key(last_line, line(150), ("end", "escape"), ("slash", WANTED, "enter", "N")),
    "N": Key(last_line, line(100), ("end", "escape"), ("slash", WANTED, "enter")),
    "v": Key(lambda screen: screen.pane.plot_pane.size.height > 0, False, ("v", "v")),
    "d": Key(lambda screen: screen.pane.error_pane.display, False, ("d",)),
    "f": Key(lambda screen: screen.pane.plot_pane.frozen, True, ("f",)),
    "w": Key(lambda screen: screen.pane.plot_pane.window, WINDOWS[1], ("w",) * (len(WINDOWS) - 1)),
    "x": Key(lambda screen: set(screen.pane.plot_pane.curves), {"y over x"}, ("x",)),
    "t": Key(lambda screen: screen.pane.lines_pane.times, TimeStyle.CLOCK, ("t",) * (len(TimeStyle) - 1)),
    "up": Key(last_line, line(198), ("end",)),
    "down": Key(last_line, line(198), ("end",), ("up", "up")),
    "pageup": Key(last_line, line(179), ("end",)),
    "pagedown": Key(last_line, line(179), ("end",), ("pageup", "pageup")),
    "home": Key(first_line, line(0), ("end",)),
    "end": Key(last_line, line(-1), before=("up",)),
    "l": Key(lambda screen: screen.pilot.app.theme, "textual-light", ("l",)),
    **{
        str(number): Key(lambda screen: set(screen.pane.plot_pane.curves), left, (str(number),))
        for number, left in enumerate(({"y"}, {"x"}, *[{"x", "y"}] * 6), 1)
    },
    "c": Key(lambda screen: screen.pane.plot_pane.curves, {}),
}
LEAVES = {"q", "ctrl+c"}
"""Keys that end the application, tested by themselves."""


def test_every_key_has_a_row() -> None:
    bound = {each.key for each in (*PortPane.BINDINGS, *MonitorApp.BINDINGS) if isinstance(each, Binding)}
    assert len(PortPane.BINDINGS) + len(MonitorApp.BINDINGS) == len(bound), "a key is bound twice"
    assert bound == set(KEYS) | LEAVES
    prompts = {each.wanted for each in KEYS.values() if each.seen is prompt} - {""}
    assert prompts == set(PortPane._PROMPTS.values())


def test_every_command_of_the_prompt_is_typed_in_a_test() -> None:
    """What each of them does is in test_prompt.py and test_commands.py."""
    here = Path(__file__)
    tests = "".join(each.read_text("utf-8") for each in here.parent.glob("test_*.py") if each != here)
    words = {*commands._WORDS, *commands.NEEDS_MODEL}
    assert {word for word in words if not re.search(rf'"{word}[" ]', tests)} == set()


@pytest.mark.long
def test_what_keys_lead_to() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        for name, key in KEYS.items():
            for each in key.before:
                if each == WANTED:
                    screen.pane.query_one(Input).value = each
                else:
                    await screen.pilot.press(each)
            if key.before:
                await screen.drawn()
            before = key.seen(screen)
            await screen.press(name)
            after = key.seen(screen)
            assert after == key.wanted, name
            assert before != after or name in "345678", name
            for each in key.back:
                await screen.pilot.press(each)
            if key.back:
                await screen.drawn()

    on_screen(scenario, (100, 30), errors=LiveError())


@pytest.mark.parametrize("key", sorted(LEAVES))
def test_keys_that_leave(key: str) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.pilot.press(key)
        await screen.pilot.pause()
        assert not screen.pilot.app.is_running

    on_screen(scenario)


def test_the_picture_is_zoomed_and_moved() -> None:
    """Keys of the plot, once it has the focus."""

    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        picture = screen.pane.plot_pane.picture
        screen.pane.plot_pane.frozen = True
        await screen.press("tab")
        assert picture.has_focus
        whole = (picture._x_min, picture._x_max)
        await screen.press("plus")
        near = (picture._x_min, picture._x_max)
        assert near[1] - near[0] < whole[1] - whole[0]
        await screen.press("right")
        assert picture._x_min > near[0]
        await screen.press("r")
        assert (picture._x_min, picture._x_max) == whole

    on_screen(scenario)
