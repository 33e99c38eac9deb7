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
from tinyhil.pipeline.request import Observer, Request
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.session import Identity, capture, journal
from tinyhil.session.journal import Memory
from tinyhil.session.recording import Recording


class Replay(Run):
    """A run whose device is a recording.

    Ownership: whoever opens it closes it.

    Raises:
        ConfigError: the file is no recording, or its recipe or target is unknown here.
    """

    def __init__(self, file: Path, build_dir: Path, observer: Observer) -> None:
        self._file = file
        self._recording = Recording(file)
        header = self._recording.header
        try:
            # Forced: whatever pre-flight finds now did not keep the run from being recorded.
            request = Request(header.recipe, header.target, header.engine, header.scheme, build_dir, force=True)
            super().__init__(request, observer)
        except BaseException:
            self.close()
            raise

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
        )
        project = Project(
            Path(), "", origin.project_sha256, origin.model_sha256, engine=header.engine, kernels=header.kernels
        )
        self.evidence = replace(self.evidence, project=project, image=image)
        identity = Identity(model.sha256, origin.project_sha256, model.inputs, model.outputs)

        def work(reporter: Reporter) -> tuple[Capture, bool, str]:
            answers = capture(
                str(self._file),
                identity,
                model.vectors,
                self.target,
                lambda: None,
                reporter,
                lines=self._recording,
                ledger=Memory(self._recording.answers),
            )
            return answers, False, f"{model.vectors.count} vectors, recorded {header.started}"

        answers = self._stage("replay", work)
        self.evidence = replace(self.evidence, capture=answers)
        return answers

    def verify(self) -> Report:
        """The report. It is not written: that of the run itself stays."""
        return self._judge()
