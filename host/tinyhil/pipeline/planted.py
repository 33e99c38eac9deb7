"""A run of a copy of a firmware with a fault in it, held against the true model.

The stages are those of every run, and so are the checks; only what is built is another thing than it should be.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tinyhil import tflite
from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.types import FirmwareImage, Project, QuantizedModel
from tinyhil.compare.verdict import Report
from tinyhil.config.recipe import Recipe
from tinyhil.errors import TinyhilError, ToolError
from tinyhil.pipeline.request import Observer, Request
from tinyhil.pipeline.run import Run
from tinyhil.render import arena
from tinyhil.selftest import Check, Fault, Scored, of_error, of_report
from tinyhil.session import Identity
from tinyhil.session.journal import NAME as JOURNAL

PATIENCE_S = 4.0
"""How long a device is waited for none of whose frames can be accepted: 16 repetitions of the first request."""
_MODEL = "model.tflite"
_LIBRARIES = Path(".pio", "libdeps")


class PlantedRun(Run):
    """A run with a fault.

    Args:
        true: the run of the firmware without a fault, which has been built.
        image: what it has built.
        fault: what is planted, None for nothing.
        folder: where the copy is; one run at a time works there.
        observer: told of its stages.
    """

    def __init__(self, true: Run, image: FirmwareImage, fault: Fault | None, folder: Path, observer: Observer) -> None:
        self._true = true
        self._image = image
        self._fault = fault
        self._changed = _changed(true.quantize(), fault, store.make_folder(folder))
        super().__init__(
            replace(true.request, built_from=self._changed, firmware=None, record=None, resume=False), observer
        )
        self.folder = folder
        self._project = folder / "project"
        self._journal = folder / JOURNAL
        self._planted: Project | None = None
        self._arena_bytes = arena.found(true.folder, true.quantize().sha256)
        if fault is not None and fault.check in (Check.CRC, Check.FRAMING, Check.SEQUENCE):
            patience = min(PATIENCE_S, self.target.link.answer_within)
            link = msgspec.structs.replace(self.target.link, answer_within=patience)
            self.target = msgspec.structs.replace(self.target, link=link)

    def quantize(self) -> QuantizedModel:
        """The true model."""
        model = self._true.quantize()
        self.evidence = replace(self.evidence, model=model)
        return model

    def preflight(self) -> QuantizedModel:
        """The model as the project names it: the true one, but for a fault that says whose it is."""
        model = self.quantize()
        if self._fault is not None and self._fault.told and self._changed is not None:
            return replace(model, sha256=hashing.of_file(self._changed))
        return model

    def render(self) -> Project:
        """The copy of the project, with the fault in it."""
        if self._planted is None:
            project = super().render()
            if self._changed is None and project.sha256 != self._image.project_sha256:
                raise ToolError(
                    f"the copy in {project.folder} is another project than the one that it was copied from",
                    hint="run the self-test again; was a file of tinyhil's changed meanwhile?",
                )
            for edit in self._fault.edits if self._fault is not None else ():
                edit.apply(project.folder)
            _share(_LIBRARIES, self._true.folder / "project", project.folder)
            self._planted = project
        return self._planted

    def build(self) -> FirmwareImage:
        """The image with the fault in it."""
        if "build" not in self._made:
            # Copies with different faults claim the same hash: what was built of one must not be taken for another.
            store.forget(self.folder / "firmware")
        return super().build()

    def verify(self) -> Report:
        """The verdict; no report is written."""
        return self._judge()

    def score(self) -> Scored:
        """What becomes of the fault.

        Raises:
            BlockedError: it could not be tried.
        """
        assert self._fault is not None
        try:
            report = self._judge()
        except TinyhilError as error:
            return of_error(self._fault, error)
        answers = self.evidence.capture
        assert answers is not None
        return of_report(self._fault, report, answers.outputs, self.quantize().vectors.reference)

    def _find(self, request: Request) -> tuple[Path, Recipe]:
        return self._true.recipe_path, self._true.recipe

    def _truth(self) -> Any:
        return self._true._truth()

    def _identity(self, image: FirmwareImage) -> Identity:
        """Yesterday's firmware is held against today's build; a wrong generator's has been built today."""
        told = self._fault is not None and self._fault.told
        return super()._identity(self._image if told else image)


def _changed(model: QuantizedModel, fault: Fault | None, folder: Path) -> Path | None:
    """The model file with the fault in it, None where the fault is elsewhere."""
    if fault is None or fault.change is None:
        return None
    unpacked = tflite.unpack(model.path.read_bytes(), str(model.path))
    fault.change(unpacked)
    path = folder / _MODEL
    store.write_bytes(path, tflite.pack(unpacked))
    return path


def _share(part: Path, source: Path, copy: Path) -> None:
    """Lets a copy of a project use what PlatformIO has fetched for the project itself."""
    if (source / part).is_dir() and not (copy / part).exists():
        store.make_folder((copy / part).parent)
        with store.storage(copy / part):
            (copy / part).symlink_to((source / part).resolve())
