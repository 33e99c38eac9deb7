"""The verdict once more, from a recording instead of a device.

The model with its vectors comes from the build folder (it is made where it is not there), everything about the firmware
from the recording: neither a device nor a compiler is needed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

from tinyhil.artifacts.types import Capture, FirmwareImage, Project
from tinyhil.compare.verdict import Report
from tinyhil.errors import ConfigError
from tinyhil.pipeline import notes
from tinyhil.pipeline.given import TFLITE, GivenRun
from tinyhil.pipeline.request import Observer, Request
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.session import Identity, capture, journal
from tinyhil.session.journal import Memory
from tinyhil.session.recording import Recording


def open_replay(file: Path, build_dir: Path, observer: Observer) -> Replay:
    """Opens a recording; close the replay, or use it as a context manager.

    Raises:
        ConfigError: the file is no recording, or what it was made with is unknown here: recipe, model file, target.
    """
    recording = Recording(file)
    header = recording.header
    try:
        request = Request(
            header.model or header.recipe,
            header.target,
            header.engine,
            # A .tflite file is quantized already.
            None if header.model.endswith(TFLITE) else header.scheme,
            build_dir,
            samples=Path(header.samples) if header.samples else None,
            data=Path(header.data) if header.data else None,
            force=True,  # whatever pre-flight finds now did not keep the run from being recorded
            search=header.search,
        )
        return (GivenReplay if header.model else Replay)(file, recording, request, observer)
    except BaseException:
        recording.close()
        raise


class Replay(Run):
    """A run whose device is a recording.

    Ownership: takes the recording, and closes it.
    """

    def __init__(self, file: Path, recording: Recording, request: Request, observer: Observer) -> None:
        self._file = file
        self._recording = recording
        super().__init__(request, observer)

    def close(self) -> None:
        """Gives the file up."""
        self._recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def capture(self) -> Capture:
        """The recorded answers.

        Raises:
            ConfigError: the recording is of another model or of other vectors than the build folder has.
            BlockedError: it ends before the run did, or this version does not send what was sent.
        """
        model = self.preflight()
        header = self._recording.header
        origin = header.origin
        for what, found, wanted in (
            ("model", model.sha256, origin.model_sha256),
            ("vectors", journal.of_vectors(model.vectors), origin.vectors_sha256),
        ):
            if found != wanted:
                raise ConfigError(
                    f"{self._file} is of another {what} than {self.recipe.name} has here: {wanted}, here {found}",
                    hint="replay it with --build-dir on the folder of that run",
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
        project = Project(
            Path(), "", origin.project_sha256, origin.model_sha256, engine=header.engine, kernels=header.kernels
        )
        self.evidence = replace(self.evidence, project=project, image=image)
        identity = Identity(model.sha256, origin.project_sha256, model.inputs, model.outputs)

        def work(reporter: Reporter) -> tuple[Capture, bool, str]:
            searching = self._searching(model, reporter)
            answers = capture(
                str(self._file),
                identity,
                model.vectors,
                self.target,
                lambda: None,
                reporter,
                lines=self._recording,
                ledger=Memory(self._recording.answers),
                explore=searching,
            )
            self._found(searching)
            searched = notes.of_search(searching)
            return answers, False, f"{model.vectors.count} vectors{searched}, recorded {header.started}"

        answers = self._stage("replay", work)
        self.evidence = replace(self.evidence, capture=answers)
        return answers

    def verify(self) -> Report:
        """The report. It is not written: that of the run itself stays."""
        return self._judge()


class GivenReplay(Replay, GivenRun):
    """The same of a user's own model file."""
