"""A board that hangs is switched off and on by a hub, and the run goes on where it was; what was done again is counted.

No hub is here: a script stands in for uhubctl. It notes what it was asked, and the board, which is a thread at a real
pseudo-terminal, loses its terminal and gets another one as its power goes and comes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import numpy as np
import pytest

from tinyhil import kinds
from tinyhil.artifacts.retries import Retries, Tally
from tinyhil.artifacts.types import FirmwareImage, Project, QuantizedModel
from tinyhil.deadline import Deadline
from tinyhil.errors import BlockedError, DeviceError
from tinyhil.kinds import Kind
from tinyhil.options import Options
from tinyhil.pipeline.answers import Firmware, LiveDevice, Question
from tinyhil.pipeline.answers.board_ports import BoardPorts
from tinyhil.pipeline.answers.power_cycles import PowerCycles
from tinyhil.pipeline.layout import Layout
from tinyhil.progress import Silent
from tinyhil.session.counted import CountedLines
from tinyhil.session.lines import Line
from tinyhil.session.recording import Header
from tinyhil.targets.model import Measure, Target
from tinyhil.targets.wire import Power
from tinyhil.toolchain import platformio

from ..session.pty_device import BATCH, IDENTITY, INPUTS, OUTPUTS, PtyDevice, device, vectors

OFF = ("-l", "1-1", "-p", "2", "-a", "off")
ON = ("-l", "1-1", "-p", "2", "-a", "on")


@dataclass
class Hub:
    """What stands in for a hub: a program that fails with ``code``, and a note of what it was asked."""

    folder: Path
    code: int = 0

    @property
    def asked(self) -> list[tuple[str, ...]]:
        """The arguments of each call so far."""
        note = self.folder / "asked"
        return [tuple(line.split()) for line in note.read_text().splitlines()] if note.exists() else []

    def power(self) -> Power:
        """The facts of a target whose board is plugged into it."""
        program = self.folder / "uhubctl"
        program.write_text(f"#!/bin/sh\necho \"$*\" >> '{self.folder}/asked'\necho no such hub\nexit {self.code}\n")
        program.chmod(0o755)
        return Power(off=(str(program), *OFF), on=(str(program), *ON), off_seconds=0.1, back_within=5.0)

    @contextlib.contextmanager
    def feeds(self, board: PtyDevice, *, heals: bool = True) -> Iterator[None]:
        """The board's power follows what the program was asked; a board that ``heals`` answers again then."""
        ended, done = threading.Event(), 0

        def follow() -> None:
            nonlocal done
            while not ended.wait(0.005):
                for asked in self.asked[done:]:
                    done += 1
                    if asked == OFF and board.terminal >= 0:
                        board.unplug()
                    elif asked == ON:
                        board.silent = not heals
                        board.role.restart()
                        board.plug()

        thread = threading.Thread(target=follow)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path)


@pytest.fixture
def port(tmp_path: Path) -> Path:
    return tmp_path / "ttyBOARD"


@pytest.fixture
def target(qemu_m4: Target) -> Target:
    """A board of little patience, which is asked for its vectors and nothing else."""
    link = msgspec.structs.replace(qemu_m4.link, max_batch=BATCH, answer_within=1.0)
    return msgspec.structs.replace(qemu_m4, link=link, measure=Measure(unit="nothing"))


def with_power(target: Target, power: Power) -> Target:
    return msgspec.structs.replace(target, power=power)


def live(target: Target, port: Path) -> LiveDevice:
    folder = port.parent
    return LiveDevice(target, Options(port=str(port)), Layout(folder, folder, folder, folder / "project"))


def question(folder: Path) -> Question:
    model, project = IDENTITY.model_sha256, IDENTITY.project_sha256
    quantized = QuantizedModel("tiny", folder, model, "int8", INPUTS, OUTPUTS, (), vectors(), "", "")
    image = FirmwareImage(folder / "firmware.elf", "f" * 64, project, model, "compiled", None, None, {}, {})
    firmware = Firmware(Project(folder, "tiny", project, model, "compiled", ""), image)
    return Question(quantized, firmware, IDENTITY, None, cast(Header, None))


def hangs_at(count: int) -> Callable[[PtyDevice, int], None]:
    """A board that hangs for good after so many vectors."""

    def before(board: PtyDevice, computed: int) -> None:
        board.silent = board.silent or computed == count

    return before


def test_a_board_that_hangs_is_switched_off_and_on_and_asked_for_the_rest(hub: Hub, target: Target, port: Path) -> None:
    asked = live(with_power(target, hub.power()), port)
    with device(port, hangs_at(5 * BATCH)) as board, hub.feeds(board):
        answers, note = asked.capture(question(port.parent), Silent())
    np.testing.assert_array_equal(answers.outputs[0], vectors().reference[0])
    assert hub.asked == [OFF, ON]
    assert asked.retries.so_far.power_cycles == 1
    rest = {vector.tobytes() for vector in vectors().inputs[0][4 * BATCH :]}
    assert set(board.role.ran) == rest, "what was answered before is not asked again"
    assert "from the journal" in note


def test_a_board_that_is_beyond_help_is_given_up(hub: Hub, target: Target, port: Path) -> None:
    asked = live(with_power(target, hub.power()), port)
    with (
        device(port, hangs_at(5 * BATCH)) as board,
        hub.feeds(board, heals=False),
        pytest.raises(DeviceError) as caught,
    ):
        asked.capture(question(port.parent), Silent())
    assert hub.asked == 2 * [OFF, ON]
    assert asked.retries.so_far.power_cycles == 2
    assert "power cycles: 2" in caught.value.message
    assert caught.value.kind is kinds.NOTHING_CAME


