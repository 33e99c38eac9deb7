"""Commands at the prompt, each by the keys of a user."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tinyhil.errors import DeviceError
from tinyhil.stream.events import Came, State
from tinyhil.stream.model import Stream
from tinyhil.stream.player import Player
from tinyhil.stream.source import pass_on

from .test_app import LAST, WAVE, Screen, on_screen

PATIENCE_S = 30.0


async def typed(screen: Screen, text: str) -> None:
    await screen.press("m")
    await screen.type(text)


@pytest.mark.parametrize("xy", [False, True])
def test_save_writes_what_is_shown(tmp_path: Path, xy: bool) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        if xy:
            await screen.press("x")
        for suffix in ("svg", "png", "csv", "npz"):
            await typed(screen, f"save {tmp_path / f'wave.{suffix}'}")
            assert screen.pane.message == f"{tmp_path / f'wave.{suffix}'} is written"
        (tmp_path / "file").touch()
        for wrong in ("wave.gif", "file/wave.svg", "file/wave.csv", "."):
            await typed(screen, f"save {tmp_path / wrong}")
            assert "is written" not in screen.pane.message

    on_screen(scenario)
    assert (tmp_path / "wave.png").read_bytes().startswith(b"\x89PNG")
    drawing = (tmp_path / "wave.svg").read_text()
    assert ">y</text>" in drawing or ">y over x</text>" in drawing
    assert ("<circle" in drawing) is xy
    with np.load(tmp_path / "wave.npz") as numbers:
        assert len(numbers["y"]) == 200
    assert len((tmp_path / "wave.csv").read_text().splitlines()) == 201


def test_the_key_for_it_and_a_plot_with_nothing_in_it(tmp_path: Path) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.press("e")
        await screen.type(str(tmp_path / "a.svg"))
        assert "nothing to be drawn" in screen.pane.message
        await screen.came("x:1\nx:2\n")
        await screen.press("e")
        await screen.type(str(tmp_path / "a.svg"))

    on_screen(scenario)
    assert (tmp_path / "a.svg").is_file()


def test_record_and_what_was_recorded_is_played_on_the_screen(tmp_path: Path) -> None:
    """The same lines, curves and figures."""
    path = tmp_path / "a.rec"
    shown: list[object] = []

    async def recorded(screen: Screen) -> None:
        await typed(screen, "record")
        assert "nothing is being recorded" in screen.pane.message
        await typed(screen, f"record {path}")
        await screen.came("first, which may be torn\n" + WAVE)
        await screen.press("escape")
        shown.extend(what_is_shown(screen))
        await typed(screen, "record")
        assert "is written" in screen.pane.message
        await screen.came("x:1000 y:1000\n")

    def what_is_shown(screen: Screen) -> list[object]:
        curves = {name: (curve.x.tolist(), curve.y.tolist()) for name, curve in screen.pane.plot_pane.curves.items()}
        return [screen.lines, curves, str(screen.pane.plot_pane._figures())]

    async def played(screen: Screen) -> None:
        ends = time.monotonic() + PATIENCE_S
        while screen.pane.source.state is not State.ENDED:
            assert time.monotonic() < ends
            await screen.drawn()
        await typed(screen, "speed 10")
        assert screen.pane.message == "speed 10"
        await typed(screen, "speed 0")
        assert isinstance(screen.pane.source, Player)
        assert screen.pane.source.speed == math.inf
        await screen.press("escape")
        assert what_is_shown(screen) == shown

    on_screen(recorded)
    with Player(path) as player:
        on_screen(played, source=player)
    again = Stream(joined=False)
    with Player(path) as player:
        pass_on(player.take(), again)
    assert again.counts.lines == 201
    assert shown[0]


def test_the_recording_ends_with_the_screen(tmp_path: Path) -> None:
    async def scenario(screen: Screen) -> None:
        await typed(screen, f"record {tmp_path / 'a.rec'}")
        await screen.came(WAVE)

    on_screen(scenario)
    with Player(tmp_path / "a.rec") as player:
        assert any(isinstance(event, Came) for event in player.take())


def test_commands_of_the_device_tell_line_by_line() -> None:
    def verify() -> Iterator[str]:
        yield "PASS \x1b[2J"
        yield "all of it"

    def flash() -> Iterator[str]:
        yield "begun"
        raise DeviceError("the board is gone", hint="plug it in")

    async def scenario(screen: Screen) -> None:
        for word, last in (("verify", "verify: done"), ("flash", "flash: the board is gone; plug it in")):
            await typed(screen, word)
            ends = time.monotonic() + PATIENCE_S
            while screen.pane.typed.running:
                assert time.monotonic() < ends
                await screen.drawn()
            assert screen.lines[-1] == last
        assert r"PASS \x1b[2J" in screen.lines
        assert "begun" in screen.lines
        for word in ("bisect", "profile"):
            screen.pane.message = ""
            await typed(screen, word)
            assert "takes a device of a model" in screen.pane.message

    on_screen(scenario, commands={"verify": verify, "flash": flash})


def test_help_history_and_completion() -> None:
    async def scenario(screen: Screen) -> None:
        await typed(screen, "help")
        assert any("save FILE" in line for line in screen.lines)
        await typed(screen, "speed 2")
        assert "for recordings" in screen.pane.message
        await typed(screen, "save")
        assert "cannot be done here" in screen.pane.message
        prompt = screen.pane._prompt
        for expected in ("save", "speed 2", "help", "help"):
            await screen.press("up")
            assert prompt.value == expected
        for expected in ("speed 2", "save", "", ""):
            await screen.press("down")
            assert prompt.value == expected
        await screen.press("s", "p", "e", "right")
        assert prompt.value == "speed 2"
        await typed(screen, "1.57")
        assert "there is no model" in screen.pane.message

    on_screen(scenario)


def test_quit() -> None:
    async def scenario(screen: Screen) -> None:
        await screen.came(WAVE)
        assert screen.lines[-1] == LAST
        await screen.press("m")
        screen.pane._prompt.value = "quit"
        await screen.pilot.press("enter")
        await screen.pilot.pause()
        assert not screen.pane.app.is_running

    on_screen(scenario)
