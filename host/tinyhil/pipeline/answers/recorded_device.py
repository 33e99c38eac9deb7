"""A recording that plays the device's part.

The model with its vectors comes from the build folder (it is made where it is not there), everything about the firmware
from the recording: neither a device nor a compiler is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from tinyhil.artifacts.retries import Tally
from tinyhil.artifacts.types import Capture, FirmwareImage, Project
from tinyhil.errors import ConfigError
from tinyhil.pipeline import notes
from tinyhil.pipeline.answers.base import Firmware, Maker, Question
from tinyhil.progress import Reporter
from tinyhil.session import capture, journal, open_session
from tinyhil.session.counted import CountedLines
from tinyhil.session.journal import Memory
from tinyhil.session.recording import Recording
from tinyhil.targets.model import LineName, Target


class RecordedDevice:
    """A recording; see ``Answers``.

    Ownership: the recording is its opener's to close.

    Args:
        file: the recording's file.
        recording: what is in it.
        target: the facts of the target that was recorded.

    Attributes:
        line: see ``Answers``.
        retries: see ``Answers``; those of the recorded conversations.
    """

    stage = "replay"

    def __init__(self, file: Path, recording: Recording, target: Target) -> None:
        self._file = file
        self._recording = recording
        self._target = target
        self.retries = Tally()
        self.line = cast(LineName | None, recording.header.options.get("line"))

    def require(self, engine: str, *, device: bool = True) -> None:
        """A recording needs nothing."""

    def firmware(self, maker: Maker) -> Firmware:
        """What the recorded device ran.

        Raises:
            ConfigError: the recording is of another model or of other vectors than the build folder has.
        """
        model = maker.preflight()
        header = self._recording.header
        origin = header.origin
        for what, found, wanted in (
            ("model", model.sha256, origin.model_sha256),
            ("vectors", journal.of_vectors(model.vectors), origin.vectors_sha256),
        ):
            if found != wanted:
                raise ConfigError(
                    f"{self._file} is of another {what} than {model.recipe} has here: {wanted}, here {found}",
                    hint="replay it with --build-dir on the folder of that run",
                )
        project = Project(
            Path(), "", origin.project_sha256, origin.model_sha256, engine=header.engine, kernels=header.kernels
        )
        image = FirmwareImage(
            elf=Path("firmware.elf"),
            sha256=origin.firmware_sha256,
            project_sha256=origin.project_sha256,
            model_sha256=origin.model_sha256,
            engine=header.engine,
            flash_bytes=header.flash_bytes,
            ram_bytes=header.ram_bytes,
            sections=header.sections,
            tool_versions=header.tool_versions,
            tool_sha256=header.tool_sha256,
        )
        return Firmware(project, image)

    def capture(self, question: Question, reporter: Reporter) -> tuple[Capture, str]:
        """The recorded answers.

        Raises:
            BlockedError: the recording ends before the run did, or this version does not send what was sent.
        """
        vectors = question.model.vectors
        ledger = Memory(self._recording.answers)
        lines = CountedLines(self._recording, self.retries)
        with open_session(lines, question.identity, self._target, lambda: None, reporter, ledger=ledger) as session:
            answers = capture(session, vectors, question.search, question.preprocessing)
        searched = notes.of_search(question.search)
        return answers, f"{vectors.count} vectors{searched}, recorded {self._recording.header.started}"