@pytest.mark.parametrize("there", [True, False])
def test_a_hub_that_does_not_switch_is_named(hub: Hub, target: Target, port: Path, there: bool) -> None:
    hub.code = 3
    power = hub.power()
    if not there:
        (hub.folder / "uhubctl").unlink()
    asked = live(with_power(target, power), port)
    with device(port, hangs_at(BATCH)), pytest.raises(DeviceError) as caught:
        asked.capture(question(port.parent), Silent())
    assert caught.value.kind is kinds.POWER
    assert "uhubctl" in caught.value.message
    assert "because the device" in caught.value.message
    assert "power.off" in caught.value.hint
    if there:
        assert "exit code 3" in caught.value.message
        assert "no such hub" in caught.value.detail
        assert hub.asked == [OFF], "it is not switched on if it was not switched off"


def test_a_board_that_does_not_answer_the_greeting(hub: Hub, target: Target, port: Path) -> None:
    """As after ``flash``; the line about it says what it took."""
    asked = live(with_power(target, hub.power()), port)
    with device(port) as board, hub.feeds(board):
        board.silent = True
        _, note = asked.greet(question(port.parent).firmware, IDENTITY, Silent(), flash=False)
    assert hub.asked == [OFF, ON]
    assert "power cycles: 1" in note


def test_a_board_that_is_not_there_may_be_switched_off(hub: Hub, target: Target, port: Path) -> None:
    options = Options(port=str(port), firmware=port.parent / "firmware.elf")
    asked = LiveDevice(
        with_power(target, hub.power()), options, Layout(port.parent, port.parent, port.parent, port.parent)
    )
    with device(port) as board, hub.feeds(board):
        board.unplug()
        asked.require("compiled")
    assert hub.asked == [OFF, ON]


def attempts(target: Target, port: str | None, kind: Kind) -> int:
    """How often work is carried out that always fails."""
    done = 0

    def work(_again: bool) -> None:
        nonlocal done
        done += 1
        raise DeviceError("it fails", kind=kind)

    with pytest.raises(BlockedError):
        PowerCycles(target, port, Tally()).over(work, Silent())
    return done


def test_power_is_switched_where_it_helps_and_where_there_is_a_plug(hub: Hub, target: Target) -> None:
    powered = with_power(target, hub.power())
    assert attempts(powered, "/dev/null", kinds.WENT_SILENT) == 3
    assert len(hub.asked) == 4
    for kind in (kinds.CRASHES, kinds.OTHER_PROGRAM, kinds.STALE_FIRMWARE, kinds.QUARANTINED, kinds.PORT_BUSY):
        assert attempts(powered, "/dev/null", kind) == 1
    assert attempts(powered, None, kinds.WENT_SILENT) == 1, "an emulator has no plug"
    assert attempts(target, "/dev/null", kinds.WENT_SILENT) == 1, "nothing switches"
    assert len(hub.asked) == 4


def test_restarts_resends_and_lost_ports_are_counted(target: Target, port: Path) -> None:
    lost = {3 * BATCH, 9 * BATCH}

    def before(board: PtyDevice, computed: int) -> None:
        board.silent = computed in lost
        lost.discard(computed)
        if computed == 6 * BATCH and not board.role.boots:
            board.role.restart()
        if computed == 11 * BATCH and board.plugged == 1:
            board.unplug()
            board.plug()

    patient = msgspec.structs.replace(target, link=msgspec.structs.replace(target.link, answer_within=20.0))
    asked = live(patient, port)
    with device(port, before):
        asked.capture(question(port.parent), Silent())
    found = asked.retries.so_far
    assert found.resends >= 2
    assert found.restarts >= 1
    assert (found.ports_reopened, found.ports_renamed, found.power_cycles) == (1, 0, 0)


def test_what_is_counted_outlives_an_error(target: Target, port: Path) -> None:
    asked = live(target, port)
    with device(port, hangs_at(5 * BATCH)), pytest.raises(DeviceError):
        asked.capture(question(port.parent), Silent())
    assert asked.retries.so_far.resends > 0


def test_a_port_that_comes_back_under_another_name_is_counted() -> None:
    class Named:
        names = iter(["/dev/ttyACM0", "/dev/ttyACM1", "/dev/ttyACM1"])

        def open(self, *_: object) -> Line:
            return Line(cast(object, SimpleNamespace(name=next(self.names))), 0, lambda: 0.0)  # type: ignore[arg-type]

        reopen = open

    tally = Tally()
    lines = CountedLines(Named(), tally)
    lines.open(Deadline.after(1.0))
    for _ in range(2):
        lines.reopen(Deadline.after(1.0), lambda: None)
    assert tally.so_far == Retries(ports_reopened=2, ports_renamed=1)


def test_every_attempt_to_flash_is_counted(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise DeviceError("the uploader has failed")

    monkeypatch.setattr(platformio, "upload", fails)
    tally = Tally()
    ports = BoardPorts(target, tmp_path, tmp_path, Silent(), tally=tally)
    for _ in range(3):
        with pytest.raises(DeviceError):
            ports.upload("/dev/ttyACM0")
    assert tally.so_far == Retries(flash_attempts=3)
