"""A copy of a firmware with a fault in it, held against the true model.

The stages are those of every run, and so are the checks; only what is built is another thing than it should be.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from tinyhil import tflite
from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.types import FirmwareImage, Project, QuantizedModel
from tinyhil.compare.verdict import Report
from tinyhil.errors import TinyhilError, ToolError
from tinyhil.experiments.selftest.faults import Check, Fault, Given
from tinyhil.experiments.selftest.scoring import Score, of_error, of_report, of_trial
from tinyhil.pipeline.answers import LiveDevice
from tinyhil.pipeline.device_copy import CopyOfFile, DeviceCopy, TrueCopy
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.stages import Stages
from tinyhil.render import arena
from tinyhil.session import Identity

PATIENCE_S = 4.0
"""How long a device is waited for none of whose frames can be accepted: 16 repetitions of the first request."""
_MODEL = "model.tflite"
_LIBRARIES = Path(".pio", "libdeps")


class FaultyCopy:
    """What a device with a fault is built from; see ``DeviceCopy``.

    Args:
        image: the image without a fault.
        project: the project that it was built from.
        fault: what is planted; None for nothing.
        changed: the model file with the fault in it; None where the fault is elsewhere.
    """

    def __init__(self, image: FirmwareImage, project: Path, fault: Fault | None, changed: Path | None) -> None:
        self._image = image
        self._true_project = project
        self._fault = fault
        self._changed = changed
        self._copy: DeviceCopy = TrueCopy() if changed is None else CopyOfFile(changed)

    def model(self, model: QuantizedModel) -> QuantizedModel:
        """The model with the fault, under the name of the true one, but for a fault that says whose it is."""
        if self._told and self._changed is not None:
            model = replace(model, sha256=hashing.of_file(self._changed))
        return self._copy.model(model)

    def alter(self, project: Project) -> None:
        """Plants the fault in the sources.

        Raises:
            ToolError: the project is another one than that without a fault, or has no place for it.
        """
        if self._changed is None and project.sha256 != self._image.project_sha256:
            raise ToolError(
                f"the copy in {project.folder} is another project than the one that it was copied from",
                hint="run the self-test again; was a file of tinyhil's changed meanwhile?",
            )
        for edit in self._fault.edits if self._fault is not None else ():
            edit.apply(project.folder)
        _share(_LIBRARIES, self._true_project, project.folder)

    def identity(self, model: QuantizedModel, image: FirmwareImage) -> Identity:
        """Yesterday's firmware is held against today's build; a wrong generator's has been built today."""
        return self._copy.identity(model, self._image if self._told else image)

    @property
    def _told(self) -> bool:
        """Whether the firmware itself says that it is another one."""
        return self._fault is not None and self._fault.told


def judge_copy(true: Run, image: FirmwareImage, number: int, observer: Observer) -> Report:
    """The verdict on a copy without a fault; no report is written.

    Args:
        true: the run of the firmware, which has been built.
        image: what it has built.
        number: of the copy; one caller at a time works there.
        observer: told of the stages.

    Raises:
        BlockedError: it could not be tried.
    """
    return _faulty_run(true, image, None, number, observer).judge()


def score(true: Run, image: FirmwareImage, fault: Fault, number: int, observer: Observer) -> Score:
    """What becomes of a fault; the other arguments as for ``judge_copy``.

    Raises:
        BlockedError: it could not be tried.
    """
    run = _faulty_run(true, image, fault, number, observer)
    try:
        report = run.judge()
    except TinyhilError as error:
        return of_error(fault, error)
    model = run.quantize()
    bits = 8 * sum(spec.nbytes for spec in model.inputs)
    return of_report(fault, report, run.capture().outputs, model.vectors.reference, bits)


def score_trial(true: Run, report: Report, fault: Fault, number: int, observer: Observer) -> Score:
    """What becomes of a fault that no device has to do with; the other arguments as for ``judge_copy``.

    Args:
        report: the verdict on the copy without a fault.

    Raises:
        BlockedError: it could not be tried.
    """
    assert fault.trial is not None
    with store.scratch(true.layout.of_copy(number).target) as folder:
        try:
            return of_trial(fault, fault.trial(Given(true, report, folder, observer)))
        except TinyhilError as error:
            return of_error(fault, error)


def _faulty_run(true: Run, image: FirmwareImage, fault: Fault | None, number: int, observer: Observer) -> Run:
    """A run of a copy, which is rendered and not yet built."""
    layout, stages = true.layout.of_copy(number), Stages(observer)
    changed = _changed(true.quantize(), fault, store.make_folder(layout.target))
    copy = FaultyCopy(image, true.layout.project, fault, changed)
    target = true.target
    if fault is not None and fault.check in (Check.CRC, Check.FRAMING, Check.SEQUENCE):
        patience = min(PATIENCE_S, target.link.answer_within)
        target = msgspec.structs.replace(target, link=msgspec.structs.replace(target.link, answer_within=patience))
    options = replace(true.options, firmware=None, record=None, resume=False, search=0)
    # Copies with different faults claim the same hash: what was built of one must not be taken for another.
    store.forget(layout.firmware)
    placement = replace(true.placement, target=target)
    run = Run(true.source, copy, LiveDevice(target, options, layout), placement, layout, options, stages)
    run.render(arena.found(true.layout.target, true.quantize().sha256))
    return run


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
