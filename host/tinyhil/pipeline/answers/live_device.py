"""A device that is there: started here, or plugged in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tinyhil.artifacts import lock
from tinyhil.artifacts.retries import Tally
from tinyhil.artifacts.types import Capture, FirmwareImage, Project
from tinyhil.deadline import Deadline
from tinyhil.device.base import Device
from tinyhil.device.board import Flash
from tinyhil.device.factory import line, open_device
from tinyhil.link.messages import Welcome
from tinyhil.options import Options
from tinyhil.pipeline import notes
from tinyhil.pipeline.answers import needs, recording_header
from tinyhil.pipeline.answers.base import Firmware, Maker, Question
from tinyhil.pipeline.answers.board_ports import BoardPorts
from tinyhil.pipeline.answers.crash_places import decoding
from tinyhil.pipeline.answers.power_cycles import PowerCycles
from tinyhil.pipeline.answers.running_device import RunningDevice
from tinyhil.pipeline.layout import Layout
from tinyhil.progress import Reporter, Silent
from tinyhil.render import PROJECT
from tinyhil.session import Identity, capture, lines_to, open_session
from tinyhil.session.counted import CountedLines
from tinyhil.session.journal import Journal
from tinyhil.session.lines import Lines
from tinyhil.session.recording import Recorder
from tinyhil.session.records import RecordFile
from tinyhil.targets.model import UART, Target
from tinyhil.transport import owner
from tinyhil.transport.finder import PortFinder


class LiveDevice:
    """The device of a target; see ``Answers``.

    Args:
        target: the target's facts.
        options: of the run: port, flash, resume, record.
        layout: of the run: its folder is locked while the device answers, and has the journal.

    Attributes:
        port: where the device was last found; empty before.
        line: see ``Answers``.
        retries: see ``Answers``.

    Raises:
        ConfigError: the options name a line that the target's emulator does not have, or no emulator is started.
    """

    stage = "session"

    def __init__(self, target: Target, options: Options, layout: Layout) -> None:
        self.port = ""
        self.line = line(target, options.port, options.line)
        self._target = target
        self._options = options
        self._layout = layout
        self.retries = Tally()
        self._power = PowerCycles(target, options.port, self.retries)

    def require(self, engine: str, *, device: bool = True) -> None:
        """See ``Answers.require``."""
        if self._options.firmware is None:
            needs.of_form(self._target, self._options.form)
        if device:
            self._power.over(lambda _: needs.of_device(self._target, self._options.port), Silent())
        if self._options.firmware is None:
            needs.of_build(self._target, engine, self._layout.project)

    def firmware(self, maker: Maker) -> Firmware:
        """Renders and builds."""
        project = maker.render()
        return Firmware(project, maker.build())

    @contextlib.contextmanager
    def device(self, project: Project, reporter: Reporter, *, flash: bool = False) -> Iterator[Device]:
        """The device, not started yet; stopped when the context ends.

        Args:
            project: what it runs.
            reporter: told what is done.
            flash: flash it in any case, not only where the options ask for it and it runs anything else.

        Raises:
            DeviceError: a port is needed, and none is known.
        """
        # There is no project of ours to flash where the user's own has our library in it.
        stale = Flash.IF_STALE if self._options.flash and self._options.form == PROJECT else Flash.NEVER
        when = Flash.ALWAYS if flash else stale
        with open_device(
            self._target,
            self._options.port,
            ports=BoardPorts(self._target, project.folder, self._layout.target, reporter, tally=self.retries),
            project=project.sha256,
            folder=project.folder,
            flash=when,
            # What is flashed is to be reached by others as well, and shows its demo, which needs the time to pass.
            line=UART if flash else self.line,
        ) as device:
            yield device

    def start(self, device: Device, image: FirmwareImage) -> str:
        """Starts a device and returns its port."""
        self.port = device.start(image.elf, Deadline.after(self._target.start_within))
        return self.port

    def greet(self, firmware: Firmware, identity: Identity, reporter: Reporter, *, flash: bool) -> tuple[Welcome, str]:
        """Starts the device and sees that it answers with the firmware.

        Args:
            flash: put the firmware on it in any case.

        Returns:
            What the device says of itself, and a line about it.

        Raises:
            BlockedError: as ``Answers.capture``.
        """
        return self._power.over(lambda _: self._greet(firmware, identity, reporter, flash), reporter)

    def _greet(self, firmware: Firmware, identity: Identity, reporter: Reporter, flash: bool) -> tuple[Welcome, str]:
        with self.device(firmware.project, reporter, flash=flash) as device:
            port = self.start(device, firmware.image)
            lines = CountedLines(lines_to(port, self._target.link, stays=device.stays), self.retries)
            with (
                decoding(firmware.image.elf),
                open_session(lines, identity, self._target, device.check, reporter) as session,
            ):
                welcome = session.welcome
        note = f"answers on {port}, engine {welcome.engine}, boot id {welcome.boot_id:08x}"
        return welcome, note + notes.of_retries(self.retries.so_far)

    def capture(self, question: Question, reporter: Reporter) -> tuple[Capture, str]:
        """See ``Answers.capture``. Every answer goes to the journal at once, and stays there over a power cycle."""
        return self._power.over(lambda again: self._capture(question, reporter, again), reporter)

    def _capture(self, question: Question, reporter: Reporter, again: bool) -> tuple[Capture, str]:
        firmware, vectors = question.firmware, question.model.vectors
        with contextlib.ExitStack() as stack:
            stack.enter_context(decoding(firmware.image.elf))
            device = stack.enter_context(self.device(firmware.project, reporter))
            port = self.start(device, firmware.image)
            finder = PortFinder(port)
            stack.enter_context(owner.owned(finder.locate()))
            stack.enter_context(lock.exclusive(self._layout.target, reporter.text))
            origin = recording_header.origin(question.model, firmware.image)
            kept = stack.enter_context(Journal(self._layout.journal, origin, resume=self._options.resume or again))
            link = self._target.link
            lines: Lines = lines_to(port, link, finder, stays=device.stays)
            if self._options.record is not None:
                file = stack.enter_context(RecordFile(self._options.record))
                lines = Recorder(lines, file, question.header, list(kept.answers.values()))
            if kept.afresh:
                reporter.text(f"nothing to resume: {kept.afresh}")
            session = stack.enter_context(
                open_session(
                    CountedLines(lines, self.retries),
                    question.identity,
                    self._target,
                    device.check,
                    reporter,
                    ledger=kept,
                )
            )
            answers = capture(session, vectors, question.search, question.preprocessing)
            note = notes.of_session(vectors.count, kept, question.search) + notes.of_lengths(session.longest_payload)
        return answers, note

    @contextlib.contextmanager
    def running_device(self, firmware: Firmware, identity: Identity) -> Iterator[RunningDevice]:
        """A device that runs the firmware until the context ends, for sessions of one's own."""
        with decoding(firmware.image.elf), self.device(firmware.project, Silent()) as device:
            yield RunningDevice(device, firmware.image, identity, self._target)
